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

  /// To be cloned: to ask for one takes longer than a digest.
  private static final MessageDigest EMPTY = sha256();

  private HostVeth() {}

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  static String name(Attachment attachment) {
    String text = attachment.containerId() + "/" + attachment.ifname();
    try {
      MessageDigest own = (MessageDigest) EMPTY.clone();
      byte[] digest = own.digest(text.getBytes(StandardCharsets.UTF_8));
      return PREFIX + HexFormat.of().formatHex(digest).substring(0, DIGITS);
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }
}
