package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/influxdata/influxdb-observability/common"
	"github.com/influxdata/influxdb-observability/otel2influx"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// A point as JSON: field values as the line protocol writes them, so that their types show.
type point struct {
	Measurement string            `json:"measurement"`
	Tags        map[string]string `json:"tags"`
	Fields      map[string]string `json:"fields"`
	Time        string            `json:"time"`
}

// points collects what the library writes; what line protocol cannot hold is left out, as the exporter leaves it.
type points struct{ list []point }

func (p *points) NewBatch() otel2influx.InfluxWriterBatch { return p }

func (p *points) WriteBatch(context.Context) error { return nil }

func (p *points) EnqueuePoint(_ context.Context, measurement string, tags map[string]string, fields map[string]any, at time.Time, _ common.InfluxMetricValueType) error {
	one := point{measurement, map[string]string{}, map[string]string{}, strconv.FormatInt(at.UnixNano(), 10)}
	for key, value := range tags {
		if key != "" && value != "" {
			one.Tags[key] = value
		}
	}
	for key, value := range fields {
		if key == "" {
			continue
		}
		switch v := value.(type) {
		case float64:
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				one.Fields[key] = strconv.FormatFloat(v, 'g', -1, 64)
			}
		case int64:
			one.Fields[key] = strconv.FormatInt(v, 10) + "i"
		case uint64:
			one.Fields[key] = strconv.FormatUint(v, 10) + "u"
		case bool:
			one.Fields[key] = strconv.FormatBool(v)
		case string:
			one.Fields[key] = `"` + v + `"`
		case []byte:
			one.Fields[key] = `"` + string(v) + `"`
		default:
			return fmt.Errorf("%s has a field %s of type %T", measurement, key, value)
		}
	}
	if len(one.Fields) > 0 {
		p.list = append(p.list, one)
	}
	return nil
}

func (p *points) take() ([]byte, error) {
	answer, err := json.Marshal(p.list)
	p.list = nil
	return answer, err
}

func influxMetrics(schema string) translator {
	var out points
	config := otel2influx.DefaultOtelMetricsToLineProtocolConfig()
	config.Writer = &out
	config.Schema = common.MetricsSchemata[schema]
	lines, err := otel2influx.NewOtelMetricsToLineProtocol(config)
	check(err)
	unmarshaler := pmetric.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		metrics, err := unmarshaler.UnmarshalMetrics(request)
		if err != nil {
			return nil, err
		}
		if err := lines.WriteMetrics(context.Background(), metrics); err != nil {
			return nil, err
		}
		return out.take()
	}
}

func influxLogs() translator {
	var out points
	config := otel2influx.DefaultOtelLogsToLineProtocolConfig()
	config.Writer = &out
	lines, err := otel2influx.NewOtelLogsToLineProtocol(config)
	check(err)
	unmarshaler := plog.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		logs, err := unmarshaler.UnmarshalLogs(request)
		if err != nil {
			return nil, err
		}
		if err := lines.WriteLogs(context.Background(), logs); err != nil {
			return nil, err
		}
		return out.take()
	}
}

func influxTraces() translator {
	var out points
	config := otel2influx.DefaultOtelTracesToLineProtocolConfig()
	config.Writer = &out
	lines, err := otel2influx.NewOtelTracesToLineProtocol(config)
	check(err)
	unmarshaler := ptrace.ProtoUnmarshaler{}
	return func(request []byte) ([]byte, error) {
		traces, err := unmarshaler.UnmarshalTraces(request)
		if err != nil {
			return nil, err
		}
		if err := lines.WriteTraces(context.Background(), traces); err != nil {
			return nil, err
		}
		return out.take()
	}
}
