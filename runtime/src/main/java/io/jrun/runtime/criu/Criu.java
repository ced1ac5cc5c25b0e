package io.jrun.runtime.criu;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.Received;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.call.SocketCall;
import io.jrun.kernel.process.ForkedHelper;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The `criu` of the caller's PATH, or another, run as `criu swrk` for one request at a time.
///
/// ```
/// engine ── criu_req ──▶ criu swrk, a child of the client's process
///        ◀── criu_resp: NOTIFY ──   any number of times
///        ─── NOTIFY, success ──▶
///        ◀── criu_resp ──          the answer, after which criu ends
/// ```
///
/// CRIU looks for the descriptors of a request in the process that made its socket, by
/// /proc/PID/fd, and mounts below them, so they must be of its own mount namespace: the process
/// that becomes CRIU makes the socket and opens the directories itself.
///
/// CRIU forks processes that hold the socket too. Where it is killed these are killed with it: they
/// are of its process group, unless it is to restore a shell's job, which belongs to the caller's.
public final class Criu {
  /// In criu, its end of the socket.
  private static final int SOCKET = 205;

  /// In criu, the directories of the request.
  static final int DIRECTORIES = 206;

  /// In criu, what it inherits.
  private static final int INHERITED = 208;

  private static final int O_CLOEXEC = FileCall.O_CLOEXEC;
  private static final int F_SETFD = 2;
  private static final int LARGEST_ANSWER = 65536;
  private static final int POLLIN = 1;

  /// In a wait status, the signal that ended the process.
  private static final int SIGNAL = 0x7f;

  /// How often it is looked whether CRIU is still there, in milliseconds.
  private static final long LOOK = 500;

  private static final String DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

  private final Kernel kernel;
  private final HelperKernel client;
  private final List<String> env;
  private @Nullable String program;

  /// @param env of the client's process
  /// @param program the path of CRIU; empty for the one of the PATH there
  public Criu(Kernel kernel, HelperKernel client, List<String> env, String program) {
    this.program = program.isEmpty() ? null : program;
    this.kernel = kernel;
    this.client = client;
    this.env = List.copyOf(env);
  }

  /// What CRIU can do here.
  public record Features(boolean tracksMemory, boolean lazyPages) {}

  /// As major × 10000 + minor × 100 + sublevel.
  public int version() {
    return ask(CriuRequest.plain(CriuRequest.Type.VERSION)).version();
  }

  public Features features() {
    CriuResponse answer = ask(CriuRequest.plain(CriuRequest.Type.FEATURE_CHECK));
    return new Features(answer.tracksMemory(), answer.lazyPages());
  }

  private CriuResponse ask(CriuRequest request) {
    return perform(request, 0, List.of(), child -> {}, notification -> {});
  }

  /// Dumps, and returns when it is done.
  ///
  /// @param prepare what is done with CRIU's process before it is CRIU
  public void dump(
      CriuRequest request, Consumer<ForkedHelper> prepare, Consumer<CriuNotification> notified) {
    perform(request, 0, List.of(), prepare, notified);
  }

  /// Restores, and returns the pid of the restored init, which is a child of the client.
  ///
  /// @param flags of clone3(2), for the namespaces that CRIU itself is to have
  /// @param inherited descriptors that CRIU is to have, with the numbers of [#inheritedNumber]
  /// @param prepare what is done with CRIU's process before it is CRIU
  public int restore(
      CriuRequest request,
      long flags,
      List<OwnedDescriptor> inherited,
      Consumer<ForkedHelper> prepare,
      Consumer<CriuNotification> notified) {
    return perform(request, flags, inherited, prepare, notified).restoredPid();
  }

  /// The number that the n-th inherited descriptor has in CRIU's process.
  public static int inheritedNumber(int index) {
    return INHERITED + index;
  }

