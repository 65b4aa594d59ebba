// Component types of the Collector's distributions, present and past, so that a file that names one which Millrace does
// not have gets an answer that fits: not a misspelling, but not here yet.

import type { ComponentKind } from '../graph/component.ts'

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

export const COLLECTOR_TYPES: Readonly<Record<ComponentKind, readonly string[]>> = {
  receiver: words(`
    active_directory_ds aerospike apache apachespark awscloudwatch awscontainerinsightreceiver awsecscontainermetrics
    awsfirehose awslambda awss3 awsxray azureblob azureeventhub azuremonitor carbon chrony ciscoos cloudflare cloudfoundry
    collectd couchdb datadog docker_stats dockerstats elasticsearch envoyals expvar faro filelog file_log filestats
    flinkmetrics flink_metrics fluentforward fluent_forward githubgen github gitlab googlecloudmonitoring
    googlecloudpubsub googlecloudpubsubpush googlecloudspanner haproxy hostmetrics host_metrics httpcheck huaweicloudces
    icmpcheck iis influxdb jaeger jmx journald k8s_cluster k8s_events k8sobjects k8slog kafka kafkametrics kubeletstats
    libhoney loki macosunifiedlogging memcached mongodb mongodbatlas mysql namedpipe netflow netscaler nginx nop nsxt ntp
    opamp opencensus oracledb osquery otlp otlpjsonfile otelarrow podman_stats postgresql pprof prometheus
    prometheus_simple prometheusremotewrite pulsar purefa purefb rabbitmq receiver_creator redfish redis
    riak saphana sapm signalfx simpleprometheus skywalking snmp snowflake solace splunk_hec splunkenterprise sqlquery
    sqlserver sshcheck statsd stef syslog systemd tcpcheck tcp_check tcplog tcp_log tlscheck udplog udp_log unifiedlogging
    vcenter vcr wavefront webhookevent windowseventlog windows_event_log windowsperfcounters windowsservice
    windows_service yanggrpc zipkin zookeeper`),
  processor: words(`
    attributes batch cardinalityguardian coralogix cumulativetodelta cumulative_to_delta deltatocumulative
    delta_to_cumulative deltatorate drain experimental_metricsgeneration filter genainormalizer geoip groupbyattrs
    groupbytrace interval isolationforest k8sattributes k8s_attributes log_dedup logdedup logstransform lookup
    memory_limiter metricsgeneration metricstarttime metricstransform metrics_transform probabilistic_sampler
    queue_batch redaction remotetap resource resourcedetection resource_detection routing schema servicegraph span
    spanmetrics sumologic tail_sampling transform unroll`),
  exporter: words(`
    alertmanager alibabacloud_logservice awscloudwatchlogs awsemf awskinesis awss3 awsxray azureblob azuredataexplorer
    azuremonitor bmchelix carbon cassandra clickhouse coralogix datadog dataset debug doris dynatrace elasticsearch f5cloud
    faro file fileexporter googlecloud googlecloudpubsub googlecloudstorage googlemanagedprometheus honeycombmarker
    influxdb instana jaeger jaeger_thrift kafka kinetica loadbalancing load_balancing logging logicmonitor logzio loki mezmo nop
    opencensus opensearch otelarrow otlp otlp_grpc otlphttp otlp_http parquet prometheus prometheusremotewrite pulsar
    rabbitmq sapm sematext sentry signalfx skywalking splunk_hec stef sumologic syslog tencentcloud_logservice
    tinybird topicmetrics wavefront zipkin`),
  connector: words(`
    count datadog exceptions failover forward grafanacloud metricsaslogs metrics_as_logs otlpjson roundrobin routing
    servicegraph signaltometrics slowsql spanmetrics span_metrics sum`),
  extension: words(`
    ack asapclient aws_logs_encoding avro_log_encoding azureauth azure_auth awsproxy basicauth bearertokenauth cfgardenobserver cgroupruntime
    datadog db_storage docker_observer dynatrace ecs_observer ecs_task_observer encoding file_storage
    googleclientauth google_cloud_logentry_encoding headers_setter health_check healthcheckv2 host_observer http_forwarder
    httpforwarder jaeger_encoding jaegerremotesampling json_log_encoding k8s_leader_elector k8s_observer kafkatopics_observer
    memory_ballast memory_limiter oauth2client oidc opamp otlp_encoding pprof redis_storage remotetap sigv4auth skywalking_encoding
    solarwindsapmsettings sumologic text_encoding zipkin_encoding zpages`),
}
