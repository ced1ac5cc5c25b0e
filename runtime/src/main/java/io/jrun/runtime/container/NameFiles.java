package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Mount;
import io.jrun.specs.runtime.NamespaceType;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// `/etc/hosts`, `/etc/resolv.conf` and `/etc/hostname` of a container: files of its state
/// directory, or of its sandbox's, bound into it where its config mounts nothing there.
final class NameFiles implements AutoCloseable {
  static final List<String> ALL = List.of("hosts", "resolv.conf", "hostname");
  private static final Path RESOLVED = Path.of("/run/systemd/resolve/resolv.conf");

  /// Of the engine's own UTS namespace, as gethostname(2) tells it.
  private static final Path HOSTNAME = Path.of("/proc/sys/kernel/hostname");

  private static final int CHUNK = 4096;
  private static final int FLAGS =
      FileCall.O_WRONLY | FileCall.O_CREAT | FileCall.O_EXCL | FileCall.O_CLOEXEC;

  private final Kernel kernel;
  private final Claim claim;
  private final Map<String, OwnedDescriptor> open = new HashMap<>();

  /// @param claim of the container's directory
  NameFiles(Kernel kernel, Claim claim) {
    this.kernel = kernel;
    this.claim = claim;
  }

  /// The config with the files bound; a container without mounts of its own keeps what it sees.
  ///
  /// @param names whether the container has a host name that is not the host's
  /// @param isMapped whether root of the container's user namespace is to own them
  static Config bound(Config config, Path directory, boolean names, boolean isMapped) {
    if (config.linux().namespace(NamespaceType.MOUNT) == null) return config;
    List<Mount> mounts = new ArrayList<>(config.mounts());
    // in a user namespace a tree with locked mounts below it is cloned with all of them or not at
    // all
    String bind = config.linux().namespace(NamespaceType.USER) == null ? "bind" : "rbind";
    boolean readonly = config.root() != null && config.root().readonly();
    Set<String> covered = destinationsInEtc(config.mounts());
    if (covered.contains("/etc")) return config;
    for (String name : ALL) {
      if (covered.contains("/etc/" + name) || name.equals("hostname") && !names) continue;
      List<String> options = new ArrayList<>(List.of(bind, "private", "nosuid", "nodev", "noexec"));
      if (readonly) options.add("ro");
      mounts.add(
          new Mount(
              "/etc/" + name,
              "bind",
              directory.resolve(name).toString(),
              options,
              isMapped ? config.linux().uidMappings() : List.of(),
              isMapped ? config.linux().gidMappings() : List.of(),
              Json.JsonObject.EMPTY));
    }
    return config.withMounts(mounts);
  }

  /// Whether a path is that of such a file in a directory of containers' state.
  static boolean isOne(String path, Path root) {
    Path file = Path.of(path);
    Path directory = file.getParent();
    return directory != null
        && root.equals(directory.getParent())
        && ALL.contains(file.getFileName().toString());
  }

  private static Set<String> destinationsInEtc(List<Mount> mounts) {
    Set<String> all = new HashSet<>();
    for (Mount mount : mounts) {
      String destination = mount.destination();
      if (destination.contains("etc")) all.add(Path.of("/", destination).normalize().toString());
    }
    return all;
  }

  /// Makes them empty.
  void make() {
    ALL.forEach(this::file);
  }

  /// Writes the files; a container that has them bound sees the new content.
  void write(HostNames names) {
    put("hosts", names.hosts());
    put("resolv.conf", names.resolvConf(host(Path.of("/etc/resolv.conf")), () -> host(RESOLVED)));
    put("hostname", names.hostname() == null ? "" : names.hostname() + "\n");
  }

  /// Writes what a caller says, and of hosts what the host knows.
  void write(NameTexts names) {
    put("hosts", host(Path.of("/etc/hosts")));
    String resolvConf = names.resolvConf();
    put("resolv.conf", resolvConf == null ? host(Path.of("/etc/resolv.conf")) : resolvConf);
    String hostname = names.hostname();
    put("hostname", hostname == null ? host(HOSTNAME) : hostname + "\n");
  }

  /// Copies the host's files, for a container in the host's network namespace.
  void copyHosts(String hostname) {
    put("hosts", host(Path.of("/etc/hosts")));
    put("resolv.conf", host(Path.of("/etc/resolv.conf")));
    put("hostname", hostname.isEmpty() ? "" : hostname + "\n");
  }

  /// What a file of the host says; empty where there is none.
  private String host(Path file) {
    try (OwnedDescriptor there = OwnedDescriptor.toRead(kernel, file)) {
      StringBuilder text = new StringBuilder();
      for (byte[] more = {0}; more.length > 0; ) {
        more = kernel.call(new FileCall.Read(there.descriptor(), CHUNK));
        text.append(new String(more, StandardCharsets.ISO_8859_1));
      }
      return text.toString();
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return "";
      throw e;
    }
  }

  private Descriptor file(String name) {
    OwnedDescriptor file = open.get(name);
    if (file == null) {
      FileCall.Openat call = new FileCall.Openat(claim.descriptor(), name, FLAGS, 0644, true);
      file = OwnedDescriptor.open(kernel, call);
      open.put(name, file);
    }
    return file.descriptor();
  }

  private void put(String name, String text) {
    Descriptor file = file(name);
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    for (int at = 0; at < bytes.length; ) {
      byte[] rest = Arrays.copyOfRange(bytes, at, bytes.length);
      at += kernel.call(new FileCall.Write(file, rest));
    }
  }

  @Override
  public void close() {
    open.values().forEach(Claim::close);
  }
}