  private CriuResponse perform(
      CriuRequest request,
      long flags,
      List<OwnedDescriptor> inherited,
      Consumer<ForkedHelper> prepare,
      Consumer<CriuNotification> notified) {
    String path = program();
    try (ForkedHelper child = ForkedHelper.fork(kernel, client, flags);
        OwnedDescriptor pidfd =
            OwnedDescriptor.open(kernel, new SignalCall.PidfdOpen(child.pid()))) {
      CriuResponse answer;
      try {
        prepare.accept(child);
        try (OwnedDescriptor socket = socket(child.helper())) {
          become(child, path, request, inherited);
          answer = converse(socket, pidfd, request, notified);
        }
      } catch (RuntimeException e) {
        // CRIU sees the closed socket, undoes what it did, and ends
        child.close();
        kernel.call(new DescriptorCall.Poll(pidfd.descriptor(), POLLIN, -1));
        if (!request.isShellJob()) killGroup(child.pid());
        checkSignal(reap(child.pid()));
        throw e;
      }
      int status = reap(child.pid());
      checkSignal(status);
      // after a pre-dump CRIU waits for a dump that does not come
      if (status != 0 && request.type() != CriuRequest.Type.PRE_DUMP)
        throw new CriuException("criu failed: wait status " + status);
      return answer;
    }
  }

