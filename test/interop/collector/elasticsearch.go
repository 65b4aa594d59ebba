package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/elasticsearchexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A bulk collects the bodies of bulk requests, and says to each document that it is taken.
type bulk struct{ body bytes.Buffer }

func (b *bulk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", "application/json")
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		fmt.Fprint(w, `{"version":{"number":"9.1.0"}}`)
		return
	}
	body, err := io.ReadAll(r.Body)
	check(err)
	b.body.Write(body)
	items := make([]string, bytes.Count(body, []byte("\n"))/2)
	for i := range items {
		items[i] = `{"create":{"status":201}}`
	}
	fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(items, ","))
}

// documents answers with the bodies of the bulk requests of a request, all of whose scopes ask for a mapping mode.
func documents(mode, signal string) translator {
	var server bulk
	web := httptest.NewServer(&server)
	factory := elasticsearchexporter.NewFactory()
	config := factory.CreateDefaultConfig()
	check(confmap.NewFromStringMap(map[string]any{
		"endpoint":      web.URL,
		"compression":   "none",
		"sending_queue": map[string]any{"enabled": false},
	}).Unmarshal(config))
	settings := exportertest.NewNopSettings(factory.Type())
	context := context.Background()
	ask := func(scope pcommon.InstrumentationScope) { scope.Attributes().PutStr("elastic.mapping.mode", mode) }
	var push func(request []byte) error
	var started component.Component
	switch signal {
	case "logs":
		logs, err := factory.CreateLogs(context, settings, config)
		check(err)
		started = logs
		push = func(request []byte) error {
			data, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(request)
			check(err)
			for _, resource := range data.ResourceLogs().All() {
				for _, scope := range resource.ScopeLogs().All() {
					ask(scope.Scope())
				}
			}
			return logs.ConsumeLogs(context, data)
		}
	case "traces":
		traces, err := factory.CreateTraces(context, settings, config)
		check(err)
		started = traces
		push = func(request []byte) error {
			data, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(request)
			check(err)
			for _, resource := range data.ResourceSpans().All() {
				for _, scope := range resource.ScopeSpans().All() {
					ask(scope.Scope())
				}
			}
			return traces.ConsumeTraces(context, data)
		}
	default:
		metrics, err := factory.CreateMetrics(context, settings, config)
		check(err)
		started = metrics
		push = func(request []byte) error {
			data, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(request)
			check(err)
			for _, resource := range data.ResourceMetrics().All() {
				for _, scope := range resource.ScopeMetrics().All() {
					ask(scope.Scope())
				}
			}
			return metrics.ConsumeMetrics(context, data)
		}
	}
	check(started.Start(context, componenttest.NewNopHost()))
	return func(request []byte) ([]byte, error) {
		server.body.Reset()
		err := push(request)
		return bytes.Clone(server.body.Bytes()), err
	}
}
