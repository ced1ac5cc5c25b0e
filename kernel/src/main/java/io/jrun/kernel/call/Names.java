package io.jrun.kernel.call;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/// File names as text and back, without loss: a byte that is not part of valid UTF-8 becomes a lone
/// surrogate, U+DC80 to U+DCFF, as Python's `surrogateescape` does.
public final class Names {
  private static final char ESCAPE = '\udc00';

  private Names() {}

  public static String decode(byte[] bytes) {
    return decode(bytes, 0, bytes.length);
  }

  public static String decode(byte[] bytes, int offset, int length) {
    for (int i = offset; i < offset + length; i++) {
      if (bytes[i] < 0) return decodeWide(bytes, offset, length);
    }
    return new String(bytes, offset, length, StandardCharsets.ISO_8859_1);
  }

  private static String decodeWide(byte[] bytes, int offset, int length) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes, offset, length);
    CharBuffer out = CharBuffer.allocate(length);
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (!result.isError()) return out.flip().toString();
      for (int i = result.length(); i > 0; i--) out.put((char) (ESCAPE | in.get() & 0xff));
    }
  }

  public static byte[] encode(String name) {
    for (int i = 0; i < name.length(); i++) {
      if (Character.isSurrogate(name.charAt(i))) return encodeWide(name);
    }
    return name.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] encodeWide(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(name.length() + 16);
    for (int i = 0; i < name.length(); ) {
      int c = name.codePointAt(i);
      i += Character.charCount(c);
      if (c >= ESCAPE + 0x80 && c <= ESCAPE + 0xff) out.write(c & 0xff);
      else out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
    }
    return out.toByteArray();
  }
}
