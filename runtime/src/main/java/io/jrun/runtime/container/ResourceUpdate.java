package io.jrun.runtime.container;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonArray;
import io.jrun.specs.json.Json.JsonNumber;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Resources;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A change of linux.resources: what it leaves of the ones before, and what of them is written
/// again. Some values mean something only together (quota and period, memory and swap), so a group
/// that is touched is written as a whole.
///
/// @param all the resources that the container has then
/// @param touched those to apply
record ResourceUpdate(JsonObject all, Resources touched) {
  static ResourceUpdate of(JsonObject before, JsonObject given) {
    JsonObject changes = withoutSwapLimit(given);
    JsonObject all = (JsonObject) merged(before, changes);
    JsonObject touched = JsonObject.EMPTY;
    for (Map.Entry<String, Json> group : changes.members().entrySet()) {
      Json value =
          group.getKey().equals("unified")
              ? group.getValue()
              : java.util.Objects.requireNonNull(all.member(group.getKey()));
      touched = touched.with(group.getKey(), value);
    }
    return new ResourceUpdate(
        all, Resources.read(touched.toText("").getBytes(StandardCharsets.UTF_8)));
  }

  /// A change that removes the memory limit removes the swap limit too.
  private static JsonObject withoutSwapLimit(JsonObject given) {
    if (!(given.member("memory") instanceof JsonObject memory)) return given;
    boolean unlimited = memory.member("limit") instanceof JsonNumber n && n.literal().equals("-1");
    if (!unlimited || memory.member("swap") != null) return given;
    return given.with("memory", memory.with("swap", Json.of(0)));
  }

  private static Json merged(@Nullable Json before, Json given) {
    if (before instanceof JsonObject old && given instanceof JsonObject now) {
      JsonObject both = old;
      for (Map.Entry<String, Json> member : now.members().entrySet())
        both = both.with(member.getKey(), merged(old.member(member.getKey()), member.getValue()));
      return both;
    }
    if (before instanceof JsonArray old && given instanceof JsonArray now) return devices(old, now);
    return given;
  }

  /// Of the entries for a device the new one counts; those for others stay.
  private static Json devices(JsonArray before, JsonArray given) {
    List<Json> both = new ArrayList<>(given.elements());
    for (Json old : before.elements())
      if (given.elements().stream().noneMatch(now -> isOfSameDevice(old, now))) both.add(old);
    return new JsonArray(both);
  }

  private static boolean isOfSameDevice(Json a, Json b) {
    if (!(a instanceof JsonObject one) || !(b instanceof JsonObject other)) return a.equals(b);
    for (String key : List.of("major", "minor", "pageSize"))
      if (!java.util.Objects.equals(one.member(key), other.member(key))) return false;
    return true;
  }
}
