package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.runtime.cli.Log;
import io.jrun.specs.json.Problem;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The process that called jrun: its directory, environment and files, and the parent of what is
/// started.
final class ClientProcess {
  private static final int CHUNK = 32768;
  private static final int F_GETFD = 1;

  final HelperKernel helper;
  final Log log;
  private final List<String> env;

  ClientProcess(HelperKernel helper, List<String> env, Log log) {
    this.helper = helper;
    this.log = log;
    this.env = List.copyOf(env);
  }

  List<String> env() {
    return env;
  }

  boolean isGone() {
    Batch batch = new Batch();
    batch.attempt(new ProcessCall.Getpid());
    try {
      helper.run(batch);
      return false;
    } catch (HelperGoneException e) {
      return true;
    }
  }

  Optional<String> variable(String name) {
    String prefix = name + "=";
    for (String one : env) {
      if (one.startsWith(prefix)) return Optional.of(one.substring(prefix.length()));
    }
    return Optional.empty();
  }

  /// A file's whole content, the path relative to the client's working directory; `-` is its stdin.
  byte[] read(String path) {
    if (path.equals("-")) return readAll(Descriptor.STDIN, new byte[0]);
    Batch batch = new Batch();
    Pending<Descriptor> file =
        batch.during(
            "reading " + path, () -> batch.add(FileCall.Openat.existing(path, FileCall.O_RDONLY)));
    Pending<byte[]> bytes =
        batch.during(
            "reading " + path, () -> batch.add(new FileCall.Read(file.descriptor(), CHUNK)));
    Results results = helper.run(batch);
    Descriptor open = results.of(file);
    byte[] all = readAll(open, results.of(bytes));
    helper.call(new FileCall.Close(open));
    return all;
  }

  private byte[] readAll(Descriptor file, byte[] first) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(first);
    byte[] next;
    do {
      next = helper.call(new FileCall.Read(file, CHUNK));
      all.writeBytes(next);
    } while (next.length > 0);
    return all.toByteArray();
  }

  /// How many descriptors systemd handed over (sd_listen_fds(3)): to the client, not to somebody
  /// from whom it has the variables. Who names no process means it, as with crun.
  int listenFds() {
    int count =
        variable("LISTEN_FDS")
            .filter(n -> n.matches("[0-9]{1,4}"))
            .map(Integer::parseInt)
            .orElse(0);
    return count > 0 && variable("LISTEN_PID").map(this::isOwnPid).orElse(true) ? count : 0;
  }

  private boolean isOwnPid(String pid) {
    return pid.equals(helper.call(new FileCall.Readlinkat(Descriptor.CWD, "/proc/self")));
  }

  /// Checks that descriptors 3 to 3 + count - 1 are the caller's; the helper's own are
  /// close-on-exec.
  void checkDescriptors(int count) {
    if (count == 0) return;
    if (count > Slots.MOST_PRESERVED)
      throw new ContainerException(
          "cannot preserve " + count + " descriptors: " + Slots.MOST_PRESERVED + " at most");
    Batch batch = new Batch();
    List<Pending<Integer>> flags = new java.util.ArrayList<>();
    for (int fd = 3; fd < 3 + count; fd++) {
      flags.add(batch.attempt(new DescriptorCall.Fcntl(new Descriptor.Known(fd), F_GETFD, 0)));
    }
    Results results = helper.run(batch);
    for (int i = 0; i < count; i++) {
      if (!results.succeeded(flags.get(i)) || results.of(flags.get(i)) != 0) {
        throw new ContainerException(
            "unable to preserve descriptor " + (3 + i) + ": it is not open");
      }
    }
  }

  /// Logs what is doubtful in a document, in one record.
  void warn(List<Problem> doubts) {
    if (doubts.isEmpty()) return;
    log.warning(doubts.stream().map(Problem::toString).collect(Collectors.joining("; ")));
  }

  String text(String path) {
    return new String(read(path), StandardCharsets.UTF_8);
  }

  /// Replaces a file's content as one: a reader sees the old one or the new one.
  void replace(String path, String text) {
    String temporary =
        path.substring(0, path.lastIndexOf('/') + 1)
            + "."
            + path.substring(path.lastIndexOf('/') + 1);
    Batch batch = new Batch();
    batch.during(
        "writing " + path,
        () -> {
          batch.addFile(temporary, FileCall.O_TRUNC, text);
          batch.add(new FileCall.Renameat2(Descriptor.CWD, temporary, Descriptor.CWD, path, 0));
        });
    make(temporary, batch);
  }

  /// Writes a file that must not be there yet.
  void create(String path, String text) {
    Batch batch = new Batch();
    batch.during("writing " + path, () -> batch.addFile(path, FileCall.O_EXCL, text));
    make(path, batch);
  }

  /// Runs a batch that makes a file, and removes what it left where it failed.
  private void make(String path, Batch batch) {
    try {
      helper.run(batch);
    } catch (KernelException e) {
      if (e.call() instanceof FileCall.Openat) throw e; // which made nothing
      Batch removal = new Batch();
      removal.attempt(new FileCall.Unlinkat(Descriptor.CWD, path, 0));
      helper.run(removal);
      throw e;
    }
  }

  String absolute(String path) {
    return path.startsWith("/") ? path : helper.call(new ProcessCall.Getcwd()) + "/" + path;
  }
}
