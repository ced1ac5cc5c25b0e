package io.jrun.cni.policy;

import io.jrun.cni.CniException;
import io.jrun.cni.address.IpAddress;
import io.jrun.cni.file.Replacement;
import io.jrun.kernel.IoReason;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.LockFile;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;

/// Policies, namespaces and endpoints of one machine, each in a file.
///
/// ```
///   policies/NAMESPACE_NAME.json   as it was applied
///   namespaces/NAME.json           its labels
///   endpoints/LINK.json            a container's interface, by the name of its end on the host
///   holders/NETWORK_ADDRESS        the interface that has an address, while there are policies
///   remote/NETWORK.json            those of other nodes
///   enforced                       is there while there are policies
///   generation                     another word after every change of policies and namespaces
///   changing                       is there while the kernel may have other rules than these files
///   lock
/// ```
///
/// A reader that sees half of an endpoint passes over it: who writes one then looks for `enforced`
/// and brings it into the sets itself.
final class PolicyStore {
  private static final String HOLDERS = "holders";
  private static final int GENERATION_BYTES = 64;

  private final Kernel kernel;
  private final Path directory;
  private boolean isMade;

  PolicyStore(Kernel kernel, Path directory) {
    this.kernel = kernel;
    this.directory = directory;
  }

  private void make() {
    if (isMade) return;
    Replacement.privateDirectory(directory);
    for (String each : List.of("policies", "namespaces", "endpoints", "remote")) {
      Replacement.privateDirectory(directory.resolve(each));
    }
    isMade = true;
  }

  LockFile lock() {
    make();
    return LockFile.exclusive(kernel, directory.resolve("lock"));
  }

  boolean isEnforced() {
    try {
      kernel.call(new FileCall.Statx(Descriptor.CWD, directory.resolve("enforced").toString(), 0));
      return true;
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return false;
      throw e;
    }
  }

  void enforced(boolean isSo) {
    Path file = directory.resolve("enforced");
    if (isSo) write(file, "");
    else delete(file);
  }

  /// Whether a change was cut off, so that what the kernel has is not what is here.
  boolean isChanging() {
    return Files.exists(directory.resolve("changing"));
  }

  void changing(boolean isSo) {
    Path file = directory.resolve("changing");
    if (isSo) write(file, "");
    else delete(file);
  }

  /// Which policies and namespaces there are: while it is the same, so are they. The caller holds
  /// the lock.
  String generation() {
    Path file = directory.resolve("generation");
    try (OwnedDescriptor open = OwnedDescriptor.toRead(kernel, file)) {
      return new String(
          kernel.call(new FileCall.Read(open.descriptor(), GENERATION_BYTES)),
          StandardCharsets.US_ASCII);
    } catch (KernelException e) {
      if (e.errno().equals(Errno.ENOENT)) return "";
      throw e;
    }
  }

  /// Before policies or namespaces change; the caller holds the lock.
  void renewGeneration() {
    write(directory.resolve("generation"), UUID.randomUUID().toString());
  }

  // ---- who has an address ----

  private Path holderFile(String network, IpAddress address) {
    return directory.resolve(HOLDERS).resolve(network + "_" + address);
  }

  boolean knowsHolders() {
    return Files.isDirectory(directory.resolve(HOLDERS));
  }

  /// Notes who has which address, of all endpoints; the caller holds the lock.
  void noteHolders() {
    forgetHolders();
    Path aside = directory.resolve(HOLDERS + ".new");
    Replacement.removeAll(aside);
    Replacement.privateDirectory(aside);
    for (Endpoint endpoint : endpoints()) noteHolder(aside, endpoint);
    Replacement.move(aside, directory.resolve(HOLDERS));
  }

  void noteHolder(Endpoint endpoint) {
    noteHolder(directory.resolve(HOLDERS), endpoint);
  }

  private void noteHolder(Path in, Endpoint endpoint) {
    for (IpAddress address : endpoint.addresses()) {
      put(in.resolve(endpoint.network() + "_" + address), endpoint.link());
    }
  }

  /// The link of who is known to have an address; empty for nobody.
  String holder(String network, IpAddress address) {
    try {
      return Files.readString(holderFile(network, address));
    } catch (NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(
          "read " + holderFile(network, address) + ": " + IoReason.of(e), e);
    }
  }

  /// Another that has taken the address over keeps it.
  void forgetHolder(Endpoint endpoint) {
    for (IpAddress address : endpoint.addresses()) {
      if (holder(endpoint.network(), address).equals(endpoint.link())) {
        delete(holderFile(endpoint.network(), address));
      }
    }
  }

  void forgetHolders() {
    Replacement.removeAll(directory.resolve(HOLDERS));
  }

  private Path endpointFile(String link) {
    return directory.resolve("endpoints").resolve(link + ".json");
  }

