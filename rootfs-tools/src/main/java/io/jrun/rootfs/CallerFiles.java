package io.jrun.rootfs;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.DescriptorCall;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.Stat;
import io.jrun.kernel.call.TreeCall;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// The process that called jrun: paths are relative to its directory and opened with its rights.
///
/// @param kernel the engine's own, to which descriptors are handed
/// @param helper the caller
/// @param env the caller's environment
public record CallerFiles(Kernel kernel, HelperKernel helper, List<String> env) {
  private static final int TIOCGWINSZ = 0x5413;
  private static final int WINSIZE = 8;
  private static final int DEFAULT_COLUMNS = 80;

  public Optional<String> variable(String name) {
    return env.stream()
        .filter(variable -> variable.startsWith(name + "="))
        .map(variable -> variable.substring(name.length() + 1))
        .findFirst();
  }

  /// A file below a directory of the caller, symbolic links followed as if the directory were `/`;
  /// empty where it is missing or no regular file.
  public Optional<byte[]> readInside(String directory, String path, int most) {
    Batch batch = new Batch();
    Pending<byte[]> read = readInside(batch, directory, path, most);
    Results results = helper.run(batch);
    return results.succeeded(read) ? Optional.of(results.of(read)) : Optional.empty();
  }

  /// The same as a part of a batch; the call fails where there is no such file.
  public Pending<byte[]> readInside(Batch batch, String directory, String path, int most) {
    Descriptor root =
        batch
            .add(FileCall.Openat.existing(directory, FileCall.O_PATH | FileCall.O_DIRECTORY))
            .descriptor();
    Pending<Descriptor> file =
        batch.attempt(
            new FileCall.Openat2(
                root,
                path,
                FileCall.O_RDONLY | FileCall.O_NONBLOCK | FileCall.O_NOCTTY | FileCall.O_CLOEXEC,
                0,
                FileCall.RESOLVE_IN_ROOT | FileCall.RESOLVE_NO_MAGICLINKS,
                false));
    Pending<byte[]> read = batch.attempt(new FileCall.Read(file.descriptor(), most));
    batch.attempt(new FileCall.Close(file.descriptor()));
    batch.add(new FileCall.Close(root));
    return read;
  }

  /// A descriptor of the caller's file in the engine; `-` is its standard input.
  public OwnedDescriptor open(String path) {
    Batch batch = new Batch();
    Pending<Descriptor> opened =
        path.equals("-")
            ? batch.add(new TreeCall.Duplicate(Descriptor.STDIN))
            : batch.during(
                "opening " + path,
                () ->
                    batch.add(
                        new FileCall.Openat(
                            Descriptor.CWD,
                            path,
                            FileCall.O_RDONLY | FileCall.O_CLOEXEC,
                            0,
                            true)));
    return helper.take(batch, opened);
  }

  /// A descriptor of the engine that hangs up (POLLHUP) when the caller ends.
  public OwnedDescriptor lifeline() {
    List<Integer> ends = helper.call(new DescriptorCall.Pipe2());
    Descriptor read = new Descriptor.Known(ends.getFirst());
    Batch batch = new Batch();
    Pending<Descriptor> copy = batch.add(new TreeCall.Duplicate(read));
    batch.add(new FileCall.Close(read));
    return helper.take(batch, copy);
  }

  /// The caller's standard output in the engine.
  public OwnedDescriptor standardOutput() {
    Batch batch = new Batch();
    Pending<Descriptor> copy = batch.add(new TreeCall.Duplicate(Descriptor.STDOUT));
    return helper.take(batch, copy);
  }

  /// How many columns the terminal has that is the caller's standard error; 0 where it is none
  /// (ioctl_tty(2), struct winsize).
  public int columns() {
    Batch batch = new Batch();
    Pending<byte[]> size =
        batch.attempt(new IoctlCall.IoctlRead(Descriptor.STDERR, TIOCGWINSZ, WINSIZE));
    Results results = helper.run(batch);
    if (!results.succeeded(size)) return 0;
    int columns = ByteBuffer.wrap(results.of(size)).order(ByteOrder.nativeOrder()).getShort(2);
    return columns > 0 ? columns : DEFAULT_COLUMNS;
  }

  public Stat stat(OwnedDescriptor file) {
    return kernel.call(new FileCall.Statx(file.descriptor(), "", FileCall.AT_EMPTY_PATH));
  }

  public String absolute(String path) {
    return path.startsWith("/") ? path : helper.call(new ProcessCall.Getcwd()) + "/" + path;
  }

  /// Whether the caller may make any file someone else's.
  public boolean isPrivileged() {
    // CAP_CHOWN 0, CAP_DAC_OVERRIDE 1, CAP_FOWNER 3, CAP_FSETID 4, CAP_MKNOD 27
    long needed = 1 | 1 << 1 | 1 << 3 | 1 << 4 | 1 << 27;
    return (capabilities("CapEff") & needed) == needed;
  }

  /// A set of the caller's capabilities, bit by bit; none where the kernel does not tell it.
  ///
  /// @param set as proc_pid_status(5) calls it
  public long capabilities(String set) {
    Batch batch = new Batch();
    Pending<Descriptor> self =
        batch.add(FileCall.Openat.existing("/proc/self/status", FileCall.O_RDONLY));
    Pending<byte[]> read = batch.add(new FileCall.Read(self.descriptor(), 8192));
    batch.add(new FileCall.Close(self.descriptor()));
    Results results = helper.run(batch);
    return capabilities(new String(results.of(read), StandardCharsets.ISO_8859_1), set);
  }

  /// The same by the text of a process's status.
  public static long capabilities(String status, String set) {
    int at = status.indexOf("\n" + set + ":");
    if (at < 0) return 0;
    String text = status.substring(status.indexOf(':', at) + 1, status.indexOf('\n', at + 1));
    return Long.parseUnsignedLong(text.strip(), 16);
  }
}
