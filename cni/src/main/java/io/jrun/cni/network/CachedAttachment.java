package io.jrun.cni.network;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What libcni keeps of an ADD, so that either can DEL what the other has added.
///
/// @param config the network list as text
public record CachedAttachment(
    String networkName, String config, AttachmentArgs args, Json.JsonObject result) {
  static final String KIND = "cniCacheV1";

  static CachedAttachment read(JsonReader r) {
    List<AttachmentArgs.Arg> args = new ArrayList<>();
    if (r.object().member("cniArgs") instanceof Json.JsonArray(List<Json> pairs)) {
      for (Json pair : pairs) {
        if (pair instanceof Json.JsonArray(List<Json> two)
            && two.size() == 2
            && two.get(0) instanceof Json.JsonString(String key)
            && two.get(1) instanceof Json.JsonString(String value)) {
          args.add(new AttachmentArgs.Arg(key, value));
        } else {
          r.problem("cniArgs", "must be pairs of strings");
        }
      }
    }
    return new CachedAttachment(
        r.string("networkName"),
        config(r),
        new AttachmentArgs(
            r.string("containerId"),
            orEmpty(r.optionalString("netns")),
            r.string("ifName"),
            args,
            r.object("capabilityArgs", JsonReader::object, Json.JsonObject.EMPTY)),
        r.object("result", JsonReader::object, Json.JsonObject.EMPTY));
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }

  private static String config(JsonReader r) {
    try {
      return new String(
          Base64.getDecoder().decode(orEmpty(r.optionalString("config"))),
          java.nio.charset.StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      r.problem("config", "must be base64");
      return "";
    }
  }

  Json.JsonObject toJson() {
    JsonWriter writer =
        new JsonWriter(Json.JsonObject.EMPTY)
            .string("kind", KIND)
            .string("containerId", args.containerId())
            .string(
                "config",
                Base64.getEncoder()
                    .encodeToString(config.getBytes(java.nio.charset.StandardCharsets.UTF_8)))
            .string("ifName", args.ifname())
            .string("networkName", networkName)
            .string("netns", args.netns().isEmpty() ? null : args.netns());
    if (!args.args().isEmpty()) {
      writer.member(
          "cniArgs",
          new Json.JsonArray(
              args.args().stream()
                  .<Json>map(a -> Json.ofStrings(List.of(a.key(), a.value())))
                  .toList()));
    }
    if (!args.capabilityArgs().isEmpty()) writer.member("capabilityArgs", args.capabilityArgs());
    return writer.member("result", result).object();
  }
}
