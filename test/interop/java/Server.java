// A server on grpc-java (Netty) for the tests of the gRPC client: takes Export calls of any signal, counts them by the eight
// bytes that each message begins with, and says what it has counted when its input ends.
//
//   Server [-streams N] [-age MILLISECONDS] [-delay MILLISECONDS] [-window BYTES] [-cert FILE -key FILE]
//
// First line: the port. Last line: {"calls": N, "messages": distinct ones, "bytes": N, "connections": N}.

import io.grpc.Grpc;
import io.grpc.HandlerRegistry;
import io.grpc.MethodDescriptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

public final class Server {
  /** Messages are bytes as they are. */
  static final MethodDescriptor.Marshaller<byte[]> RAW = new MethodDescriptor.Marshaller<>() {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  };

  static final Set<Long> messages = new HashSet<>();
  static final Set<Object> connections = new HashSet<>();
  static int calls;
  static long bytes;

  static synchronized void count(byte[] message, Object peer) {
    calls++;
    bytes += message.length;
    messages.add(ByteBuffer.wrap(message).getLong());
    connections.add(peer);
  }

  static ServerMethodDefinition<byte[], byte[]> method(String name, long delay) {
    MethodDescriptor<byte[], byte[]> descriptor = MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .setRequestMarshaller(RAW)
        .setResponseMarshaller(RAW)
        .build();
    return ServerMethodDefinition.create(descriptor, (call, headers) -> {
      Object peer = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
      return ServerCalls.<byte[], byte[]>asyncUnaryCall((message, answer) -> {
        sleep(delay);
        count(message, peer);
        answer.onNext(new byte[0]);
        answer.onCompleted();
      }).startCall(call, headers);
    });
  }

  static void sleep(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> flags = new HashMap<>();
    for (int i = 0; i < args.length; i += 2) flags.put(args[i], args[i + 1]);
    long delay = Long.parseLong(flags.getOrDefault("-delay", "0"));
    NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
        .maxInboundMessageSize(64 << 20)
        .maxConcurrentCallsPerConnection(Integer.parseInt(flags.getOrDefault("-streams", "100")))
        .fallbackHandlerRegistry(new HandlerRegistry() {
          @Override
          public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
            return method(name, delay);
          }
        });
    if (flags.containsKey("-age")) builder.maxConnectionAge(Long.parseLong(flags.get("-age")), TimeUnit.MILLISECONDS);
    if (flags.containsKey("-window")) builder.flowControlWindow(Integer.parseInt(flags.get("-window")));
    if (flags.containsKey("-cert"))
      builder.useTransportSecurity(new File(flags.get("-cert")), new File(flags.get("-key")));
    io.grpc.Server server = builder.build().start();
    System.out.println(server.getPort());
    System.in.readAllBytes();
    server.shutdown().awaitTermination(5, TimeUnit.SECONDS);
    System.out.printf(
        "{\"calls\":%d,\"messages\":%d,\"bytes\":%d,\"connections\":%d}%n",
        calls, messages.size(), bytes, connections.size());
    System.exit(0);
  }
}
