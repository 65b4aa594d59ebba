package main

import (
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// As the exporter's defaults have it.
var settings = prometheusremotewrite.Settings{AddMetricSuffixes: true, SendMetadata: true}

// remoteWrite1 answers with prometheus.WriteRequest. What the translator could not take is left out of it.
func remoteWrite1() translator {
	unmarshaler := pmetric.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		metrics, err := unmarshaler.UnmarshalMetrics(request)
		if err != nil {
			return nil, err
		}
		series, _ := prometheusremotewrite.FromMetrics(metrics, settings)
		var message prompb.WriteRequest
		for _, one := range series {
			message.Timeseries = append(message.Timeseries, *one)
		}
		metadata, err := prometheusremotewrite.OtelMetricsToMetadata(metrics, settings)
		if err != nil {
			return nil, err
		}
		for _, one := range metadata {
			message.Metadata = append(message.Metadata, *one)
		}
		return message.Marshal()
	}
}

// remoteWrite2 answers with io.prometheus.write.v2.Request.
func remoteWrite2() translator {
	unmarshaler := pmetric.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		metrics, err := unmarshaler.UnmarshalMetrics(request)
		if err != nil {
			return nil, err
		}
		series, symbols, _ := prometheusremotewrite.FromMetricsV2(metrics, settings)
		message := writev2.Request{Symbols: symbols.Symbols()}
		for _, one := range series {
			message.Timeseries = append(message.Timeseries, *one)
		}
		return message.Marshal()
	}
}
