package io.jrun.runtime.rehearsal;

import io.jrun.kernel.Aside;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.SocketCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/// The engine's kernel in a rehearsal: looks at what is there, pretends what would change it.
record RehearsedKernel(Kernel kernel, Rehearsal rehearsal) implements Kernel {
  private static final int CHANGES = FileCall.O_WRONLY | FileCall.O_RDWR | FileCall.O_CREAT;

  /// proc_pid_stat(5) of a process that was there and has ended: a zombie.
  private static final byte[] ENDED =
      ("1 (init) Z" + " 0".repeat(18) + " 1 0 0 0\n").getBytes(StandardCharsets.US_ASCII);

  @Override
  public <R> R call(HostCall<R> call) {
    return switch (call) {
      case FileCall.Openat open
          when rehearsal.isInMade(open.directory().path(open.path()))
              || isPretended(open.directory()) ->
          pretend(call, (open.flags() & CHANGES) != 0);
      case FileCall.Openat open when rehearsal.isPretendedStat(open.path()) ->
          call.result(Rehearsal.STAT, io.jrun.kernel.call.Output.NONE);
      case FileCall.Openat open when rehearsal.isPretendedNamespace(open.path()) ->
          pretend(call, false);
      case FileCall.Read c when c.descriptor().equals(new Descriptor.Known(Rehearsal.STAT)) -> {
        Pretended text = Pretended.bytes(ENDED);
        yield call.result(text.value(), text.output());
      }
      case FileCall.Openat open when (open.flags() & CHANGES) == 0 -> kernel.call(call);
      case FileCall.Openat2 open when (open.flags() & CHANGES) == 0 -> look(call, open.directory());
      case FileCall.Read c -> look(call, c.descriptor());
      case FileCall.Pread c -> look(call, c.descriptor());
      case FileCall.Getdents c -> look(call, c.directory());
      case FileCall.Fstatfs c -> look(call, c.descriptor());
      case FileCall.Statx c -> look(call, c.directory());
      case DescriptorCall.Poll c -> look(call, c.descriptor());
      case FileCall.Close c -> look(call, c.descriptor());
      case FileCall.Readlinkat c -> kernel.call(call);
      case FileCall.Flock c -> pretend(call, false);
      case FileCall.Mkdirat c -> {
        rehearsal.makeDirectory(c.directory().path(c.path()));
        yield pretend(call, true);
      }
      // what would carry the messages to a process that is not there
      case SocketCall.Socketpair c -> call.result(0, pair());
      case SocketCall.Sendmsg c -> pretend(call, false);
      case SocketCall.Recvmsg c -> pretend(call, false);
      case DescriptorCall.Pipe2 c -> call.result(0, pair());
      case FileCall.MemfdCreate c -> pretend(call, false);
      case FileCall.Pwrite c -> pretend(call, false);
      case FileCall.Fchmod c when isPretended(c.descriptor()) -> pretend(call, false);
      default -> pretend(call, true);
    };
  }

  @Override
  public <R> Aside<R> inNewNetwork(Supplier<R> calls) {
    NamespaceCall.Unshare unshare = new NamespaceCall.Unshare(NamespaceCall.CLONE_NEWNET);
    Aside<R> pretended =
        new Aside<>(() -> {
          rehearsal.note("engine: " + unshare.text());
          return calls.get();
        });
    pretended.run();
    return pretended;
  }

  private static boolean isPretended(Descriptor descriptor) {
    return descriptor instanceof Descriptor.Known(int number) && Rehearsal.isPretended(number);
  }

  private <R> R look(HostCall<R> call, Descriptor at) {
    return isPretended(at) ? pretend(call, false) : kernel.call(call);
  }

  private <R> R pretend(HostCall<R> call, boolean noted) {
    if (noted) rehearsal.note("engine", call);
    Pretended answer = Pretended.of(call, rehearsal);
    return call.result(answer.value(), answer.output());
  }

  private io.jrun.kernel.call.Output pair() {
    ByteBuffer pair = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    pair.putInt(rehearsal.nextDescriptor()).putInt(rehearsal.nextDescriptor());
    return new io.jrun.kernel.call.Output(pair.array(), 0, 8);
  }
}
