package io.jrun.cni.simple;

import io.jrun.specs.cni.Attachment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// The name of a container's interface on the host: it follows from the attachment, so DEL finds it
/// with nothing else left.
final class HostVeth {
  static final String PREFIX = "scni";
  private static final int DIGITS = 11;

  private HostVeth() {}

  static String name(Attachment attachment) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest(
                  (attachment.containerId() + "/" + attachment.ifname())
                      .getBytes(StandardCharsets.UTF_8));
      return PREFIX + HexFormat.of().formatHex(digest).substring(0, DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
