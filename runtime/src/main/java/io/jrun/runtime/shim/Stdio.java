package io.jrun.runtime.shim;

import static io.jrun.kernel.call.FileCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.PseudoCall;
import io.jrun.kernel.wire.Keeper;
import io.jrun.specs.task.StdioPaths;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The standard streams of a process. A FIFO is handed to the process itself, and nothing is
/// copied: the keeper holds the other end of each, so that neither a client that leaves nor
/// containerd's restart ends it. What is kept has numbers from the process's place on.
///
/// ```
///   client ─▶ stdin FIFO ─▶ process ─▶ stdout FIFO ─▶ containerd
///                ▲                          │
///         keeper: a write end,       keeper: a read end, so that nobody gets EPIPE and
///         until CloseIO              what is not read yet stays
/// ```
final class Stdio {
  static final int PLACES = 8;
  private static final int STDIN = 0;
  private static final int STDOUT = 1;
  private static final int STDERR = 2;
  private static final int TERMINAL = 3;

  /// Behind the place of each stream: its other end, until the process has that.
  private static final int STAND_IN = 4;

  private static final int MASTER = 200;
  private static final String FILE = "file://";
  private static final long READER_NANOS = 5_000_000_000L;
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int S_IFMT = 0170000;
  private static final int S_IFIFO = 0010000;

  private final Kernel kernel;
  private final Keeper keeper;
  private final StdioPaths paths;
  private final Owner owner;
  private final int place;
  private final Client client;

  /// At the other ends.
  interface Client {
    /// Whether nobody comes to read any more.
    boolean isGone();

    /// Whether it has asked for CloseIO.
    boolean hasClosedInput();
  }

  /// @param owner of the FIFOs from now on
  Stdio(Kernel kernel, Keeper keeper, StdioPaths paths, Owner owner, int place, Client client) {
    this.kernel = kernel;
    this.keeper = keeper;
    this.paths = paths;
    this.owner = owner;
    this.place = place;
    this.client = client;
  }

  /// Whose the streams become (`io_uid` and `io_gid` of runc's options, which has them own the
  /// pipes that its shim makes): so the root of a user namespace may open /dev/stdout again.
  ///
  /// @param uid, gid of the host; 0 leaves them as they are
  record Owner(int uid, int gid) {
    private void take(Batch batch, Descriptor fifo) {
      if (uid != 0 || gid != 0)
        batch.add(new Fchownat(fifo, "", uid == 0 ? -1 : uid, gid == 0 ? -1 : gid, AT_EMPTY_PATH));
    }
  }

  /// Whether what is said goes to a file, into which a relay copies it.
  static boolean isFile(StdioPaths paths) {
    return paths.stdout().startsWith(FILE);
  }

  private static boolean isUri(String path) {
    return path.contains("://");
  }

  /// Sends them to a worker, whose child the process will be. Where one cannot be opened, the
  /// worker says so with its next answer.
  ///
  /// @param logger the ends of the pipes to a logger or a relay; null where the streams go
  ///   elsewhere
  void giveTo(HelperKernel worker, @Nullable Logger logger) {
    Batch batch = new Batch();
    batch.add(new DescriptorCall.Dup3(Descriptor.STDIN, 1, 0)); // standard input is /dev/null
    batch.add(new DescriptorCall.Dup3(Descriptor.STDIN, 2, 0));
    if (!paths.terminal()) {
      addOutputs(batch, logger);
      addInput(batch);
    }
    Reply _ = worker.send(batch);
  }

  private void addOutputs(Batch batch, @Nullable Logger logger) {
    if (logger != null) {
      give(batch, batch.pass(logger.stdout()), 1);
      give(batch, batch.pass(logger.stderr()), 2);
    } else if (isFile(paths)) {
      addFile(batch, paths.stdout().substring(FILE.length()));
    } else if (isUri(paths.stdout())) {
      throw RpcException.unknown("unknown STDIO scheme of " + paths.stdout());
    } else {
      addOutput(batch, paths.stdout(), STDOUT, 1);
      if (!paths.terminal()) addOutput(batch, paths.stderr(), STDERR, 2);
    }
  }

  /// Has the keeper open an end that stands in until the process has the FIFO for itself, also
  /// under another engine: a client that has opened it may write or read at once, and without that
  /// would meet EPIPE or the end. False where it is to be written and nobody reads yet.
  private boolean standIn(String path, int flags, int stream) {
    int errno = keeper.open(place + STAND_IN + stream, path, flags);
    if (errno != 0 && errno != Errno.ENXIO.value()) throw failed(path, errno);
    return errno == 0;
  }

  private void hold(String path, int flags, int kept) {
    int errno = keeper.open(place + kept, path, flags);
    if (errno != 0) throw failed(path, errno);
  }

  private static RpcException failed(String path, int errno) {
    return RpcException.unknown("opening " + path + ": " + Errno.of(errno).text());
  }

  /// The process is there, and needs no stand-ins any more.
  void settle() {
    for (int stream : kept()) keeper.drop(place + STAND_IN + stream);
  }

  private static void give(Batch batch, Descriptor from, int number) {
    batch.add(new DescriptorCall.Dup3(from, number, 0));
    batch.add(new Close(from));
  }

  private void addInput(Batch batch) {
    if (paths.stdin().isEmpty()) return;
    holdInput(paths.stdin());
    // without waiting for a writer: CloseIO may have let go of the one that is held
    Descriptor input = open(batch, paths.stdin(), O_RDONLY | O_NONBLOCK);
    batch.add(new DescriptorCall.Fcntl(input, DescriptorCall.F_SETFL, O_RDONLY));
    if (isFifo(paths.stdin())) owner.take(batch, input);
    give(batch, input, 0);
  }

