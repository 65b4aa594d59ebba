package main

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/probabilisticsamplerprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
)

// What a processor of each factory makes; "none" passes everything on, as pdata reads and writes it.
var processors = map[string]func() processor.Factory{
	"attributes":            attributesprocessor.NewFactory,
	"probabilistic_sampler": probabilisticsamplerprocessor.NewFactory,
	"resource":              resourceprocessor.NewFactory,
}

// processed reads configurations, which are JSON objects (and so YAML), among the requests: a configuration is answered with what is wrong
// with it, or nothing; a request with what the processor of the last configuration passes on, or nothing.
func processed(factory processor.Factory, signal string) translator {
	var push translator
	return func(message []byte) ([]byte, error) {
		if len(message) == 0 || message[0] != '{' {
			return push(message)
		}
		made, err := started(factory, signal, message)
		if err != nil {
			push = func([]byte) ([]byte, error) { return nil, nil }
			return []byte(err.Error()), nil
		}
		push = made
		return nil, nil
	}
}

// sender is who sends all requests.
var sender = client.NewContext(context.Background(), client.Info{
	Metadata: client.NewMetadata(map[string][]string{"x-tenant": {"north"}, "x-lines": {"1", "2"}}),
})

func started(factory processor.Factory, signal string, text []byte) (translator, error) {
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	check(err)
	keys, err := retrieved.AsConf()
	check(err)
	config := factory.CreateDefaultConfig()
	if err := keys.Unmarshal(config); err != nil {
		return nil, err
	}
	if err := xconfmap.Validate(config); err != nil {
		return nil, err
	}
	settings := processortest.NewNopSettings(factory.Type())
	start := func(made component.Component, err error) error {
		if err != nil {
			return err
		}
		return made.Start(sender, componenttest.NewNopHost())
	}
	switch signal {
	case "logs":
		sink := new(consumertest.LogsSink)
		logs, err := factory.CreateLogs(sender, settings, config, sink)
		return func(request []byte) ([]byte, error) {
			data, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(request)
			check(err)
			sink.Reset()
			if err := logs.ConsumeLogs(sender, data); err != nil || len(sink.AllLogs()) == 0 {
				return nil, err
			}
			return (&plog.ProtoMarshaler{}).MarshalLogs(sink.AllLogs()[0])
		}, start(logs, err)
	case "traces":
		sink := new(consumertest.TracesSink)
		traces, err := factory.CreateTraces(sender, settings, config, sink)
		return func(request []byte) ([]byte, error) {
			data, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(request)
			check(err)
			sink.Reset()
			if err := traces.ConsumeTraces(sender, data); err != nil || len(sink.AllTraces()) == 0 {
				return nil, err
			}
			return (&ptrace.ProtoMarshaler{}).MarshalTraces(sink.AllTraces()[0])
		}, start(traces, err)
	default:
		sink := new(consumertest.MetricsSink)
		metrics, err := factory.CreateMetrics(sender, settings, config, sink)
		return func(request []byte) ([]byte, error) {
			data, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(request)
			check(err)
			sink.Reset()
			if err := metrics.ConsumeMetrics(sender, data); err != nil || len(sink.AllMetrics()) == 0 {
				return nil, err
			}
			return (&pmetric.ProtoMarshaler{}).MarshalMetrics(sink.AllMetrics()[0])
		}, start(metrics, err)
	}
}
