package io.jrun.kernel.call;

/// Namespaces and what belongs to one.
public sealed interface NamespaceCall<R> extends HelperCall<R> {
  int CLONE_NEWTIME = 0x80;
  int CLONE_PARENT = 0x8000;
  int CLONE_NEWNS = 0x20000;
  int CLONE_NEWCGROUP = 0x2000000;
  int CLONE_NEWUTS = 0x4000000;
  int CLONE_NEWIPC = 0x8000000;
  int CLONE_NEWUSER = 0x10000000;
  int CLONE_NEWPID = 0x20000000;
  int CLONE_NEWNET = 0x40000000;
  long CLONE_INTO_CGROUP = 0x200000000L;
  Flags CLONE =
      Flags.bits(
          0x200000000L,
          "CLONE_INTO_CGROUP",
          0x100000000L,
          "CLONE_CLEAR_SIGHAND",
          CLONE_PARENT,
          "CLONE_PARENT",
          CLONE_INTO_CGROUP,
          "CLONE_INTO_CGROUP",
          CLONE_NEWTIME,
          "CLONE_NEWTIME",
          CLONE_NEWNS,
          "CLONE_NEWNS",
          CLONE_NEWCGROUP,
          "CLONE_NEWCGROUP",
          CLONE_NEWUTS,
          "CLONE_NEWUTS",
          CLONE_NEWIPC,
          "CLONE_NEWIPC",
          CLONE_NEWUSER,
          "CLONE_NEWUSER",
          CLONE_NEWPID,
          "CLONE_NEWPID",
          CLONE_NEWNET,
          "CLONE_NEWNET");

  /// A call that answers only that it succeeded.
  sealed interface Action extends NamespaceCall<Nothing> {
    @Override
    default Nothing result(long value, Output output) {
      return Nothing.NOTHING;
    }
  }

  /// unshare(2).
  record Unshare(long flags) implements Action {
    @Override
    public Number number() {
      return Number.UNSHARE;
    }

    @Override
    public void arguments(Arguments to) {
      to.flags(CLONE, flags);
    }
  }

  /// setns(2), of a namespace or, with several flags, of a pidfd (Linux 5.8).
  record Setns(Descriptor namespace, long flags) implements Action {
    @Override
    public Number number() {
      return Number.SETNS;
    }

    @Override
    public void arguments(Arguments to) {
      to.descriptor(namespace).flags(CLONE, flags);
    }
  }

  /// sethostname(2).
  record Sethostname(String name) implements Action {
    @Override
    public Number number() {
      return Number.SETHOSTNAME;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(name).value(name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
    }
  }

  /// setdomainname(2).
  record Setdomainname(String name) implements Action {
    @Override
    public Number number() {
      return Number.SETDOMAINNAME;
    }

    @Override
    public void arguments(Arguments to) {
      to.string(name).value(name.getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
    }
  }
}
