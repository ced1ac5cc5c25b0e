package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.Number;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.runtime.cli.ProgramException;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.runtime.Process;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The container's program: found in the container as its own user, started with nothing of the
/// host.
final class Program {
  /// By a call that every filter knows, as one may be loaded by then.
  private static final FileCall.Openat PASSWD =
      FileCall.Openat.existing("/etc/passwd", FileCall.O_RDONLY | FileCall.O_NONBLOCK);

  /// Most are smaller, and an answer has room for as much as is asked for.
  private static final int PASSWD_SIZE = 4096;

  private static final int PASSWD_CHUNK = 16384;

  /// The file is the container's own: it shall not fill the engine's memory.
  private static final int PASSWD_LIMIT = 8 << 20;

  private static final String DEFAULT_PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  private Program() {}

  /// The user's home directory, asked where the environment does not say it (as runc does).
  static Pending<byte[]> askPasswd(Batch batch) {
    Descriptor file = batch.attempt(PASSWD).descriptor();
    Pending<byte[]> bytes = batch.attempt(new FileCall.Read(file, PASSWD_SIZE));
    batch.attempt(new FileCall.Close(file));
    return bytes;
  }

  /// The answer to [#askPasswd]; a file that is longer than one answer is read on.
  static byte @Nullable [] passwd(HelperKernel process, Results results, Pending<byte[]> asked) {
    if (!results.succeeded(asked)) return null;
    byte[] first = results.of(asked);
    if (first.length < PASSWD_SIZE) return first;
    try {
      return all(process);
    } catch (KernelException e) {
      return first; // the process may be another user by now
    }
  }