  /// Written in place, without a temporary file: it is a part of every ADD, and a torn file is
  /// skipped.
  void add(Endpoint endpoint) {
    make();
    put(endpointFile(endpoint.link()), endpoint.toJson().toText());
  }

  private void put(Path path, String text) {
    int flags = FileCall.O_WRONLY | FileCall.O_TRUNC;
    try (OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.creating(path.toString(), flags, 0600))) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      if (kernel.call(new FileCall.Write(file.descriptor(), bytes)) < bytes.length) {
        throw new IllegalStateException(path + ": only a part was written");
      }
    }
  }

  void removeEndpoint(String link) {
    try {
      kernel.call(new FileCall.Unlinkat(Descriptor.CWD, endpointFile(link).toString(), 0));
    } catch (KernelException e) {
      if (!e.errno().equals(Errno.ENOENT)) throw e;
    }
  }

  Optional<Endpoint> endpoint(String link) {
    return readFile(endpointFile(link), Endpoint::read);
  }

  /// Those of this machine.
  List<Endpoint> endpoints() {
    return readAll("endpoints", Endpoint::read);
  }

  /// Those of other nodes.
  List<Endpoint> remote() {
    List<Endpoint> all = new ArrayList<>();
    readAll("remote", r -> r.objects("endpoints", Endpoint::read)).forEach(all::addAll);
    return all;
  }

  /// @return whether that is anything new
  boolean remote(String network, List<Endpoint> endpoints) {
    make();
    Path file = directory.resolve("remote").resolve(network + ".json");
    String text =
        Json.JsonObject.EMPTY
            .with(
                "endpoints",
                new Json.JsonArray(endpoints.stream().<Json>map(Endpoint::toJson).toList()))
            .toText();
    try {
      if (endpoints.isEmpty() && !Files.exists(file)) return false;
      if (Files.exists(file) && Files.readString(file).equals(text)) return false;
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file + ": " + IoReason.of(e), e);
    }
    write(file, text);
    return true;
  }

  private Path policyFile(String namespace, String name) {
    return directory.resolve("policies").resolve(namespace + "_" + name + ".json");
  }

  void add(NetworkPolicy policy) {
    write(policyFile(policy.namespace(), policy.name()), policy.json().toText("  "));
  }

  boolean removePolicy(String namespace, String name) {
    return delete(policyFile(namespace, name));
  }

  List<NetworkPolicy> policies() {
    return readStrictly("policies", r -> NetworkPolicy.read(r, Identity.DEFAULT_NAMESPACE));
  }

  void addNamespace(String name, Json.JsonObject json) {
    write(directory.resolve("namespaces").resolve(name + ".json"), json.toText("  "));
  }

  boolean removeNamespace(String name) {
    return delete(directory.resolve("namespaces").resolve(name + ".json"));
  }

  /// The labels of namespaces, by their names.
  Map<String, Map<String, String>> namespaces() {
    Map<String, Map<String, String>> labels = new HashMap<>();
    for (NamespaceLabels one : readStrictly("namespaces", NamespaceLabels::read)) {
      labels.put(one.name(), one.labels());
    }
    return labels;
  }

  private void write(Path file, String text) {
    make();
    Replacement.write(kernel, file, text.getBytes(StandardCharsets.UTF_8), 0600);
  }

  private static boolean delete(Path file) {
    try {
      return Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException("remove " + file + ": " + IoReason.of(e), e);
    }
  }

  private List<Path> files(String kind) {
    Path of = directory.resolve(kind);
    if (!Files.isDirectory(of)) return List.of();
    try (Stream<Path> files = Files.list(of)) {
      return files
          .filter(f -> f.getFileName().toString().matches("[^.].*\\.json"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("list " + of + ": " + IoReason.of(e), e);
    }
  }

  private static <T> Optional<T> readFile(Path file, Function<JsonReader, T> read) {
    try {
      return Optional.of(JsonReader.read(file.toString(), Files.readAllBytes(file), read));
    } catch (NoSuchFileException | SpecException e) {
      return Optional.empty(); // removed meanwhile, or not all written yet
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file + ": " + IoReason.of(e), e);
    }
  }

  private <T> List<T> readAll(String kind, Function<JsonReader, T> read) {
    return files(kind).stream()
        .map(file -> readFile(file, read))
        .flatMap(Optional::stream)
        .toList();
  }

  /// A policy that cannot be read must not be passed over.
  private <T> List<T> readStrictly(String kind, Function<JsonReader, T> read) {
    List<T> all = new ArrayList<>();
    for (Path file : files(kind)) {
      try {
        all.add(JsonReader.read(file.toString(), Files.readAllBytes(file), read));
      } catch (SpecException e) {
        throw new CniException(
            CniError.DECODING_FAILURE, String.valueOf(e.getMessage()).strip(), e);
      } catch (IOException e) {
        throw new UncheckedIOException("read " + file + ": " + IoReason.of(e), e);
      }
    }
    return all;
  }
}
