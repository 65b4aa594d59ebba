package main

import (
	"github.com/jaegertracing/jaeger-idl/proto-gen/api_v2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/jaeger"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// jaegerSpans answers with PostSpansRequests one after the other: their one field is repeated, one for each batch.
func jaegerSpans() translator {
	unmarshaler := ptrace.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		traces, err := unmarshaler.UnmarshalTraces(request)
		if err != nil {
			return nil, err
		}
		var answer []byte
		for _, batch := range jaeger.ProtoFromTraces(traces) {
			bytes, err := (&api_v2.PostSpansRequest{Batch: *batch}).Marshal()
			if err != nil {
				return nil, err
			}
			answer = append(answer, bytes...)
		}
		return answer, nil
	}
}
