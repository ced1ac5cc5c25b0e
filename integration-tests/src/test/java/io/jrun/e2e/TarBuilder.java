package io.jrun.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes archives byte by byte, so that they can say what no archiver would.
final class TarBuilder {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private int mode = 0644;
  private int uid;
  private int gid;
  private long time = 1_500_000_000;

  TarBuilder mode(int mode) {
    this.mode = mode;
    return this;
  }

  TarBuilder owner(int uid, int gid) {
    this.uid = uid;
    this.gid = gid;
    return this;
  }

  TarBuilder time(long time) {
    this.time = time;
    return this;
  }

  TarBuilder file(String name, String content) {
    return file(name, content.getBytes(StandardCharsets.UTF_8));
  }

  TarBuilder file(String name, byte[] content) {
    entry('0', name, "", content, 0, 0);
    return this;
  }

  TarBuilder directory(String name) {
    entry('5', name + "/", "", new byte[0], 0, 0);
    return this;
  }

  TarBuilder symlink(String name, String target) {
    entry('2', name, target, new byte[0], 0, 0);
    return this;
  }

  TarBuilder hardLink(String name, String target) {
    entry('1', name, target, new byte[0], 0, 0);
    return this;
  }

  TarBuilder fifo(String name) {
    entry('6', name, "", new byte[0], 0, 0);
    return this;
  }

  TarBuilder device(char type, String name, int major, int minor) {
    entry(type, name, "", new byte[0], major, minor);
    return this;
  }

  /// An extended header: `key=value` each.
  TarBuilder pax(String... records) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (String record : records) {
      int bytes = record.getBytes(StandardCharsets.UTF_8).length + 2;
      int length = bytes + Integer.toString(bytes).length();
      length = bytes + Integer.toString(length).length();
      content.writeBytes((length + " " + record + "\n").getBytes(StandardCharsets.UTF_8));
    }
    entry('x', "PaxHeaders/x", "", content.toByteArray(), 0, 0);
    return this;
  }

  TarBuilder entry(char type, String name, String link, byte[] content, int major, int minor) {
    byte[] header = new byte[512];
    put(header, 0, 100, name);
    octal(header, 100, 8, mode);
    octal(header, 108, 8, uid);
    octal(header, 116, 8, gid);
    octal(header, 124, 12, content.length);
    octal(header, 136, 12, time);
    header[156] = (byte) type;
    put(header, 157, 100, link);
    put(header, 257, 8, "ustar\00000");
    octal(header, 329, 8, major);
    octal(header, 337, 8, minor);
    long sum = 8 * ' ';
    for (byte b : header) sum += b & 0xff;
    octal(header, 148, 7, sum);
    header[155] = ' ';
    out.writeBytes(header);
    out.writeBytes(content);
    out.writeBytes(new byte[(512 - content.length % 512) % 512]);
    return this;
  }

  private static void put(byte[] header, int at, int size, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > size) throw new IllegalArgumentException("too long: " + text);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  private static void octal(byte[] header, int at, int size, long value) {
    put(header, at, size, String.format("%0" + (size - 1) + "o", value));
  }

  byte[] bytes() {
    byte[] entries = out.toByteArray();
    return java.util.Arrays.copyOf(entries, entries.length + 1024);
  }

  Path write(Path to) {
    try {
      return Files.write(to, bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
