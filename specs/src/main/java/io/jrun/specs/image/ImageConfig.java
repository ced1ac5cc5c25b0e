package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What an image's content is and how it wants to be run: config.md.
///
/// @param diffIds digests of the layers as plain archives, the lowest first
public record ImageConfig(
    @Nullable String created,
    @Nullable String author,
    String architecture,
    @Nullable String variant,
    String os,
    Execution config,
    List<Digest> diffIds,
    List<History> history,
    Json.JsonObject unknown) {
  public static ImageConfig read(String document, byte[] json) {
    return JsonReader.read(document, json, ImageConfig::read);
  }

  public ImageConfig {
    diffIds = List.copyOf(diffIds);
    history = List.copyOf(history);
  }

  static ImageConfig read(JsonReader r) {
    return new ImageConfig(
        r.optionalString("created"),
        r.optionalString("author"),
        r.string("architecture"),
        r.optionalString("variant"),
        r.string("os"),
        r.object("config", Execution::read, Execution.NONE),
        Optional.ofNullable(r.object("rootfs", ImageConfig::readRootfs)).orElse(List.of()),
        r.objects("history", History::read),
        r.unknown());
  }

  private static List<Digest> readRootfs(JsonReader r) {
    String type = r.string("type");
    if (!type.equals("layers") && !type.isEmpty()) r.problem("type", "must be \"layers\"");
    return r.strings("diff_ids").stream()
        .map(text -> {
          Optional<Digest> digest = Digest.parse(text);
          if (digest.isEmpty()) r.problem("diff_ids", "has an invalid digest \"" + text + "\"");
          return digest.orElse(Digest.NONE);
        })
        .toList();
  }

  public Json.JsonObject toJson() {
    Json rootfs =
        new JsonWriter(Json.JsonObject.EMPTY)
            .string("type", "layers")
            .member("diff_ids", Json.ofStrings(diffIds.stream().map(Digest::text).toList()))
            .object();
    return new JsonWriter(unknown)
        .string("created", created)
        .string("author", author)
        .string("architecture", architecture)
        .string("variant", variant)
        .string("os", os)
        .member("config", config.toJson().isEmpty() ? null : config.toJson())
        .member("rootfs", rootfs)
        .objects("history", history, History::toJson)
        .object();
  }
}
