package io.jrun.cni.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// One message that the kernel sent, without its header.
public record Reply(int type, int flags, int sequence, byte[] payload) {
  static final int NLMSG_ERROR = 2;
  static final int NLMSG_DONE = 3;
  static final int NLM_F_CAPPED = 0x100;
  static final int NLM_F_ACK_TLVS = 0x200;
  private static final int HEADER = 16;

  /// Splits one datagram; what is damaged is an error of the connection.
  static List<Reply> split(byte[] datagram) {
    ByteBuffer buffer = ByteBuffer.wrap(datagram).order(ByteOrder.nativeOrder());
    List<Reply> replies = new ArrayList<>();
    int at = 0;
    while (at + HEADER <= datagram.length) {
      int length = buffer.getInt(at);
      if (length < HEADER || length > datagram.length - at) break;
      replies.add(
          new Reply(
              buffer.getShort(at + 4) & 0xffff,
              buffer.getShort(at + 6) & 0xffff,
              buffer.getInt(at + 8),
              Arrays.copyOfRange(datagram, at + HEADER, at + length)));
      at += length + 3 & -4;
    }
    if (at < datagram.length) {
      throw new NetlinkException("netlink: the kernel's answer makes no sense");
    }
    return replies;
  }

  /// The attributes behind a structure of that size.
  public Attributes attributes(int structure) {
    return Attributes.parse(payload, structure, payload.length);
  }

  ByteBuffer buffer() {
    return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
  }

  /// A field of the structure; zero where the message is too short for it.
  public int i32(int offset) {
    return payload.length >= offset + 4 ? buffer().getInt(offset) : 0;
  }

  public int u16(int offset) {
    return payload.length >= offset + 2 ? buffer().getShort(offset) & 0xffff : 0;
  }

  public int u8(int offset) {
    return payload.length > offset ? payload[offset] & 255 : 0;
  }
}
