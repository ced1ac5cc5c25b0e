package io.jrun.cni.netlink;

import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Pattern;

/// A hardware address of six bytes.
public record Mac(String text) {
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Pattern TEXT = Pattern.compile("[0-9a-f]{2}(:[0-9a-f]{2}){5}");

  /// Parses `00:11:22:aa:bb:cc`.
  public static Optional<Mac> parse(String text) {
    String lower = text.toLowerCase(java.util.Locale.ROOT);
    return TEXT.matcher(lower).matches() ? Optional.of(new Mac(lower)) : Optional.empty();
  }

  static Mac of(byte[] bytes) {
    return new Mac(HexFormat.ofDelimiter(":").formatHex(bytes));
  }

  /// One that IP addresses give: locally administered, the last four bytes of the address behind
  /// two that say so.
  public static Mac of(io.jrun.cni.address.IpAddress address) {
    byte[] ip = address.bytes();
    byte[] mac = new byte[6];
    mac[0] = 0x0a;
    mac[1] = 0x58;
    System.arraycopy(Arrays.copyOfRange(ip, ip.length - 4, ip.length), 0, mac, 2, 4);
    return of(mac);
  }

  /// A locally administered one that nobody else has.
  public static Mac random() {
    byte[] mac = new byte[6];
    RANDOM.nextBytes(mac);
    mac[0] = (byte) (mac[0] & 0xfc | 2);
    return of(mac);
  }

  public byte[] bytes() {
    return HexFormat.ofDelimiter(":").parseHex(text);
  }
}
