// A client on grpc-java (Netty) for the tests of the gRPC door: makes calls of every kind and prints what came of them as
// JSON, answers in hexadecimal, errors as their codes.
//
//   java -cp '.:*' Interop PORT HEX-OF-A-REQUEST [CA-FILE]

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

public final class Interop {
  static final String EXPORT = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

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

  static MethodDescriptor<byte[], byte[]> method(String name) {
    return MethodDescriptor.<byte[], byte[]>newBuilder()
        .setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(name)
        .setRequestMarshaller(RAW)
        .setResponseMarshaller(RAW)
        .build();
  }

  static String call(ManagedChannel channel, String name, byte[] message, CallOptions options) {
    try {
      byte[] answer = ClientCalls.blockingUnaryCall(
          channel, method(name), options.withDeadlineAfter(8, TimeUnit.SECONDS), message);
      return '"' + HexFormat.of().formatHex(answer) + '"';
    } catch (StatusRuntimeException error) {
      return Integer.toString(error.getStatus().getCode().value());
    }
  }

  public static void main(String[] args) throws Exception {
    byte[] body = HexFormat.of().parseHex(args[1]);
    byte[] large = new byte[body.length * 20000];
    for (int at = 0; at < large.length; at += body.length) System.arraycopy(body, 0, large, at, body.length);
    NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(args[0]));
    if (args.length > 2)
      builder.sslContext(GrpcSslContexts.forClient().trustManager(new File(args[2])).build()).overrideAuthority("localhost");
    else builder.usePlaintext();
    ManagedChannel channel = builder.build();
    List<String> seen = new ArrayList<>();
    seen.add(call(channel, EXPORT, body, CallOptions.DEFAULT));
    seen.add(call(channel, EXPORT, body, CallOptions.DEFAULT.withCompression("gzip")));
    seen.add(call(channel, EXPORT, large, CallOptions.DEFAULT));
    seen.add(call(channel, EXPORT, "not protobuf".getBytes(), CallOptions.DEFAULT));
    seen.add(call(channel, EXPORT, new byte[5 << 20], CallOptions.DEFAULT));
    seen.add(call(channel, "no.Such/Method", body, CallOptions.DEFAULT));
    List<ListenableFuture<byte[]>> calls = new ArrayList<>();
    for (int i = 0; i < 300; i++)
      calls.add(ClientCalls.futureUnaryCall(
          channel.newCall(method(EXPORT), CallOptions.DEFAULT.withDeadlineAfter(8, TimeUnit.SECONDS)), body));
    int whole = 0;
    for (ListenableFuture<byte[]> made : calls) if (made.get().length == 2) whole++;
    seen.add(Integer.toString(whole));
    System.out.println("[" + String.join(",", seen) + "]");
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }
}
