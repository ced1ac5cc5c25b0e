package io.jrun.cni;

import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import jnr.ffi.LibraryLoader;

/// A network namespace of a test's own, removed when closed. Work in it is done by a thread that
/// enters it and ends.
public final class NetworkNamespace implements AutoCloseable {
  /// What enters a namespace.
  public interface Libc {
    int setns(int descriptor, int type);
  }

  private static final int CLONE_NEWNET = 0x40000000;
  private static final Libc LIBC = LibraryLoader.create(Libc.class).load("c");
  private static final AtomicInteger SERIAL = new AtomicInteger();

  private final Kernel kernel;
  private final String name =
      "jrun-test-" + ProcessHandle.current().pid() + "-" + SERIAL.incrementAndGet();

  public NetworkNamespace(Kernel kernel) {
    this.kernel = kernel;
    run("ip", "netns", "add", name);
  }

  public String name() {
    return name;
  }

  public String path() {
    return "/run/netns/" + name;
  }

  /// Opens a socket that acts in this namespace.
  public NetlinkSocket socket() {
    return in(() -> NetlinkSocket.open(kernel));
  }

  /// Does that inside.
  public <T> T in(Supplier<T> work) {
    CompletableFuture<T> done = new CompletableFuture<>();
    Thread.ofPlatform()
        .start(() -> {
          try {
            Descriptor.Known file =
                (Descriptor.Known)
                    kernel.call(
                        new FileCall.Openat(
                            Descriptor.CWD,
                            path(),
                            FileCall.O_RDONLY | FileCall.O_CLOEXEC,
                            0,
                            false));
            int entered = LIBC.setns(file.number(), CLONE_NEWNET);
            kernel.call(new FileCall.Close(file));
            if (entered != 0) throw new IllegalStateException("cannot enter " + path());
            done.complete(work.get());
          } catch (RuntimeException e) {
            done.completeExceptionally(e);
          }
        });
    return done.join();
  }

  /// Runs a command inside and returns what it prints.
  public String command(String... words) {
    String[] all = new String[words.length + 4];
    System.arraycopy(new String[] {"ip", "netns", "exec", name}, 0, all, 0, 4);
    System.arraycopy(words, 0, all, 4, words.length);
    return run(all);
  }

  /// Runs a command that must succeed.
  public static String run(String... words) {
    try {
      Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
      String out =
          new String(
              process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new AssertionError(String.join(" ", words) + ": exit " + status + ": " + out);
      }
      return out;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    run("ip", "netns", "del", name);
  }
}
