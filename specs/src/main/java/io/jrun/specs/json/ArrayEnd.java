package io.jrun.specs.json;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/// Where an array in a document ends: elements that are added go there, and all the rest stays as
/// somebody wrote it.
public final class ArrayEnd {
  private ArrayEnd() {}

  /// The offset of the bracket that closes an array, a member of the document's object. Negative
  /// where there is no such array, or nothing in it, or a byte is not a character's part as in
  /// UTF-8.
  ///
  /// @param json a document that was parsed before
  public static int of(byte[] json, String member) {
    int end = -1;
    try (JsonParser parser = JsonSource.parser(json)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) return -1;
      while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean isIt = parser.currentName().equals(member);
        if (isIt) end = -1; // of several the last one counts
        JsonToken value = parser.nextToken();
        if (!isIt || value != JsonToken.START_ARRAY) {
          parser.skipChildren();
          continue;
        }
        boolean isEmpty = true;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          isEmpty = false;
          parser.skipChildren();
        }
        if (!isEmpty) end = (int) parser.currentTokenLocation().getByteOffset();
      }
    }
    return end;
  }
}
