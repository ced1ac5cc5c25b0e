package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;

/// The five sets of capabilities(7), as `CAP_` names.
public record Capabilities(
    List<String> bounding,
    List<String> effective,
    List<String> inheritable,
    List<String> permitted,
    List<String> ambient,
    Json.JsonObject unknown) {
  public static final Capabilities NONE =
      new Capabilities(
          List.of(), List.of(), List.of(), List.of(), List.of(), Json.JsonObject.EMPTY);

  public Capabilities {
    bounding = List.copyOf(bounding);
    effective = List.copyOf(effective);
    inheritable = List.copyOf(inheritable);
    permitted = List.copyOf(permitted);
    ambient = List.copyOf(ambient);
  }

  static Capabilities read(JsonReader r) {
    return new Capabilities(
        r.strings("bounding"),
        r.strings("effective"),
        r.strings("inheritable"),
        r.strings("permitted"),
        r.strings("ambient"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .strings("bounding", bounding)
        .strings("effective", effective)
        .strings("inheritable", inheritable)
        .strings("permitted", permitted)
        .strings("ambient", ambient)
        .object();
  }
}
