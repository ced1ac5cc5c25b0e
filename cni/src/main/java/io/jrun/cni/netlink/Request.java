package io.jrun.cni.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/// One message in the making.
///
/// ```
///   nlmsghdr { u32 length, u16 type, u16 flags, u32 sequence, u32 port }  16 bytes
///   a structure of the type (ifinfomsg, ifaddrmsg, rtmsg, ndmsg)
///   attributes { u16 length, u16 type, value }, each aligned to 4
/// ```
public final class Request {
  public static final int NLM_F_REQUEST = 1;
  public static final int NLM_F_ACK = 4;
  public static final int NLM_F_DUMP = 0x300;
  public static final int NLM_F_REPLACE = 0x100;
  public static final int NLM_F_EXCL = 0x200;
  public static final int NLM_F_CREATE = 0x400;
  static final int NLA_F_NESTED = 0x8000;
  static final int HEADER = 16;

  private final int type;
  private final int flags;
  private final String text;
  private ByteBuffer bytes = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

  /// @param text what an error names it by, such as `RTM_NEWLINK eth0`
  public Request(int type, int flags, String text) {
    this.type = type;
    this.flags = flags;
    this.text = text;
    bytes.position(HEADER);
  }

  public String text() {
    return text;
  }

  boolean isDump() {
    return (flags & NLM_F_DUMP) == NLM_F_DUMP && type % 4 == 2;
  }

  private ByteBuffer room(int size) {
    if (bytes.remaining() < size) {
      bytes =
          ByteBuffer.allocate((bytes.capacity() + size) * 2)
              .order(ByteOrder.nativeOrder())
              .put(bytes.flip());
    }
    return bytes;
  }

  /// A field of the message's structure.
  public Request u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  public Request u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  public Request u32(long value) {
    room(4).putInt((int) value);
    return this;
  }

  /// An attribute of these bytes.
  public Request attribute(int attribute, byte[] value) {
    room(8 + value.length);
    bytes.putShort((short) (4 + value.length)).putShort((short) attribute).put(value);
    while (bytes.position() % 4 != 0) room(1).put((byte) 0);
    return this;
  }

  public Request u8(int attribute, int value) {
    return attribute(attribute, new byte[] {(byte) value});
  }

  public Request u16(int attribute, int value) {
    return attribute(
        attribute,
        ByteBuffer.allocate(2).order(ByteOrder.nativeOrder()).putShort((short) value).array());
  }

  /// In network order, as ports and all of nftables are.
  public Request u16BigEndian(int attribute, int value) {
    return attribute(attribute, new byte[] {(byte) (value >> 8), (byte) value});
  }

  public Request u32BigEndian(int attribute, int value) {
    return attribute(attribute, ByteBuffer.allocate(4).putInt(value).array());
  }

  public Request u32(int attribute, long value) {
    return attribute(
        attribute,
        ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt((int) value).array());
  }

  /// A string with its NUL.
  public Request string(int attribute, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    return attribute(attribute, Arrays.copyOf(text, text.length + 1));
  }

  /// Attributes, or a structure and attributes, within one.
  public Request nested(int attribute, Consumer<Request> content) {
    room(8);
    int start = bytes.position();
    bytes.putShort((short) 0).putShort((short) (attribute | NLA_F_NESTED));
    content.accept(this);
    bytes.putShort(start, (short) (bytes.position() - start));
    return this;
  }

  /// The whole message.
  byte[] bytes(int sequence, boolean acknowledged) {
    int length = bytes.position();
    bytes.putInt(0, length);
    bytes.putShort(4, (short) type);
    bytes.putShort(6, (short) (flags | NLM_F_REQUEST | (acknowledged ? NLM_F_ACK : 0)));
    bytes.putInt(8, sequence);
    bytes.putInt(12, 0);
    return Arrays.copyOf(bytes.array(), length);
  }
}
