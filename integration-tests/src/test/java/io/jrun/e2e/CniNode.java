package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// A network namespace that plays a machine, with network configurations, a result cache and
/// container namespaces of its own. What happens in it leaves the real machine's network alone.
final class CniNode implements AutoCloseable {
  /// Where Debian has the reference plugins.
  static final Path REFERENCE = Path.of("/usr/lib/cni");

  private final Path temp;
  private final String name;
  private final List<String> namespaces = new ArrayList<>();
  private final Path jrun = RuntimeBinary.underTest().path();
  private final List<String> fallbacks;

  CniNode(String tag) throws IOException {
    name = tag;
    temp = Files.createDirectories(Path.of("/tmp", tag));
    Files.createDirectories(temp.resolve("net.d"));
    namespace(tag);
    inside("ip", "link", "set", "lo", "up").run().succeeds();
    fallbacks = allLinks().stream().filter(link -> !link.equals("lo")).toList();
  }

  Path temp() {
    return temp;
  }

  Path bin() {
    return jrun.resolveSibling("");
  }

  /// A new container namespace; returns its path.
  String container(String suffix) {
    return namespace(name + "-" + suffix);
  }

  private String namespace(String wanted) {
    Command.of("ip", "netns", "add", wanted).run().succeeds();
    namespaces.add(wanted);
    return "/run/netns/" + wanted;
  }

  void remove(String path) {
    String gone = Path.of(path).getFileName().toString();
    Command.of("ip", "netns", "del", gone).run().succeeds();
    namespaces.remove(gone);
  }

  /// A command in that namespace.
  static Command in(String path, String... words) {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + path, "--"));
    all.addAll(List.of(words));
    return Command.of(all);
  }

  /// A command on the machine that this plays.
  Command inside(String... words) {
    return in("/run/netns/" + name, words);
  }

  /// One echo asked for from that namespace, and so many seconds for the answer, times what
  /// everything has in an emulated machine.
  static Command ping(String path, int seconds, String... address) {
    List<String> words =
        new ArrayList<>(List.of("ping", "-c", "1", "-W", "" + seconds * Command.PATIENCE));
    words.addAll(List.of(address));
    return in(path, words.toArray(String[]::new));
  }

  /// The same from the machine that this plays.
  Command ping(int seconds, String... address) {
    return ping("/run/netns/" + name, seconds, address);
  }

  void configure(String file, String json) throws IOException {
    Files.writeString(temp.resolve("net.d").resolve(file), json.replace("@DIR@", temp.toString()));
  }

  /// `jrun cni` with this node's directories.
  Command cni(String... words) {
    List<String> all =
        new ArrayList<>(List.of(jrun.toString(), "cni", "--cache", cache().toString()));
    all.addAll(List.of(words));
    return inside(all.toArray(String[]::new))
        .with("NETCONFPATH", temp.resolve("net.d").toString())
        .with("CNI_PATH", bin() + ":" + REFERENCE);
  }

  /// The plugin's executable, called as a runtime calls it.
  Command plugin(String verb, String id, String netns, String config) {
    return inside(bin().resolve("simplecni").toString())
        .with("CNI_COMMAND", verb)
        .with("CNI_CONTAINERID", id)
        .with("CNI_NETNS", netns)
        .with("CNI_IFNAME", "eth0")
        .with("CNI_PATH", bin() + ":" + REFERENCE)
        .input(config.replace("@DIR@", temp.toString()));
  }

  Path cache() {
    return temp.resolve("cache");
  }

  /// The names of all links of the node, apart from those that the kernel puts into every network
  /// namespace where a module of tunnels is loaded, such as tunl0.
  List<String> links() {
    return allLinks().stream().filter(link -> !fallbacks.contains(link)).toList();
  }

  private List<String> allLinks() {
    return inside("ip", "-o", "link").run().succeeds().lines().stream()
        .map(line -> line.split(": ")[1].replaceFirst("@.*", ""))
        .toList();
  }

  @Override
  public void close() throws IOException {
    inside(jrun.toString(), "engine", "stop").run();
    for (String namespace : List.copyOf(namespaces)) remove("/run/netns/" + namespace);
    try (Stream<Path> walk = Files.walk(temp)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(path);
    }
  }
}
