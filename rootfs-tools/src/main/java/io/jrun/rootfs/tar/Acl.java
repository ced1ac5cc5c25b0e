package io.jrun.rootfs.tar;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// Access control lists: the text that tar carries (acl(5)) and the kernel's form in an extended
/// attribute.
final class Acl {
  private static final int VERSION = 2;
  private static final int UNDEFINED = -1;

  private record Element(int tag, int permissions, int id) {}

  private Acl() {}

  /// Elements are separated by commas or newlines: `user:NAME:rwx`, after which star puts `:ID`.
  /// Only numbers and that ID are understood: names belong to another machine.
  static byte[] parse(String text) {
    List<Element> elements = new ArrayList<>();
    for (String line : text.split("[,\n]")) {
      String element = line.strip();
      int comment = element.indexOf('#');
      if (comment >= 0) element = element.substring(0, comment).strip();
      if (!element.isEmpty()) elements.add(element(element));
    }
    elements.sort(Comparator.comparingInt(Element::tag).thenComparingInt(Element::id));
    ByteBuffer out = ByteBuffer.allocate(4 + 8 * elements.size()).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(VERSION);
    for (Element e : elements) {
      out.putShort((short) e.tag()).putShort((short) e.permissions()).putInt(e.id());
    }
    return out.array();
  }

  private static Element element(String text) {
    String[] fields = text.split(":", -1);
    if (fields.length < 3) throw refused(text);
    String qualifier = fields.length > 3 ? fields[3] : fields[1];
    boolean named = !fields[1].isEmpty();
    int permissions = 0;
    for (char c : fields[2].toCharArray()) {
      permissions |=
          switch (c) {
            case 'r' -> 4;
            case 'w' -> 2;
            case 'x' -> 1;
            case '-' -> 0;
            default -> throw refused(text);
          };
    }
    return switch (fields[0]) {
      case "user", "u" ->
          named
              ? new Element(2, permissions, id(qualifier, text))
              : new Element(1, permissions, UNDEFINED);
      case "group", "g" ->
          named
              ? new Element(8, permissions, id(qualifier, text))
              : new Element(4, permissions, UNDEFINED);
      case "mask", "m" -> new Element(0x10, permissions, UNDEFINED);
      case "other", "o" -> new Element(0x20, permissions, UNDEFINED);
      default -> throw refused(text);
    };
  }

  private static int id(String qualifier, String text) {
    try {
      return Integer.parseUnsignedInt(qualifier);
    } catch (NumberFormatException e) {
      throw refused(text);
    }
  }

  private static TarException refused(String text) {
    return new TarException("an access control list is not understood: " + text);
  }
}
