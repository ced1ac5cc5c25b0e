package io.jrun.specs.image;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What refers to content by its digest: descriptor.md.
public record ContentDescriptor(
    String mediaType,
    Digest digest,
    long size,
    List<String> urls,
    Map<String, String> annotations,
    @Nullable Platform platform,
    Json.JsonObject unknown) {
  /// Where nothing is said but the type, the digest and the size.
  public static ContentDescriptor of(String mediaType, Digest digest, long size) {
    return new ContentDescriptor(
        mediaType, digest, size, List.of(), Map.of(), null, Json.JsonObject.EMPTY);
  }

  static final ContentDescriptor NONE = of("", Digest.NONE, 0);

  public ContentDescriptor {
    urls = List.copyOf(urls);
    annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
  }

  static ContentDescriptor read(JsonReader r) {
    String mediaType = r.string("mediaType");
    Digest digest = Digest.read(r, "digest");
    long size = r.requiredInt64("size");
    if (size < 0) r.problem("size", "must not be negative");
    return new ContentDescriptor(
        mediaType,
        digest,
        size,
        r.strings("urls"),
        r.stringMap("annotations"),
        r.object("platform", Platform::read),
        r.unknown());
  }

  public ContentDescriptor withAnnotations(Map<String, String> annotations) {
    return new ContentDescriptor(mediaType, digest, size, urls, annotations, platform, unknown);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("mediaType", mediaType)
        .string("digest", digest.text())
        .member("size", Json.of(size))
        .strings("urls", urls)
        .stringMap("annotations", annotations)
        .member("platform", platform == null ? null : platform.toJson())
        .object();
  }
}
