// A server on grpc-go for the tests of the gRPC client: takes Export calls of any signal, counts them by the eight bytes
// that each message begins with, and says what it has counted when its input ends.
//
//	server [-streams N] [-age D] [-grace D] [-delay D] [-window BYTES] [-cert FILE -key FILE] [ADDRESS]
//
// First line: the port. Last line: {"calls": N, "messages": distinct ones, "bytes": N, "connections": N}.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/stats"
)

// Messages are bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (rawCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

type counts struct {
	lock        sync.Mutex
	Calls       int `json:"calls"`
	Messages    int `json:"messages"`
	Bytes       int `json:"bytes"`
	Connections int `json:"connections"`
	seen        map[uint64]bool
}

func (c *counts) add(message []byte) {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.Calls++
	c.Bytes += len(message)
	if len(message) >= 8 {
		c.seen[binary.BigEndian.Uint64(message)] = true
	}
	c.Messages = len(c.seen)
}

func (c *counts) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (c *counts) HandleRPC(context.Context, stats.RPCStats)                         {}
func (c *counts) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (c *counts) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, begins := s.(*stats.ConnBegin); begins {
		c.lock.Lock()
		c.Connections++
		c.lock.Unlock()
	}
}

func main() {
	streams := flag.Uint("streams", 100, "")
	age := flag.Duration("age", 0, "")
	grace := flag.Duration("grace", 0, "")
	delay := flag.Duration("delay", 0, "")
	window := flag.Int("window", 0, "")
	cert := flag.String("cert", "", "")
	key := flag.String("key", "", "")
	flag.Parse()
	address := flag.Arg(0)
	if address == "" {
		address = "127.0.0.1:0"
	}

	seen := &counts{seen: map[uint64]bool{}}
	options := []grpc.ServerOption{
		grpc.ForceServerCodec(rawCodec{}),
		grpc.MaxConcurrentStreams(uint32(*streams)),
		grpc.MaxRecvMsgSize(64 << 20),
		grpc.StatsHandler(seen),
		grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: *age, MaxConnectionAgeGrace: *grace}),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			var message []byte
			if err := stream.RecvMsg(&message); err != nil {
				return err
			}
			time.Sleep(*delay)
			seen.add(message)
			return stream.SendMsg([]byte{})
		}),
	}
	if *window > 0 {
		options = append(options, grpc.InitialWindowSize(int32(*window)), grpc.InitialConnWindowSize(int32(*window)))
	}
	if *cert != "" {
		transport, err := credentials.NewServerTLSFromFile(*cert, *key)
		check(err)
		options = append(options, grpc.Creds(transport))
	}
	listener, err := net.Listen("tcp", address)
	check(err)
	server := grpc.NewServer(options...)
	go server.Serve(listener)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
	server.GracefulStop()
	check(json.NewEncoder(os.Stdout).Encode(seen))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