  /// Kills what CRIU has left, which has ended and is not reaped yet: the number is still its.
  private void killGroup(int pid) {
    try {
      kernel.call(new SignalCall.Kill(-pid, SignalCall.SIGKILL));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ESRCH) && !e.errno().equals(Errno.EPERM)) throw e;
    }
  }

  private int reap(int pid) {
    return client.call(new ProcessCall.Wait4(pid, 0));
  }

  private static void checkSignal(int waitStatus) {
    if ((waitStatus & SIGNAL) != 0) throw CriuException.killed(waitStatus & SIGNAL);
  }

  /// A socket pair that the child makes: its end at [#SOCKET], and the other, which it sends here.
  private OwnedDescriptor socket(HelperKernel child) {
    List<Integer> carrier = kernel.call(new SocketCall.Socketpair(SocketCall.SOCK_SEQPACKET));
    OwnedDescriptor socket = null;
    try (OwnedDescriptor ours = new OwnedDescriptor(kernel, carrier.get(0));
        OwnedDescriptor theirs = new OwnedDescriptor(kernel, carrier.get(1))) {
      List<Integer> pair = child.call(new SocketCall.Socketpair(SocketCall.SOCK_SEQPACKET));
      Batch batch = new Batch();
      Descriptor by = batch.pass(theirs);
      byte[] something = {0};
      batch.add(new SocketCall.Sendmsg(by, something, pair.subList(0, 1), SocketCall.MSG_NOSIGNAL));
      batch.add(new FileCall.Close(by));
      batch.add(new FileCall.Close(new Descriptor.Known(pair.get(0))));
      batch.add(new DescriptorCall.Dup3(new Descriptor.Known(pair.get(1)), SOCKET, O_CLOEXEC));
      batch.add(new FileCall.Close(new Descriptor.Known(pair.get(1))));
      child.run(batch);
      int flags = SocketCall.MSG_CMSG_CLOEXEC;
      Received received = kernel.call(new SocketCall.Recvmsg(ours.descriptor(), 1, flags));
      socket = new OwnedDescriptor(kernel, received.descriptors().getFirst());
    } catch (RuntimeException e) {
      if (socket != null) socket.close();
      throw e;
    }
    return socket;
  }

  private void become(
      ForkedHelper child, String path, CriuRequest request, List<OwnedDescriptor> inherited) {
    List<String> directories = request.directories();
    Batch batch = new Batch();
    if (!request.isShellJob()) batch.add(new CredentialCall.Setpgid());
    batch.add(new PseudoCall.ResetSignals());
    List<Descriptor> more = new ArrayList<>();
    inherited.forEach(each -> more.add(batch.pass(each)));
    batch.add(new DescriptorCall.CloseRange(3, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
    batch.add(new DescriptorCall.Fcntl(new Descriptor.Known(SOCKET), F_SETFD, 0));
    int flags = FileCall.O_RDONLY | FileCall.O_DIRECTORY | O_CLOEXEC;
    for (int i = 0; i < directories.size(); i++) {
      Descriptor directory =
          batch
              .add(new FileCall.Openat(Descriptor.CWD, directories.get(i), flags, 0, false))
              .descriptor();
      batch.add(new DescriptorCall.Dup3(directory, DIRECTORIES + i, 0));
    }
    for (int i = 0; i < more.size(); i++)
      batch.add(new DescriptorCall.Dup3(more.get(i), inheritedNumber(i), 0));
    List<String> argv = List.of("criu", "swrk", Integer.toString(SOCKET));
    batch.add(new ProcessCall.Execve(path, argv, env));
    child.helper().runToEnd(batch);
  }

  private CriuResponse converse(
      OwnedDescriptor socket,
      OwnedDescriptor pidfd,
      CriuRequest request,
      Consumer<CriuNotification> notified) {
    send(socket, request.bytes());
    RuntimeException failure = null;
    while (true) {
      Received received = receive(socket, pidfd);
      List<OwnedDescriptor> descriptors =
          received.descriptors().stream().map(fd -> new OwnedDescriptor(kernel, fd)).toList();
      if (received.bytes().length == 0) {
        throw failure != null ? failure : withoutAnswer();
      }
      CriuResponse response = CriuResponse.read(received.bytes());
      if (response.isNotification() && response.success()) {
        RuntimeException now = notify(response, descriptors, notified);
        if (failure == null) failure = now;
        send(socket, CriuRequest.notified(now == null));
        continue;
      }
      if (failure != null) throw failure;
      if (response.success()) return response;
      throw new CriuException(
          "criu failed: type " + response.type() + " errno " + response.errno());
    }
  }

  /// The next message; an empty one where CRIU has ended, even if others still hold its socket.
  private Received receive(OwnedDescriptor socket, OwnedDescriptor pidfd) {
    boolean ended = false;
    while (kernel.call(new DescriptorCall.Poll(socket.descriptor(), POLLIN, ended ? 0 : LOOK))
        == 0) {
      if (ended) return new Received(new byte[0], List.of());
      ended = kernel.call(new DescriptorCall.Poll(pidfd.descriptor(), POLLIN, 0)) != 0;
    }
    try {
      return kernel.call(
          new SocketCall.Recvmsg(socket.descriptor(), LARGEST_ANSWER, SocketCall.MSG_CMSG_CLOEXEC));
    } catch (KernelException e) {
      // it ended with something unread
      if (e.errno().equals(Errno.ECONNRESET)) return new Received(new byte[0], List.of());
      throw e;
    }
  }

  /// The failure of whoever was notified; null for none.
  private static @Nullable RuntimeException notify(
      CriuResponse response,
      List<OwnedDescriptor> descriptors,
      Consumer<CriuNotification> notified) {
    try {
      notified.accept(new CriuNotification(response.script(), response.notifiedPid(), descriptors));
      return null;
    } catch (RuntimeException e) {
      return e;
    }
  }

  private void send(OwnedDescriptor socket, byte[] bytes) {
    try {
      kernel.call(
          new SocketCall.Sendmsg(socket.descriptor(), bytes, List.of(), SocketCall.MSG_NOSIGNAL));
    } catch (KernelException e) {
      throw e.errno().equals(Errno.EPIPE) ? withoutAnswer() : e;
    }
  }

  private static CriuException withoutAnswer() {
    return new CriuException("criu ended without an answer");
  }

  /// Where it is; where nobody says, by the client's PATH.
  private String program() {
    String known = program;
    if (known != null) return known;
    String path =
        env.stream()
            .filter(v -> v.startsWith("PATH="))
            .map(v -> v.substring(5))
            .findFirst()
            .orElse(DEFAULT_PATH);
    List<String> candidates = new ArrayList<>();
    for (String directory : path.split(":"))
      if (directory.startsWith("/")) candidates.add(directory + "/criu");
    Batch batch = new Batch();
    List<Pending<?>> executable = new ArrayList<>();
    for (String candidate : candidates)
      executable.add(
          batch.add(
              new FileCall.Faccessat2(
                  Descriptor.CWD, candidate, FileCall.X_OK, FileCall.AT_EACCESS),
              Errno.ENOENT,
              Errno.ENOTDIR,
              Errno.EACCES));
    Results results = client.run(batch);
    for (int i = 0; i < candidates.size(); i++) {
      if (results.succeeded(executable.get(i))) {
        program = candidates.get(i);
        return candidates.get(i);
      }
    }
    throw new CriuException(
        "CRIU version check failed: exec: \"criu\": executable file not found in $PATH");
  }
}
