import { defineCase } from '../case.ts'

export default defineCase({
  summary:
    'Metric points to InfluxDB: the lines of a plant (device, metric, unit), or those of the Collector by default.',
  items: [1000],
  attributes: 4,
  signal: 'metrics',
  output: 'http',
  variants: { plant: 'schema: plant.', telegraf: 'telegraf-prometheus-v1: every attribute is a tag.' },
  // Of the Collector's exporters this one cannot be had as a module.
  notFor: { otelcol: 'all' },
  // The number that each request carries is in an attribute, which so has to be a tag.
  file: ({ signal, receiver, exporter, telemetry, variant }) => `
receivers:
  otlp: ${receiver}
exporters:
  influxdb:
    ${exporter()
      .slice(1, -1)
      .trim()
      .replaceAll(/, (?=[a-z_]+: )/g, '\n    ')}
    bucket: plant
    ${
      variant === 'plant'
        ? `schema: plant
    precision: ms
    plant_rules:
      - measurement: device_metrics
        tags: { device_id: "%{resource.attributes.service.name}", metric_name: "%{metric.name}", unit: "%{metric.unit}", by: "%{attributes.url.path}" }`
        : 'metrics_schema: telegraf-prometheus-v1'
    }
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], exporters: [influxdb] }
`,
})