  private static Descriptor open(Batch batch, String path, int flags) {
    return batch.add(new Openat(Descriptor.CWD, path, flags | O_CLOEXEC, 0, false)).descriptor();
  }

  private void addOutput(Batch batch, String path, int kept, int number) {
    if (path.isEmpty()) return;
    if (isFifo(path)) {
      holdOutput(path, kept);
      Descriptor output = open(batch, path, O_WRONLY);
      if (!paths.terminal()) owner.take(batch, output);
      give(batch, output, number);
    } else {
      give(batch, open(batch, path, O_WRONLY | O_APPEND), number);
    }
  }

  private void addFile(Batch batch, String path) {
    try {
      Path parent = Path.of(path).getParent();
      if (parent != null) Files.createDirectories(parent);
    } catch (IOException e) {
      throw new UncheckedIOException("making the directory of " + path + ": " + IoReason.of(e), e);
    }
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
    Descriptor file = batch.add(new Openat(Descriptor.CWD, path, flags, 0644, false)).descriptor();
    batch.add(new DescriptorCall.Dup3(file, 1, 0));
    give(batch, file, 2);
  }

  private boolean isFifo(String path) {
    return (kernel.call(new Statx(Descriptor.CWD, path, 0)).mode() & S_IFMT) == S_IFIFO;
  }

  /// A write end that waits for CloseIO. It needs a reader to be opened without waiting, with which
  /// a client may write, end, and have asked for CloseIO before this is there to be closed.
  private void holdInput(String path) {
    standIn(path, O_RDONLY, STDIN);
    hold(path, O_WRONLY, STDIN);
    if (client.hasClosedInput()) closeInput();
  }

  private void holdOutput(String path, int kept) {
    awaitReader(path, kept);
    hold(path, O_RDONLY, kept);
  }

  /// A client may still be about to open the FIFO; if it came after the process has ended and all
  /// is let go, it would find nothing. Where nobody comes, the keeper's end has what is said.
  private void awaitReader(String path, int stream) {
    long end = System.nanoTime() + READER_NANOS;
    while (!standIn(path, O_WRONLY, stream) && !client.isGone() && System.nanoTime() < end)
      LockSupport.parkNanos(PAUSE_NANOS);
  }

  /// Has a process copy between a terminal and the FIFOs, and keeps the terminal's master.
  ///
  /// @param logger as [#giveTo] has it
  /// @param born is told its pid, before it can end
  void relay(OwnedDescriptor terminal, @Nullable Logger logger, IntConsumer born) {
    keeper.place(place + TERMINAL, terminal);
    startRelay(
        terminal,
        batch -> {
          if (!paths.stdin().isEmpty()) {
            holdInput(paths.stdin());
            give(batch, open(batch, paths.stdin(), O_RDONLY | O_NONBLOCK), 0);
          }
          addOutputs(batch, logger);
        },
        born);
  }

  /// @param others adds what gives it the streams beside the one that it copies from
  private void startRelay(OwnedDescriptor from, Consumer<Batch> others, IntConsumer born) {
    try (HelperKernel relay = keeper.forkLasting()) {
      Batch batch = new Batch();
      Pending<Integer> pid = batch.add(new ProcessCall.Getpid());
      give(batch, batch.pass(from), MASTER);
      others.accept(batch);
      born.accept(relay.run(batch).of(pid));
      relay.call(new PseudoCall.Relay(new Descriptor.Known(MASTER)));
    }
  }

  /// Has a process copy from a pipe to the file: who had the file itself could empty it, by opening
  /// its standard output again, and would own it.
  ///
  /// @param born as [#relay(OwnedDescriptor, Logger, IntConsumer)] has it
  Logger relayToFile(IntConsumer born) {
    List<Integer> pipe = kernel.call(new DescriptorCall.Pipe2());
    OwnedDescriptor write = new OwnedDescriptor(kernel, pipe.get(1));
    try (OwnedDescriptor read = new OwnedDescriptor(kernel, pipe.get(0))) {
      startRelay(read, batch -> addOutputs(batch, null), born);
      return new Logger(write, write);
    } catch (RuntimeException e) {
      write.close();
      throw e;
    }
  }

  /// The master of the terminal, as it is numbered in a worker that sees what is kept.
  Descriptor terminal() {
    return new Descriptor.Known(place + TERMINAL);
  }

  /// Standard input may end.
  void closeInput() {
    keeper.drop(place + STDIN);
  }

  /// The streams of which the keeper may have ends.
  private List<Integer> kept() {
    List<Integer> streams = new ArrayList<>();
    if (!paths.stdin().isEmpty()) streams.add(STDIN);
    if (!paths.stdout().isEmpty() && !isUri(paths.stdout())) streams.add(STDOUT);
    if (!paths.stderr().isEmpty()) streams.add(STDERR);
    return streams;
  }

  /// Whether something was said that nobody has read yet.
  boolean hasUnread() {
    return isUnread(paths.stdout()) || isUnread(paths.stderr());
  }

  private boolean isUnread(String path) {
    if (path.isEmpty() || isUri(path)) return false;
    try {
      if (!isFifo(path)) return false;
      int flags = O_RDONLY | O_NONBLOCK;
      try (OwnedDescriptor fifo = OwnedDescriptor.open(kernel, Openat.existing(path, flags))) {
        byte[] bytes =
            kernel.call(
                new IoctlCall.IoctlRead(fifo.descriptor(), IoctlCall.FIONREAD, Integer.BYTES));
        return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getInt() > 0;
      }
    } catch (KernelException e) {
      return false; // its client has taken it away
    }
  }

  /// Lets everything go that is kept.
  void release() {
    settle();
    for (int stream : kept()) keeper.drop(place + stream);
    if (paths.terminal()) keeper.drop(place + TERMINAL);
  }
}
