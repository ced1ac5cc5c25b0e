package io.jrun.cni.network;

import io.jrun.cni.CniException;
import io.jrun.kernel.IoReason;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.cni.PluginConfig;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The directory of network configurations. Lists come before single plugins, each in the order of
/// the file names; the first of a name counts.
public record ConfigDirectory(Path directory, RecentNetworks recent) {
  public ConfigDirectory(Path directory) {
    this(directory, new RecentNetworks());
  }

  private static final List<String> LIST = List.of(".conflist");
  private static final List<String> SINGLE = List.of(".conf", ".json");
  private static final List<String> ALL = List.of(".conflist", ".conf", ".json");

  /// The network of that name. A file before it that cannot be read is an error, as for libcni.
  public NetworkConfig load(String name) {
    List<Path> lists = new ArrayList<>();
    List<Path> singles = new ArrayList<>();
    for (Path file : files(directory, ALL)) (hasEnding(file, LIST) ? lists : singles).add(file);
    Optional<NetworkConfig> found =
        first(lists, name, this::list).or(() -> first(singles, name, this::single));
    if (found.isPresent()) return found.get();
    if (lists.isEmpty() && singles.isEmpty()) {
      throw new CniException(
          CniError.INVALID_CONFIG, "no net configurations found in " + directory);
    }
    throw new CniException(
        CniError.INVALID_CONFIG, "no net configuration with name \"" + name + "\" in " + directory);
  }

  /// Every network by its name, without those files that cannot be read, which `refused` gets.
  public Map<String, NetworkConfig> all(Map<Path, String> refused) {
    Map<String, NetworkConfig> networks = new LinkedHashMap<>();
    for (boolean isList : new boolean[] {true, false}) {
      for (Path file : files(directory, isList ? LIST : SINGLE)) {
        try {
          NetworkConfig network = isList ? list(file) : single(file);
          networks.putIfAbsent(network.name(), network);
        } catch (SpecException | CniException | UncheckedIOException e) {
          refused.put(file, String.valueOf(e.getMessage()));
        }
      }
    }
    return networks;
  }

  private static Optional<NetworkConfig> first(
      List<Path> files, String name, Function<Path, NetworkConfig> read) {
    for (Path file : files) {
      NetworkConfig network = read.apply(file);
      if (network.name().equals(name)) return Optional.of(network);
    }
    return Optional.empty();
  }

  private NetworkConfig single(Path file) {
    return recent.get(file, bytes(file), json -> NetworkConfig.readSingle(file.toString(), json));
  }

  private NetworkConfig list(Path file) {
    NetworkConfig list =
        recent.get(file, bytes(file), json -> NetworkConfig.readList(file.toString(), json));
    if (!list.loadOnlyInlinedPlugins()) {
      List<PluginConfig> more = new ArrayList<>();
      for (Path plugin : files(directory.resolve(list.name()), List.of(".conf"))) {
        String document = plugin.toString();
        more.add(
            PluginConfig.read(
                document, JsonReader.read(document, bytes(plugin), JsonReader::object)));
      }
      if (!more.isEmpty()) list = list.with(more);
    }
    if (list.plugins().isEmpty()) {
      throw new CniException(CniError.INVALID_CONFIG, file + ": no plugins");
    }
    return list;
  }

  private static byte[] bytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file + ": " + IoReason.of(e), e);
    }
  }

  private static List<Path> files(Path directory, List<String> endings) {
    // one call for all, where a stream of the directory takes a dozen
    String @Nullable [] names = directory.toFile().list();
    if (names == null) {
      checkMissing(directory);
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    for (String name : names) {
      if (!hasEnding(name, endings)) continue;
      Path file = directory.resolve(name);
      if (!Files.isDirectory(file)) files.add(file);
    }
    files.sort(null);
    return files;
  }

  /// Says why a directory that is there cannot be listed.
  private static void checkMissing(Path directory) {
    if (!Files.isDirectory(directory)) return;
    try (Stream<Path> all = Files.list(directory)) {
      throw new IllegalStateException("list " + directory + ": failed");
    } catch (IOException e) {
      throw new UncheckedIOException("list " + directory + ": " + IoReason.of(e), e);
    }
  }

  private static boolean hasEnding(Path file, List<String> endings) {
    return hasEnding(file.getFileName().toString(), endings);
  }

  private static boolean hasEnding(String name, List<String> endings) {
    for (String ending : endings) if (name.endsWith(ending)) return true;
    return false;
  }
}
