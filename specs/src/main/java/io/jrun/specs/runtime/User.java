package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Who the process runs as; ids and `umask` are uint32.
public record User(
    long uid, long gid, @Nullable Long umask, List<Long> additionalGids, Json.JsonObject unknown) {
  public static final User ROOT = of(0, 0);

  public static User of(long uid, long gid) {
    return new User(uid, gid, null, List.of(), Json.JsonObject.EMPTY);
  }

  public User {
    additionalGids = List.copyOf(additionalGids);
  }

  static User read(JsonReader r) {
    return new User(
        r.uint32("uid"),
        r.uint32("gid"),
        r.optionalUint32("umask"),
        r.uint32s("additionalGids"),
        r.unknown());
  }

  public User withUid(long uid) {
    return new User(uid, gid, umask, additionalGids, unknown);
  }

  public User withGid(long gid) {
    return new User(uid, gid, umask, additionalGids, unknown);
  }

  public User withAdditionalGids(List<Long> additionalGids) {
    return new User(uid, gid, umask, additionalGids, unknown);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .number("uid", uid)
        .number("gid", gid)
        .optionalNumber("umask", umask)
        .numbers("additionalGids", additionalGids)
        .object();
  }
}
