package io.jrun.kernel.trace;

import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Nothing;
import io.jrun.kernel.call.Received;

/// A call's result in words.
final class ResultText {
  private static final int SHOWN = 64;

  private ResultText() {}

  static String of(Object result) {
    return switch (result) {
      case Nothing none -> "0";
      case Descriptor descriptor -> descriptor.text();
      case byte[] bytes -> "<" + bytes.length + " bytes>";
      case Received received ->
          "<"
              + received.bytes().length
              + " bytes, "
              + received.descriptors().size()
              + " descriptors>";
      case String text when text.length() > SHOWN -> '"' + text.substring(0, SHOWN) + "\"...";
      case String text -> '"' + text + '"';
      default -> result.toString();
    };
  }
}
