package io.jrun.runtime.rehearsal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.MountCall;
import io.jrun.kernel.call.Output;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.call.Syscall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A helper in a rehearsal. A batch of the client that only looks is really performed; all else is
/// noted. What a container's process would see is looked up in its root file system.
final class RehearsedHelper implements HelperKernel {
  private static final int F_GETFD = 1;

  private final String name;
  private final @Nullable HelperKernel looking;
  private final Kernel kernel;
  private final Rehearsal rehearsal;
  private String directory = "/";
  private @Nullable KernelException failed;

  /// @param looking a real helper for batches that only look, or null for a process that is not
  RehearsedHelper(String name, @Nullable HelperKernel looking, Kernel kernel, Rehearsal rehearsal) {
    this.name = name;
    this.looking = looking;
    this.kernel = kernel;
    this.rehearsal = rehearsal;
  }

  private static boolean looks(Syscall<?> call) {
    return switch (call) {
      case FileCall.Openat open ->
          (open.flags() & (FileCall.O_WRONLY | FileCall.O_RDWR | FileCall.O_CREAT)) == 0;
      case FileCall.Read c -> true;
      case FileCall.Pread c -> true;
      case FileCall.Statx c -> true;
      case FileCall.Readlinkat c -> true;
      case FileCall.Close c -> true;
      case DescriptorCall.Fcntl c -> c.command() == F_GETFD;
      case IoctlCall.IoctlRead c -> true;
      case ProcessCall.Getcwd c -> true;
      case ProcessCall.Getpid c -> true;
      case ProcessCall.Chdir c -> true; // the caller's own process, which then ends
      case PseudoCall.OnEof c -> true; // left out, see below
      default -> false;
    };
  }

  @Override
  public Reply send(Batch batch) {
    KernelException earlier = failed;
    if (earlier != null) return failure(earlier);
    try {
      Results results = perform(batch);
      return () -> results;
    } catch (KernelException e) {
      failed = e;
      return failure(e);
    }
  }

  /// As with a real helper, nothing follows what failed until somebody has asked.
  private Reply failure(KernelException e) {
    return () -> {
      failed = null;
      throw e;
    };
  }

  /// There will be nothing to undo.
  private static Batch withoutOrders(Batch batch) {
    Batch changed = batch;
    for (int i = 0; i < batch.size(); i++) {
      if (batch.entries().get(i).call() instanceof PseudoCall.OnEof)
        changed = changed.with(i, new Batch.Entry(new ProcessCall.Getpid(), List.of(), false));
    }
    return changed;
  }

  private Results perform(Batch batch) {
    List<Batch.Entry> entries = batch.entries();
    if (looking != null && entries.stream().allMatch(entry -> looks(entry.call()))) {
      for (int i = 0; i < entries.size(); i++) rehearsal.note(name, i, entries.get(i).call());
      return looking.run(withoutOrders(batch));
    }
    List<Long> values = new ArrayList<>();
    List<Output> outputs = new ArrayList<>();
    List<OwnedDescriptor> descriptors = new ArrayList<>();
    for (int i = 0; i < entries.size(); i++) {
      Batch.Entry entry = entries.get(i);
      boolean made = isMade(entry, values);
      if (made) rehearsal.note(name, i, entry.call());
      Pretended answer = made ? answer(entries, entry) : Pretended.number(Results.SKIPPED);
      if (made && answer.value() < 0 && !entry.anyFailure()) {
        Errno errno = Errno.of((int) -answer.value());
        if (!entry.expected().contains(errno)) throw entry.failure(errno);
      }
      values.add(answer.value());
      outputs.add(answer.output());
      if (entry.call().returnsDescriptor() && answer.value() >= 0)
        descriptors.add(new OwnedDescriptor(kernel, (int) answer.value()));
    }
    return new Results(values, outputs, descriptors);
  }

  /// As the helper decides it: not where it needs what failed.
  private static boolean isMade(Batch.Entry entry, List<Long> values) {
    Batch.Guard guard = entry.guard();
    if (guard != null) {
      long earlier = values.get(guard.index());
      Errno errno = guard.errno();
      if (errno == null ? earlier < 0 : earlier != -errno.value()) return false;
    }
    return Uses.of(entry.call()).stream().allMatch(index -> values.get(index) >= 0);
  }

