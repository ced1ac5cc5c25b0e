package io.jrun.image;

import io.jrun.rootfs.DamagedException;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Documents as bytes with digests.
public final class Documents {
  private Documents() {}

  public static byte[] bytes(Json json) {
    return json.toText().getBytes(StandardCharsets.UTF_8);
  }

  public static Digest digest(byte[] bytes) {
    return digest("sha256", bytes);
  }

  private static Digest digest(String algorithm, byte[] bytes) {
    try {
      MessageDigest digest =
          MessageDigest.getInstance(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
      return new Digest(algorithm, HexFormat.of().formatHex(digest.digest(bytes)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Throws where the bytes are not what the descriptor says.
  public static void verify(ContentDescriptor descriptor, byte[] bytes) {
    if (bytes.length != descriptor.size()) {
      throw new ImageException(
          descriptor.digest() + " has " + bytes.length + " bytes, not " + descriptor.size());
    }
    Digest found = digest(descriptor.digest().algorithm(), bytes);
    if (!found.equals(descriptor.digest())) {
      throw new DamagedException(
          "a document has the digest " + found + ", not " + descriptor.digest());
    }
  }
}
