package io.jrun.cni.node;

import io.jrun.cni.CniException;
import io.jrun.kernel.IoReason;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.JsonReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The nodes of a cluster, from a file that is the same on all of them:
/// `{"nodes":[{"name":"a","address":"192.168.0.1","subnet":"10.244.1.0/24"}]}`.
public record NodeList(List<Node> nodes) {
  public NodeList {
    nodes = List.copyOf(nodes);
  }

  public static NodeList read(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException("read " + file + ": " + IoReason.of(e), e);
    }
    return JsonReader.read(file.toString(), bytes, NodeList::read);
  }

  private static NodeList read(JsonReader r) {
    List<Node> nodes = r.objects("nodes", Node::read);
    conflict(nodes).ifPresent(what -> r.problem("nodes", what));
    return new NodeList(nodes);
  }

  private static Optional<String> conflict(List<Node> nodes) {
    for (int i = 0; i < nodes.size(); i++) {
      for (int j = 0; j < i; j++) {
        Node a = nodes.get(i);
        Node b = nodes.get(j);
        if (a.name().equals(b.name()) || a.address().equals(b.address())) {
          return Optional.of(a.name() + " and " + b.name() + " are the same node");
        } else if (a.subnet().overlaps(b.subnet())) {
          return Optional.of(a.name() + " and " + b.name() + " have subnets that overlap");
        }
      }
    }
    return Optional.empty();
  }

  public Node self(String name) {
    return nodes.stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new CniException(
                CniError.INVALID_CONFIG, "node \"" + name + "\" is not among the nodes"));
  }

  public List<Node> others(Node self) {
    return nodes.stream().filter(node -> !node.equals(self)).toList();
  }
}