  private Pretended answer(List<Batch.Entry> batch, Batch.Entry entry) {
    Syscall<?> call = entry.call();
    return switch (call) {
      case FileCall.Openat2 open when entry.expected().contains(Errno.ENOENT) -> probe(open);
      case FileCall.Statx c when opened(batch, c.directory()).equals("dev/null") ->
          stat(new FileCall.Statx(Descriptor.CWD, "/dev/null", 0));
      case ProcessCall.Clone3 c -> Pretended.number(rehearsal.nextPid());
      case ProcessCall.Clone c -> Pretended.number(rehearsal.nextPid());
      case ProcessCall.Getcwd c -> Pretended.bytes((directory + "\0").getBytes(UTF_8));
      case ProcessCall.Chdir c -> {
        directory = c.path();
        yield Pretended.number(0);
      }
      case MountCall.OpenTree c -> {
        if (c.directory() == Descriptor.CWD && !c.returned()) {
          if (isMissingRoot(c.path())) yield Pretended.errno(Errno.ENOENT.value());
          rehearsal.seeTree(c.path());
        }
        yield Pretended.of(call, rehearsal);
      }
      case FileCall.Statx c when c.directory() == Descriptor.CWD -> stat(c);
      case FileCall.Faccessat2 c -> access(c.path());
      case FileCall.Faccessat c -> access(c.path());
      case FileCall.Read c when opened(batch, c.descriptor()).equals("/etc/passwd") ->
          content("/etc/passwd", c.size());
      case FileCall.Readlinkat c when c.path().isEmpty() -> target(opened(batch, c.directory()));
      default -> Pretended.of(call, rehearsal);
    };
  }

  /// Where a link of the root file system leads.
  private Pretended target(String path) {
    try {
      Path link = Path.of(rehearsal.rootfs(), path);
      return Pretended.bytes(Files.readSymbolicLink(link).toString().getBytes(UTF_8));
    } catch (IOException e) {
      return Pretended.errno(Errno.ENOENT.value());
    }
  }

  /// The first tree is the root file system, in which all others are looked for.
  private boolean isMissingRoot(String path) {
    return rehearsal.rootfs().isEmpty()
        && !rehearsal.isInMade(path)
        && !Files.exists(Path.of(path));
  }

  /// The path that a descriptor of the batch was opened by; empty for others.
  private static String opened(List<Batch.Entry> batch, Descriptor file) {
    return file instanceof Descriptor.ResultOf(int index)
            && batch.get(index).call() instanceof FileCall.Openat2 open
        ? open.path()
        : "";
  }

  /// A path of which the plan does not know whether it is there.
  private Pretended probe(FileCall.Openat2 open) {
    Path path = seen("/" + open.path());
    if (!Files.exists(path)) return Pretended.errno(Errno.ENOENT.value());
    return (open.flags() & FileCall.O_DIRECTORY) != 0 && !Files.isDirectory(path)
        ? Pretended.errno(Errno.ENOTDIR.value())
        : Pretended.of(open, rehearsal);
  }

  /// Where the host has what the process would see: its own files in the root file system, the
  /// kernel's where the host sees them.
  private Path seen(String path) {
    if (looking != null || rehearsal.rootfs().isEmpty()) return Path.of(path);
    Path absolute = Path.of("/", directory).resolve(path).normalize();
    Path own = Path.of(rehearsal.rootfs() + absolute);
    boolean kernels =
        absolute.startsWith("/proc") || absolute.startsWith("/sys") || absolute.startsWith("/dev");
    return kernels && !Files.exists(own) ? absolute : own;
  }

  private Pretended stat(FileCall.Statx call) {
    if (looking != null) {
      // relative to the bundle, which the client has entered
      Results results = looking.run(attempt(call));
      return new Pretended(results.values().getFirst(), results.outputs().getFirst());
    }
    Batch batch = attempt(new FileCall.Statx(Descriptor.CWD, seen(call.path()).toString(), 0));
    FileCall.Statx host = (FileCall.Statx) batch.entries().getFirst().call();
    try {
      io.jrun.kernel.call.Stat stat = kernel.call(host);
      return StatBytes.of(stat);
    } catch (KernelException e) {
      return Pretended.errno(e.errno().value());
    }
  }

  private static Batch attempt(Syscall<?> call) {
    Batch batch = new Batch();
    batch.attempt(call);
    return batch;
  }

  private Pretended access(String path) {
    Path file = seen(path);
    if (!Files.exists(file)) return Pretended.errno(Errno.ENOENT.value());
    if (path.endsWith("/") && !Files.isDirectory(file))
      return Pretended.errno(Errno.ENOTDIR.value());
    return Files.isExecutable(file) ? Pretended.number(0) : Pretended.errno(Errno.EACCES.value());
  }

  private Pretended content(String path, int size) {
    try {
      byte[] all = Files.readAllBytes(seen(path));
      return Pretended.bytes(java.util.Arrays.copyOf(all, Math.min(all.length, size - 1)));
    } catch (IOException e) {
      return Pretended.errno(Errno.ENOENT.value());
    }
  }

  @Override
  public Reply sendToEnd(Batch batch) {
    List<Batch.Entry> entries = batch.entries();
    for (int i = 0; i < entries.size(); i++) rehearsal.note(name, i, entries.get(i).call());
    return () -> new Results(List.of(), List.of(), List.of());
  }

  @Override
  public HelperKernel over(OwnedDescriptor socket) {
    return new RehearsedHelper(rehearsal.nextProcess(), null, kernel, rehearsal);
  }

  @Override
  public void close() {}
}
