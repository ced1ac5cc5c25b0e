package io.jrun.kernel.call;

import java.util.List;

/// Processes: their birth, program, limits, place and end.
public sealed interface ProcessCall<R> extends HelperCall<R> {
  int MAP_PRIVATE_FIXED = 0x12;
  int PROT_READ_EXEC = 5;
  int SIG_BLOCK = 0;
  int WNOHANG = 1;

  /// A call that answers only that it succeeded.
  sealed interface Action extends ProcessCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// clone3(2). The child goes on serving, on the socket passed along. Returns the pid as the
  /// helper sees it.
  ///
  /// @param cgroup for CLONE_INTO_CGROUP, otherwise 0
  record Clone3(long flags, int exitSignal, Descriptor childSocket, int cgroup)
      implements ProcessCall<Integer> {
    @Override
    public Number number() {
      return Number.CLONE3;
    }

    @Override
    public void arguments(Arguments to) {
      to.struct(a ->
              a.flags64("flags", NamespaceCall.CLONE, flags)
                  .u64("pidfd", 0)
                  .u64("child_tid", 0)
                  .u64("parent_tid", 0)
                  .u64("exit_signal", exitSignal)
                  .u64("stack", 0)
                  .u64("stack_size", 0)
                  .u64("tls", 0)
                  .u64("set_tid", 0)
                  .u64("set_tid_size", 0)
                  .u64("cgroup", cgroup))
          .value(88)
          .descriptor(childSocket);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// clone(2) of a process that shares nothing, which every seccomp filter knows. The child goes on
  /// serving, on the socket passed along.
  record Clone(int exitSignal, Descriptor childSocket) implements ProcessCall<Integer> {
    @Override
    public Number number() {
      return Number.CLONE;
    }

    /// The socket is where the kernel has an address that it uses only when flags say so.
    @Override
    public void arguments(Arguments to) {
      to.value(exitSignal).bytes(null).descriptor(childSocket);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// execve(2); success ends the stream.
  record Execve(String path, List<String> argv, List<String> env) implements Action {
    @Override
    public Number number() {
      return Number.EXECVE;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path).strings(argv).strings(env);
    }
  }

  /// execveat(2); success ends the stream.
  record Execveat(Descriptor directory, String path, List<String> argv, List<String> env, int flags)
      implements Action {
    @Override
    public Number number() {
      return Number.EXECVEAT;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory).string(path).strings(argv).strings(env).flags(FileCall.AT, flags);
    }
  }

  /// exit_group(2).
  record ExitGroup(int status) implements Action {
    @Override
    public Number number() {
      return Number.EXIT_GROUP;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(status);
    }
  }

  /// wait4(2) for one child: the wait status, or with WNOHANG [#RUNS].
  record Wait4(int pid, int options) implements ProcessCall<Integer> {
    /// No wait status: the child has not ended.
    public static final int RUNS = -1;

    @Override
    public Number number() {
      return Number.WAIT4;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(pid).out(4).value(options).bytes(null);
    }

    @Override
    public Integer result(long value, Output output) {
      return value == 0 && (options & WNOHANG) != 0 ? RUNS : output.buffer().getInt(0);
    }
  }

  /// getpid(2).
  record Getpid() implements ProcessCall<Integer> {
    @Override
    public Number number() {
      return Number.GETPID;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0);
    }

    @Override
    public Integer result(long value, Output output) {
      return (int) value;
    }
  }

  /// getcwd(2), as the kernel says it: `(unreachable)` may lead it.
  record Getcwd() implements ProcessCall<String> {
    @Override
    public Number number() {
      return Number.GETCWD;
    }

    @Override
    public void arguments(Arguments to) {
      to.out(4096).value(4096);
    }

    @Override
    public String result(long value, Output output) {
      return new String(output.bytes((int) value - 1), java.nio.charset.StandardCharsets.UTF_8);
    }
  }

  /// chdir(2).
  record Chdir(String path) implements Action {
    @Override
    public Number number() {
      return Number.CHDIR;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path);
    }
  }

  /// chroot(2).
  record Chroot(String path) implements Action {
    @Override
    public Number number() {
      return Number.CHROOT;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(path);
    }
  }

  /// fchdir(2).
  record Fchdir(Descriptor directory) implements Action {
    @Override
    public Number number() {
      return Number.FCHDIR;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(directory);
    }
  }

  /// prlimit64(2) of the caller itself; values are unsigned.
  record Prlimit(int resource, long soft, long hard) implements Action {
    @Override
    public Number number() {
      return Number.PRLIMIT64;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(0).value(resource).struct(l -> l.u64("soft", soft).u64("hard", hard)).bytes(null);
    }
  }

  /// rt_sigprocmask(2), the set as a mask of 64 bits.
  record Sigprocmask(int how, long mask) implements Action {
    @Override
    public Number number() {
      return Number.RT_SIGPROCMASK;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(how).struct(s -> s.u64("mask", mask)).bytes(null).value(8);
    }
  }

  /// mmap(2) of a file.
  record Mmap(
      long address, long size, int protection, int flags, Descriptor descriptor, long offset)
      implements ProcessCall<Long> {
    @Override
    public Number number() {
      return Number.MMAP;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(address)
          .value(size)
          .value(protection)
          .value(flags)
          .descriptor(descriptor)
          .value(offset);
    }

    @Override
    public Long result(long value, Output output) {
      return value;
    }
  }

  /// munmap(2).
  record Munmap(long address, long size) implements Action {
    @Override
    public Number number() {
      return Number.MUNMAP;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(address).value(size);
    }
  }

  /// personality(2).
  record Personality(long persona) implements ProcessCall<Long> {
    @Override
    public Number number() {
      return Number.PERSONALITY;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(persona);
    }

    @Override
    public Long result(long value, Output output) {
      return value;
    }
  }

  /// ioprio_set(2) of the caller.
  record IoprioSet(int priority) implements Action {
    @Override
    public Number number() {
      return Number.IOPRIO_SET;
    }

    @Override
    public void arguments(Arguments to) {
      to.value(1).value(0).value(priority);
    }
  }
}
