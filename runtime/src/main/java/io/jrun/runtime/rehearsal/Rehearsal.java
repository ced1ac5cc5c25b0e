package io.jrun.runtime.rehearsal;

import io.jrun.cni.container.Networks;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Syscall;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// One operation played through without doing it: the kernels for it, and the calls that it would
/// have made.
public final class Rehearsal {
  /// Descriptors from here on are pretended ones; no process has so many.
  static final int FIRST_DESCRIPTOR = 1 << 24;

  /// Above the kernel's own limit for pids, so that it is nobody's.
  static final int FIRST_PID = (1 << 22) + 1;

  private final Kernel kernel;
  private final HelperKernel client;
  private final List<String> lines = new ArrayList<>();
  private final Set<String> made = new HashSet<>();

  /// The descriptor of the file about a process.
  static final int STAT = FIRST_DESCRIPTOR;

  private int descriptors = FIRST_DESCRIPTOR + 1;
  private int pids = FIRST_PID;
  private int processes;
  private String rootfs = "";

  /// @param kernel that looks at the host
  /// @param client that looks at what is the caller's
  public Rehearsal(Kernel kernel, HelperKernel client) {
    this.kernel = kernel;
    this.client = client;
  }

  /// The engine's kernel.
  public Kernel kernel() {
    return new RehearsedKernel(kernel, this);
  }

  /// The client.
  public HelperKernel client() {
    return new RehearsedHelper("client", client, kernel(), this);
  }

  /// Networks for it.
  public Networks networks() {
    return new RehearsedNetworks(this);
  }

  /// Notes what is no call.
  synchronized void note(String line) {
    lines.add(line);
  }

  synchronized void note(String process, Syscall<?> call) {
    lines.add(process + ": " + call.text());
  }

  synchronized void note(String process, int index, Syscall<?> call) {
    lines.add(process + ": #" + index + " " + call.text());
  }

  synchronized int nextDescriptor() {
    return descriptors++;
  }

  static boolean isPretended(int descriptor) {
    return descriptor >= FIRST_DESCRIPTOR;
  }

  synchronized int nextPid() {
    return pids++;
  }

  /// Whether a path is the file about a process that is only pretended.
  synchronized boolean isPretendedStat(String path) {
    return path.endsWith("/stat") && isOfPretendedProcess(path);
  }

  /// Whether a path is a namespace of such a process.
  synchronized boolean isPretendedNamespace(String path) {
    return path.contains("/ns/") && isOfPretendedProcess(path);
  }

  private boolean isOfPretendedProcess(String path) {
    if (!path.startsWith("/proc/")) return false;
    String pid = path.substring("/proc/".length()).replaceFirst("/.*", "");
    return pid.matches("[0-9]{1,9}")
        && Integer.parseInt(pid) >= FIRST_PID
        && Integer.parseInt(pid) < pids;
  }

  synchronized String nextProcess() {
    return "process " + ++processes;
  }

  synchronized void makeDirectory(String path) {
    made.add(path);
  }

  /// Whether a path would be in a directory that is only pretended.
  synchronized boolean isInMade(String path) {
    return made.stream()
        .anyMatch(directory -> path.equals(directory) || path.startsWith(directory + "/"));
  }

  /// The first tree that a process opens is the container's root file system.
  synchronized void seeTree(String path) {
    if (rootfs.isEmpty()) rootfs = path;
  }

  synchronized String rootfs() {
    return rootfs;
  }

  /// The calls: a process, the call's place in its batch (what `#n` in others refers to), the call.
  public synchronized String text() {
    StringBuilder text = new StringBuilder();
    for (String line : lines) text.append(line).append('\n');
    return text.toString();
  }
}
