package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// What a plugin that failed prints on its standard output.
public record CniError(
    @Nullable String cniVersion,
    int code,
    String msg,
    @Nullable String details,
    Json.JsonObject unknown) {
  public static final int INCOMPATIBLE_VERSION = 1;
  public static final int UNSUPPORTED_FIELD = 2;
  public static final int UNKNOWN_CONTAINER = 3;
  public static final int INVALID_ENVIRONMENT = 4;
  public static final int IO_FAILURE = 5;
  public static final int DECODING_FAILURE = 6;
  public static final int INVALID_CONFIG = 7;
  public static final int INVALID_NETNS = 8;
  public static final int TRY_AGAIN_LATER = 11;
  public static final int NOT_AVAILABLE = 50;
  public static final int LIMITED_CONNECTIVITY = 51;
  public static final int INTERNAL = 999;

  public CniError(String cniVersion, int code, String msg, @Nullable String details) {
    this(cniVersion, code, msg, details, Json.JsonObject.EMPTY);
  }

  public static CniError read(byte[] json) {
    return JsonReader.read("the plugin's error", json, CniError::read);
  }

  static CniError read(JsonReader r) {
    return new CniError(
        r.optionalString("cniVersion"),
        r.int32("code"),
        java.util.Objects.requireNonNullElse(r.optionalString("msg"), ""),
        r.optionalString("details"),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("cniVersion", cniVersion)
        .number("code", code)
        .string("msg", msg)
        .string("details", details)
        .object();
  }

  /// The message and its details on one line.
  public String text() {
    String text = details == null ? msg : msg + "; " + details;
    return text.strip().replaceAll("\\s*\\n\\s*", "; ");
  }
}
