package io.jrun.image;

import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;

/// The file `oci-layout` (image-layout.md), which says that a directory or an archive is one, and
/// of which version.
public final class LayoutFile {
  public static final String NAME = "oci-layout";

  private static final String VERSION = "1.0.0";

  private LayoutFile() {}

  /// As jrun writes it.
  public static byte[] bytes() {
    return ("{\"imageLayoutVersion\":\"" + VERSION + "\"}").getBytes(StandardCharsets.UTF_8);
  }

  /// A layout's version. One of another major number is refused: what is in it may mean something
  /// else.
  ///
  /// @param file its path, for errors
  public static String version(String file, byte[] json) {
    String version;
    try {
      version = JsonReader.read(file, json, reader -> reader.string("imageLayoutVersion"));
    } catch (SpecException e) {
      throw new ImageException(file + " says of no version of layouts that this is one", e);
    }
    if (!version.matches("1(\\..*)?")) {
      throw new ImageException(file + ": layouts of version " + version + " are not known");
    }
    return version;
  }
}
