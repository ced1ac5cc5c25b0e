package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// What hooks get on stdin and `state` begins with: runtime.md; pid 0 means none.
public record State(
    String ociVersion,
    String id,
    Status status,
    int pid,
    String bundle,
    Map<String, String> annotations,
    Json.JsonObject unknown) {
  /// Reads the document's structure.
  public static State read(byte[] json) {
    return JsonReader.read("state.json", json, State::read);
  }

  public State {
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static State read(JsonReader r) {
    return new State(
        r.string("ociVersion"),
        r.string("id"),
        r.enumeration("status", Status.values(), Status::text),
        r.int32("pid"),
        r.string("bundle"),
        r.stringMap("annotations"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("ociVersion", ociVersion)
        .string("id", id)
        .string("status", status.text())
        .number("pid", pid)
        .string("bundle", bundle)
        .stringMap("annotations", annotations)
        .object();
  }
}
