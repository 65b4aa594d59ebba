// Command translators turns OTLP requests into what the Collector's exporters and processors make of them, with the Collector's own modules:
// it is called with what to make, reads requests on stdin and writes as many answers to stdout, each after its length in
// four bytes, big-endian.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"os"
)

// A translator makes one answer of one request.
type translator func(request []byte) ([]byte, error)

var translators = map[string]func() translator{
	"influxdb-logs":       influxLogs,
	"influxdb-traces":     influxTraces,
	"influxdb-telegraf-1": func() translator { return influxMetrics("telegraf-prometheus-v1") },
	"influxdb-telegraf-2": func() translator { return influxMetrics("telegraf-prometheus-v2") },
	"influxdb-otel-1":     func() translator { return influxMetrics("otel-v1") },
	"jaeger":              jaegerSpans,
	"remote-write-1":      remoteWrite1,
	"remote-write-2":      remoteWrite2,
}

func main() {
	log.SetFlags(0)
	for _, mode := range []string{"otel", "ecs", "none", "raw"} {
		for _, signal := range []string{"logs", "traces", "metrics"} {
			translators["elasticsearch-"+mode+"-"+signal] = func() translator { return documents(mode, signal) }
		}
	}
	for name, factory := range processors {
		for _, signal := range []string{"logs", "traces", "metrics"} {
			translators[name+"-"+signal] = func() translator { return processed(factory(), signal) }
		}
	}
	if len(os.Args) != 2 || translators[os.Args[1]] == nil {
		log.Fatal("usage: translators NAME, of which main.go has a list")
	}
	translate := translators[os.Args[1]]()
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		request, err := read(in)
		if errors.Is(err, io.EOF) {
			break
		}
		check(err)
		answer, err := translate(request)
		check(err)
		check(binary.Write(out, binary.BigEndian, uint32(len(answer))))
		_, err = out.Write(answer)
		check(err)
	}
	check(out.Flush())
}

func read(in io.Reader) ([]byte, error) {
	var length uint32
	if err := binary.Read(in, binary.BigEndian, &length); err != nil {
		return nil, err
	}
	request := make([]byte, length)
	_, err := io.ReadFull(in, request)
	return request, err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
