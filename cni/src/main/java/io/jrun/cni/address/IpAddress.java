package io.jrun.cni.address;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// An IPv4 or IPv6 address. IPv4 comes before IPv6.
public final class IpAddress implements Comparable<IpAddress> {
  private static final Pattern V4 = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
  private static final Pattern V6 = Pattern.compile("[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");

  private final byte[] bytes;

  private IpAddress(byte[] bytes) {
    this.bytes = bytes;
  }

  /// An address of 4 or 16 bytes, in network order.
  public static IpAddress of(byte[] bytes) {
    if (bytes.length != 4 && bytes.length != 16) {
      throw new IllegalArgumentException("an address has 4 or 16 bytes, not " + bytes.length);
    }
    return new IpAddress(bytes.clone());
  }

  /// Parses the usual text forms; a host name is none, so no name service is asked.
  public static Optional<IpAddress> parse(String text) {
    byte[] usual = usualV4(text);
    if (usual != null) return Optional.of(new IpAddress(usual));
    if (!V4.matcher(text).matches() && !V6.matcher(text).matches()) return Optional.empty();
    try {
      return Optional.of(new IpAddress(InetAddress.ofLiteral(text).getAddress()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /// Four numbers without zeros before them, as nearly all addresses are; null for all else.
  private static byte @Nullable [] usualV4(String text) {
    byte[] bytes = new byte[4];
    int at = 0;
    int number = -1;
    for (int i = 0; i <= text.length(); i++) {
      char c = i < text.length() ? text.charAt(i) : '.';
      if (c == '.') {
        if (number < 0 || at == bytes.length) return null;
        bytes[at++] = (byte) number;
        number = -1;
      } else if (c < '0' || c > '9' || number == 0) {
        return null;
      } else {
        number = (number < 0 ? 0 : number * 10) + c - '0';
        if (number > 255) return null;
      }
    }
    return at == bytes.length ? bytes : null;
  }

  public boolean isIpv6() {
    return bytes.length == 16;
  }

  public int bits() {
    return bytes.length * 8;
  }

  public byte[] bytes() {
    return bytes.clone();
  }

  /// The address at an offset from this one, which may be negative.
  public IpAddress plus(BigInteger offset) {
    BigInteger space = BigInteger.TWO.pow(bits());
    byte[] sum = number().add(offset).mod(space).toByteArray();
    byte[] result = new byte[bytes.length];
    int n = Math.min(sum.length, result.length);
    System.arraycopy(sum, sum.length - n, result, result.length - n, n);
    return new IpAddress(result);
  }

  public IpAddress plus(long offset) {
    return plus(BigInteger.valueOf(offset));
  }

  public BigInteger number() {
    return new BigInteger(1, bytes);
  }

  @Override
  public int compareTo(IpAddress other) {
    if (bytes.length != other.bytes.length) return bytes.length - other.bytes.length;
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IpAddress address && Arrays.equals(bytes, address.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /// As RFC 5952 wants it: the longest run of at least two zero groups left out.
  @Override
  public String toString() {
    if (!isIpv6()) {
      return (bytes[0] & 255)
          + "."
          + (bytes[1] & 255)
          + "."
          + (bytes[2] & 255)
          + "."
          + (bytes[3] & 255);
    }
    int best = -1;
    int bestLength = 1;
    for (int i = 0; i < 8; i++) {
      int n = 0;
      while (i + n < 8 && group(i + n) == 0) n++;
      if (n > bestLength) {
        best = i;
        bestLength = n;
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == best) {
        text.append("::");
        i += bestLength - 1;
      } else {
        if (i > 0 && text.charAt(text.length() - 1) != ':') text.append(':');
        text.append(Integer.toHexString(group(i)));
      }
    }
    return text.toString();
  }

  private int group(int index) {
    return (bytes[2 * index] & 255) << 8 | bytes[2 * index + 1] & 255;
  }
}
