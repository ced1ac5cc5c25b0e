package io.jrun.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A bundle's config.json under edit. Values are JSON text, in which single quotes and bare names
/// are accepted.
final class Config {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(
              JsonReadFeature.ALLOW_SINGLE_QUOTES, JsonReadFeature.ALLOW_UNQUOTED_PROPERTY_NAMES)
          .build();

  private final ObjectNode root;

  private Config(ObjectNode root) {
    this.root = root;
  }

  static JsonNode json(String text) {
    return MAPPER.readTree(text);
  }

  static Config read(Path file) throws IOException {
    return new Config((ObjectNode) json(Files.readString(file)));
  }

  static Config parse(String text) {
    return new Config((ObjectNode) json(text));
  }

  Config copy() {
    return new Config(root.deepCopy());
  }

  JsonNode at(String pointer) {
    return root.at(pointer);
  }

  String text() {
    return MAPPER.writeValueAsString(root);
  }

  /// Sets the value at a JSON pointer; missing objects are made, and a last name of `-` appends to
  /// an array.
  Config set(String pointer, String value) {
    return put(pointer, json(value));
  }

  Config setText(String pointer, String value) {
    return put(pointer, root.stringNode(value));
  }

  private Config put(String pointer, JsonNode value) {
    String[] names = pointer.substring(1).split("/");
    JsonNode node = root;
    for (int i = 0; i < names.length - 1; i++) {
      String name = names[i].replace("~1", "/");
      boolean array = names[i + 1].equals("-");
      if (node instanceof ArrayNode list) {
        node = list.get(Integer.parseInt(name));
      } else {
        ObjectNode object = (ObjectNode) node;
        if (!object.has(name)) {
          object.set(name, array ? root.arrayNode() : root.objectNode());
        }
        node = object.get(name);
      }
    }
    String last = names[names.length - 1].replace("~1", "/");
    switch (node) {
      case ArrayNode list when last.equals("-") -> list.add(value);
      case ArrayNode list -> list.set(Integer.parseInt(last), value);
      default -> ((ObjectNode) node).set(last, value);
    }
    return this;
  }

  Config remove(String parentPointer, String name) {
    ((ObjectNode) at(parentPointer)).remove(name);
    return this;
  }

  Config args(String... args) {
    ArrayNode list = root.arrayNode();
    List.of(args).forEach(list::add);
    return put("/process/args", list);
  }

  Config sh(String script) {
    return args("sh", "-c", script);
  }

  Config env(String assignment) {
    return setText("/process/env/-", assignment);
  }

  Config mount(String value) {
    return set("/mounts/-", value);
  }

  Config writableRoot() {
    return set("/root/readonly", "false");
  }

  /// Gives the process these capabilities in the bounding, effective and permitted sets.
  Config capabilities(String... names) {
    ArrayNode list = root.arrayNode();
    List.of(names).forEach(list::add);
    ObjectNode sets = root.objectNode();
    for (String set : List.of("bounding", "effective", "permitted")) {
      sets.set(set, list.deepCopy());
    }
    return put("/process/capabilities", sets);
  }

  /// The namespaces by type name, without paths.
  Config namespaces(String... types) {
    ArrayNode list = root.arrayNode();
    for (String type : types) {
      list.add(root.objectNode().put("type", type));
    }
    return put("/linux/namespaces", list);
  }
}