  private static byte[] all(HelperKernel process) {
    Descriptor file = process.call(PASSWD);
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] next;
    do {
      next = process.call(new FileCall.Pread(file, PASSWD_CHUNK, all.size()));
      all.writeBytes(next);
    } while (next.length > 0 && all.size() < PASSWD_LIMIT);
    process.call(new FileCall.Close(file));
    return all.toByteArray();
  }

  /// Of a variable that is given more than once the last value counts, and is there once.
  static List<String> environment(Process process, byte @Nullable [] passwd, int listenFds) {
    List<String> given = new ArrayList<>(process.env());
    if (listenFds > 0) given.addAll(List.of("LISTEN_FDS=" + listenFds, "LISTEN_PID=1"));
    Map<String, String> byName = new LinkedHashMap<>();
    for (String variable : given) {
      String name = variable.split("=", 2)[0];
      byName.remove(name);
      byName.put(name, variable);
    }
    if (byName.getOrDefault("HOME", "HOME=").equals("HOME=")) {
      String users = passwd == null ? "" : new String(passwd, StandardCharsets.UTF_8);
      byName.put("HOME", "HOME=" + home(process.user().uid(), users));
    }
    return List.copyOf(byName.values());
  }

  private static String home(long uid, String passwd) {
    for (String line : passwd.split("\n")) {
      String[] fields = line.split(":");
      if (fields.length > 5 && fields[2].equals(Long.toString(uid)) && !fields[5].isEmpty())
        return fields[5];
    }
    return "/";
  }

  /// The calls that look where the process is and for the program, and what comes of them.
  record Search(String name, Pending<String> entered, List<ProgramFile> candidates) {

    /// Where the program is. The directory is checked to be inside the root (CVE-2024-21626); both
    /// checks come before anything of the container runs.
    String program(Results results) {
      if (!results.succeeded(entered) || !results.of(entered).startsWith("/")) {
        throw new ContainerException(
            "current working directory is outside of container mount namespace root");
      }
      boolean denied = false;
      boolean isDirectory = false;
      for (ProgramFile file : candidates) {
        if (!results.succeeded(file.found())) {
          denied |= results.errno(file.found()) == Errno.EACCES.value();
        } else if (file.isDirectory().test(results)) {
          isDirectory = name.contains("/");
        } else if (results.succeeded(file.executable())) {
          return file.path();
        } else {
          denied = true;
        }
      }
      String reason =
          // as execve(2) says it, by which callers know the status 126, behind what runc 1.5 says
          isDirectory
              ? "is a directory: permission denied"
              : denied
                  ? "permission denied"
                  : name.contains("/")
                      ? Errno.of(results.errno(candidates.getFirst().found())).text()
                      : "executable file not found in $PATH";
      String shown = name.contains("/") && !denied && !isDirectory ? "stat " + name + ": " : "";
      throw new ContainerException("exec: \"" + name + "\": " + shown + reason);
    }
  }

  /// Enters the working directory while the process has the rights of who made the container.
  static Pending<Nothing> enter(Batch batch, Process process) {
    return batch.during(
        "working directory", () -> batch.add(new ProcessCall.Chdir(process.cwd()), Errno.EACCES));
  }

  /// Finds the program.
  ///
  /// @param entered the working directory; what refused it to root may admit the program's user
  static Search search(
      Batch batch, Process process, Pending<Nothing> entered, byte @Nullable [] seccomp) {
    batch.during(
        "working directory",
        () -> batch.addIfFailed(entered, Errno.EACCES, new ProcessCall.Chdir(process.cwd())));
    return search(batch, process, seccomp);
  }

  /// Finds the program from the working directory, on the PATH of the container's own environment.
  ///
  /// @param seccomp the filter of the program, or null
  static Search search(Batch batch, Process process, byte @Nullable [] seccomp) {
    String name = process.args().getFirst();
    Pending<String> entered = batch.add(new ProcessCall.Getcwd(), Errno.ENOENT);
    boolean isFiltered = UnderFilter.isLacking(process, seccomp, Number.STATX, Number.FACCESSAT2);
    List<ProgramFile> candidates = new ArrayList<>();
    for (String path : candidates(name, process.env()))
      candidates.add(ProgramFile.ask(batch, path, isFiltered));
    return new Search(name, entered, candidates);
  }

  private static List<String> candidates(String name, List<String> env) {
    if (name.contains("/")) return List.of(name);
    String path =
        env.stream()
            .filter(v -> v.startsWith("PATH="))
            .map(v -> v.substring(5))
            .reduce((a, b) -> b)
            .orElse(DEFAULT_PATH);
    List<String> candidates = new ArrayList<>();
    for (String directory : path.split(":"))
      candidates.add((directory.isEmpty() ? "." : directory) + "/" + name);
    return candidates;
  }

  /// The last batch of a process of the container.
  ///
  /// @param preservedFds descriptors from 3 on that stay open
  static Batch last(
      String path,
      Process process,
      List<String> env,
      byte @Nullable [] seccomp,
      int seccompFlags,
      int preservedFds) {
    Batch batch = new Batch();
    batch.add(new CredentialCall.Prctl(CredentialCall.PR_SET_PDEATHSIG, 0, 0, 0, 0));
    boolean filtered =
        seccomp == null ? Notify.hasListener(seccompFlags) : !process.noNewPrivileges();
    // once more, where no filter can refuse it
    if (!filtered)
      batch.add(
          new DescriptorCall.CloseRange(3 + preservedFds, -1, DescriptorCall.CLOSE_RANGE_CLOEXEC));
    if (seccomp != null && process.noNewPrivileges()) {
      batch.add(new SecurityCall.Seccomp(seccompFlags, seccomp, false));
    }
    batch.add(new ProcessCall.Execve(path, process.args(), env));
    return batch;
  }

  static void start(Child child, Batch last, String path) {
    try {
      child.become(last);
    } catch (KernelException e) {
      throw failed(e, path);
    }
  }

  /// Waits until the program has started.
  static void awaitStart(Reply reply, String path) {
    try {
      reply.await();
    } catch (KernelException e) {
      throw failed(e, path);
    }
  }

  private static RuntimeException failed(KernelException e, String path) {
    if (!(e.call() instanceof ProcessCall.Execve)) return e;
    // where it says that there is no such file, an interpreter or a dynamic loader is missing
    return new ProgramException("exec " + path + ": " + e.errno().text());
  }
}
