package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;

/// The programs to run at the points of a container's life; `prestart` is deprecated.
public record Hooks(
    List<Hook> prestart,
    List<Hook> createRuntime,
    List<Hook> createContainer,
    List<Hook> startContainer,
    List<Hook> poststart,
    List<Hook> poststop,
    Json.JsonObject unknown) {
  public static final Hooks NONE =
      new Hooks(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), Json.JsonObject.EMPTY);

  public Hooks {
    prestart = List.copyOf(prestart);
    createRuntime = List.copyOf(createRuntime);
    createContainer = List.copyOf(createContainer);
    startContainer = List.copyOf(startContainer);
    poststart = List.copyOf(poststart);
    poststop = List.copyOf(poststop);
  }

  static Hooks read(JsonReader r) {
    return new Hooks(
        r.objects("prestart", Hook::read),
        r.objects("createRuntime", Hook::read),
        r.objects("createContainer", Hook::read),
        r.objects("startContainer", Hook::read),
        r.objects("poststart", Hook::read),
        r.objects("poststop", Hook::read),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .objects("prestart", prestart, Hook::toJson)
        .objects("createRuntime", createRuntime, Hook::toJson)
        .objects("createContainer", createContainer, Hook::toJson)
        .objects("startContainer", startContainer, Hook::toJson)
        .objects("poststart", poststart, Hook::toJson)
        .objects("poststop", poststop, Hook::toJson)
        .object();
  }
}
