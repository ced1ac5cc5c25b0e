package io.jrun.e2e;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.ClientCalls;
import io.jrun.e2e.cri.Cri;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/// Calls of the kubelet's interface to containerd. What goes in and comes out is the messages of
/// cri.proto as JSON; a call that fails throws a [io.grpc.StatusRuntimeException].
final class CriClient implements AutoCloseable {
  private static final int LIMIT_SECONDS = 2 * Command.TIMEOUT_SECONDS;

  private final EpollEventLoopGroup loop = new EpollEventLoopGroup(1);
  private final ManagedChannel channel;

  CriClient(Path socket) {
    channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class)
            .overrideAuthority("localhost")
            .usePlaintext()
            .build();
  }

  JsonNode call(String method, String request) {
    MethodDescriptor descriptor =
        Cri.getDescriptor().findServiceByName("RuntimeService").findMethodByName(method);
    if (descriptor == null) throw new IllegalArgumentException("not in cri.proto: " + method);
    DynamicMessage.Builder message = DynamicMessage.newBuilder(descriptor.getInputType());
    try {
      JsonFormat.parser().merge(Config.json(request).toString(), message);
      DynamicMessage answer =
          ClientCalls.blockingUnaryCall(
              channel,
              method(descriptor),
              CallOptions.DEFAULT
                  .withWaitForReady()
                  .withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS),
              message.build());
      return Config.json(
          JsonFormat.printer()
              .preservingProtoFieldNames()
              .alwaysPrintFieldsWithNoPresence()
              .print(answer));
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(method + " " + request, e);
    }
  }

  private static io.grpc.MethodDescriptor<DynamicMessage, DynamicMessage> method(
      MethodDescriptor descriptor) {
    return io.grpc.MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
        .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(
            io.grpc.MethodDescriptor.generateFullMethodName(
                descriptor.getService().getFullName(), descriptor.getName()))
        .setRequestMarshaller(new Wire(descriptor.getInputType()))
        .setResponseMarshaller(new Wire(descriptor.getOutputType()))
        .build();
  }

  /// Messages whose type is known at run time.
  private record Wire(com.google.protobuf.Descriptors.Descriptor type)
      implements io.grpc.MethodDescriptor.Marshaller<DynamicMessage> {
    @Override
    public InputStream stream(DynamicMessage value) {
      return new ByteArrayInputStream(value.toByteArray());
    }

    @Override
    public DynamicMessage parse(InputStream stream) {
      try {
        return DynamicMessage.parseFrom(type, stream);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    Future<?> _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }
}
