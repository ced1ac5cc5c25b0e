package io.jrun.specs.json;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/// Builds the tree from jackson-core's tokens, whose limit on nesting (500) also bounds the
/// recursion here.
final class JsonSource {
  private static final JsonFactory FACTORY = new JsonFactory();

  private JsonSource() {}

  static Json parse(String document, byte[] json) {
    try (JsonParser parser = parser(json)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        throw refused(document, "is empty", null);
      }
      Json value = value(parser, first);
      if (parser.nextToken() != null) {
        throw refused(document, "has more text after its end", parser.currentTokenLocation());
      }
      return value;
    } catch (JacksonException e) {
      throw refused(document, "is not JSON: " + e.getOriginalMessage(), e.getLocation());
    }
  }

  static JsonParser parser(byte[] json) {
    return FACTORY.createParser(ObjectReadContext.empty(), json);
  }

  private static Json value(JsonParser parser, JsonToken token) {
    return switch (token) {
      case START_OBJECT -> {
        LinkedHashMap<String, Json> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          members.put(name, value(parser, parser.nextToken()));
        }
        yield new Json.JsonObject(members);
      }
      case START_ARRAY -> {
        List<Json> elements = new ArrayList<>();
        for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
          elements.add(value(parser, t));
        }
        yield new Json.JsonArray(elements);
      }
      case VALUE_STRING -> new Json.JsonString(parser.getString());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Json.JsonNumber(parser.getString());
      case VALUE_TRUE -> new Json.JsonBool(true);
      case VALUE_FALSE -> new Json.JsonBool(false);
      case VALUE_NULL -> new Json.JsonNull();
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, PROPERTY_NAME, VALUE_EMBEDDED_OBJECT ->
          throw new IllegalStateException("unexpected token " + token);
    };
  }

  private static SpecException refused(
      String document, String message, @Nullable TokenStreamLocation at) {
    String where =
        at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
    return new SpecException(
        document, List.of(new Problem("", message.replaceAll("\\s+", " ") + where)));
  }
}
