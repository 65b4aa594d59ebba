// A client on grpc-go for the tests of the gRPC door: makes calls of every kind and prints what came of them as JSON,
// answers in hexadecimal, errors as their codes.
//
//	client PORT HEX-OF-A-REQUEST [CA-FILE]
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

const export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

// Messages are bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (rawCodec) Name() string                       { return "proto" }

func main() {
	body, err := hex.DecodeString(os.Args[2])
	check(err)
	transport := insecure.NewCredentials()
	if len(os.Args) > 3 {
		pem, err := os.ReadFile(os.Args[3])
		check(err)
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport = credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "localhost"})
	}
	conn, err := grpc.NewClient("127.0.0.1:"+os.Args[1], grpc.WithTransportCredentials(transport), grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	check(err)
	defer conn.Close()

	call := func(path string, message []byte, options ...grpc.CallOption) any {
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		defer cancel()
		var answer []byte
		if err := conn.Invoke(ctx, path, message, &answer, options...); err != nil {
			return status.Code(err)
		}
		return hex.EncodeToString(answer)
	}
	seen := []any{
		call(export, body),
		call(export, body, grpc.UseCompressor("gzip")),
		call(export, bytes.Repeat(body, 20000)),
		call(export, []byte("not protobuf")),
		call(export, make([]byte, 5<<20)),
		call("/no.Such/Method", body),
	}
	var wait sync.WaitGroup
	var lock sync.Mutex
	whole := 0
	for i := 0; i < 300; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			if call(export, body) == "0a00" {
				lock.Lock()
				whole++
				lock.Unlock()
			}
		}()
	}
	wait.Wait()
	check(json.NewEncoder(os.Stdout).Encode(append(seen, whole)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
