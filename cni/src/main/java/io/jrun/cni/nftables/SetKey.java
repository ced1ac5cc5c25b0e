package io.jrun.cni.nftables;

import io.jrun.cni.address.IpAddress;
import io.jrun.cni.netlink.Mac;
import io.jrun.specs.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The key of a set's element, or a map's value: in the words of libnftables, and as the kernel has
/// it.
public record SetKey(List<Part> parts) {
  private static final int REGISTER = 4;
  private static final int IFNAMSIZ = 16;

  /// @param bytes in network order; they follow from the words, by which parts are compared
  public record Part(Json json, byte[] bytes) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Part part && json.equals(part.json);
    }

    @Override
    public int hashCode() {
      return json.hashCode();
    }
  }

  public SetKey {
    parts = List.copyOf(parts);
  }

  public static SetKey of(Part... parts) {
    return new SetKey(List.of(parts));
  }

  public static Part address(IpAddress address) {
    return new Part(Json.of(address.toString()), address.bytes());
  }

  public static Part ifname(String name) {
    return new Part(Json.of(name), Arrays.copyOf(name.getBytes(StandardCharsets.UTF_8), IFNAMSIZ));
  }

  public static Part mac(String text) {
    return new Part(Json.of(text), Mac.parse(text).orElseThrow().bytes());
  }

  /// @param number as IP headers have it
  public static Part protocol(String word, int number) {
    return new Part(Json.of(word), new byte[] {(byte) number});
  }

  public static Part port(int port) {
    return new Part(Json.of(port), new byte[] {(byte) (port >> 8), (byte) port});
  }

  public Json json() {
    return parts.size() == 1
        ? parts.getFirst().json()
        : Nft.concat(parts.stream().map(Part::json).toArray(Json[]::new));
  }

  /// Of several parts each fills registers.
  byte[] bytes() {
    if (parts.size() == 1) return parts.getFirst().bytes();
    int size = 0;
    for (Part part : parts) size += padded(part);
    byte[] all = new byte[size];
    int at = 0;
    for (Part part : parts) {
      System.arraycopy(part.bytes(), 0, all, at, part.bytes().length);
      at += padded(part);
    }
    return all;
  }

  private static int padded(Part part) {
    return (part.bytes().length + REGISTER - 1) / REGISTER * REGISTER;
  }
}
