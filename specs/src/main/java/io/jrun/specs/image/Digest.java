package io.jrun.specs.image;

import io.jrun.specs.json.JsonReader;
import java.util.Optional;
import java.util.regex.Pattern;

/// A content address, `algorithm:hexadecimal`: descriptor.md. Only the registered algorithms sha256
/// and sha512 are taken.
public record Digest(String algorithm, String hex) {
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
  private static final Pattern SHA512 = Pattern.compile("[0-9a-f]{128}");

  /// What is read where a document's digest is wrong, after its problem was noted.
  static final Digest NONE = new Digest("sha256", "0".repeat(64));

  public static Optional<Digest> parse(String text) {
    if (text.startsWith("sha256:") && SHA256.matcher(text.substring(7)).matches()) {
      return Optional.of(new Digest("sha256", text.substring(7)));
    }
    if (text.startsWith("sha512:") && SHA512.matcher(text.substring(7)).matches()) {
      return Optional.of(new Digest("sha512", text.substring(7)));
    }
    return Optional.empty();
  }

  static Digest read(JsonReader r, String name) {
    String text = r.string(name);
    Optional<Digest> digest = parse(text);
    if (digest.isEmpty() && !text.isEmpty()) {
      r.problem(name, "must be a sha256 or sha512 digest, not \"" + text + "\"");
    }
    return digest.orElse(NONE);
  }

  /// `algorithm:hex`.
  public String text() {
    return algorithm + ":" + hex;
  }

  @Override
  public String toString() {
    return text();
  }
}
