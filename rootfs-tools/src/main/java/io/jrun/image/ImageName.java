package io.jrun.image;

import io.jrun.specs.image.Digest;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// What an image is called: `[host[:port]/]path[:tag]`, or the same with `@digest` for exactly one
/// content (distribution-spec). Nothing is added where no registry is said; the tag is `latest`.
///
/// @param host of the registry; empty where the name has none
public record ImageName(String host, String path, String tag, Optional<String> digest) {
  private static final Pattern HOST =
      Pattern.compile(
          "localhost(:\\d+)?|[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+(:\\d+)?"
              + "|[A-Za-z0-9.-]+:\\d+|\\[[0-9A-Fa-f:]+](:\\d+)?");
  private static final Pattern PATH =
      Pattern.compile("[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");

  public static ImageName parse(String text) {
    String rest = text;
    String digest = null;
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = rest.substring(at + 1);
      rest = rest.substring(0, at);
      if (Digest.parse(digest).isEmpty()) throw refused(text);
    }
    String host = "";
    int slash = rest.indexOf('/');
    if (slash > 0 && HOST.matcher(rest.substring(0, slash)).matches()) {
      host = rest.substring(0, slash).toLowerCase(Locale.ROOT);
      rest = rest.substring(slash + 1);
    }
    String tag = "latest";
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
    }
    if (!PATH.matcher(rest).matches() || !TAG.matcher(tag).matches() || rest.length() > 255) {
      throw refused(text);
    }
    return new ImageName(host, rest, tag, Optional.ofNullable(digest));
  }

  private static ImageException refused(String text) {
    return new ImageException("not the name of an image: " + text);
  }

  /// The registry's host and the path in it.
  public String repository() {
    return host.isEmpty() ? path : host + "/" + path;
  }

  /// The name under which the store keeps it.
  public String text() {
    return repository() + digest.map(d -> "@" + d).orElse(":" + tag);
  }
}
