package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.NamespaceCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SocketCall;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A process of a container, forked from a helper: it may be born in a cgroup, and its parent may
/// be given calls around the clone. Directed over a socket of its own.
///
/// @param before what the parent's batch before the clone returned
record Child(HelperKernel helper, int pid, Results before) implements AutoCloseable {
  static final int SIGCHLD = 17;

  /// A child under way: what is sent to it is performed as soon as it is there.
  record Birth(HelperKernel helper, Supplier<Child> born) {
    /// Of a child that is there.
    static Birth of(Child child) {
      return new Birth(child.helper(), () -> child);
    }

    /// The child, once it is born.
    Child await() {
      try {
        return born.get();
      } catch (RuntimeException e) {
        helper.close();
        throw e;
      }
    }
  }

  /// Performs `before` in the parent, clones, and performs `after` in the parent.
  ///
  /// @param cgroup the v2 directory that the child is born in, or null for the parent's
  static Birth begin(
      Kernel kernel,
      HelperKernel parent,
      Batch before,
      long flags,
      @Nullable String cgroup,
      Consumer<Batch> after) {
    List<Integer> pair = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_STREAM));
    OwnedDescriptor ours = new OwnedDescriptor(kernel, pair.get(0));
    OwnedDescriptor theirs = new OwnedDescriptor(kernel, pair.get(1));
    try {
      Descriptor socket = before.pass(theirs);
      if (cgroup != null) {
        int open = FileCall.O_RDONLY | FileCall.O_DIRECTORY | FileCall.O_CLOEXEC;
        Descriptor directory =
            before.add(new FileCall.Openat(Descriptor.CWD, cgroup, open, 0, false)).descriptor();
        before.add(new DescriptorCall.Dup3(directory, Slots.CGROUP, FileCall.O_CLOEXEC));
        before.add(new FileCall.Close(directory));
      }
      long all = cgroup == null ? flags : flags | NamespaceCall.CLONE_INTO_CGROUP;
      int into = cgroup == null ? 0 : Slots.CGROUP;
      // with CLONE_PARENT the kernel takes the exit signal of the process that clones
      int signal = (flags & NamespaceCall.CLONE_PARENT) != 0 ? 0 : SIGCHLD;
      Pending<Integer> clone =
          before.add(
              all == 0
                  ? new ProcessCall.Clone(signal, socket) // as a filter may know no other
                  : new ProcessCall.Clone3(all, signal, socket, into));
      // were the socket kept, nobody would see the child's end of it closed
      before.add(new FileCall.Close(socket));
      if (cgroup != null) before.attempt(new FileCall.Close(Slots.descriptor(Slots.CGROUP)));
      after.accept(before);
      HelperKernel child = parent.over(ours);
      Reply reply = parent.send(before);
      return new Birth(
          child,
          () -> {
            Results results = reply.await();
            return new Child(child, results.of(clone), results);
          });
    } catch (RuntimeException e) {
      ours.close();
      throw e;
    } finally {
      release(theirs);
    }
  }

  private static void release(OwnedDescriptor sent) {
    try {
      sent.close();
    } catch (KernelException e) {
      // it is closed all the same (close(2)), and the other process has its own
    }
  }

  /// Performs `before` in the parent, then clones.
  static Child clone(Kernel kernel, HelperKernel parent, Batch before, long flags) {
    return begin(kernel, parent, before, flags, null, batch -> {}).await();
  }

  /// Runs the batch that ends in a program's start.
  void become(Batch batch) {
    try {
      helper.runToEnd(batch);
    } catch (HelperGoneException e) {
      throw new ContainerException("the process ended before its program started");
    }
  }

  /// For a child's first batch: it forgets the cgroup that it was born in.
  static void addForgetCgroup(Batch batch, @Nullable String cgroup) {
    if (cgroup != null) batch.add(new FileCall.Close(Slots.descriptor(Slots.CGROUP)));
  }

  @Override
  public void close() {
    helper.close();
  }
}
