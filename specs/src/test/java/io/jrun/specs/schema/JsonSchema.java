package io.jrun.specs.schema;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.Problem;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/// As much of JSON schema (draft 4) as OCI's own schemas use; an unknown keyword is an error, never
/// ignored.
public final class JsonSchema {
  private static final Set<String> ANNOTATIONS =
      Set.of("description", "$schema", "id", "definitions", "title", "default", "format", "media");

  private final Path directory;
  private final Map<String, Json> documents = new HashMap<>();

  public JsonSchema(Path directory) {
    this.directory = directory;
  }

  /// All that does not conform to `reference`, such as `config-schema.json` or
  /// `defs.json#/definitions/Mount`.
  public List<Problem> problems(String reference, Json value) {
    List<Problem> problems = new ArrayList<>();
    reference("", reference, "", value, problems);
    return problems;
  }

  private void reference(
      String document, String reference, String at, Json value, List<Problem> problems) {
    int hash = reference.indexOf('#');
    String file = hash < 0 ? reference : reference.substring(0, hash);
    String pointer = hash < 0 ? "" : reference.substring(hash + 1);
    String target = file.isEmpty() ? document : file;
    Json schema = documents.computeIfAbsent(target, this::load);
    for (String name : pointer.split("/", -1)) {
      if (!name.isEmpty()) {
        Json next = ((Json.JsonObject) schema).member(name);
        if (next == null) {
          throw new IllegalArgumentException(document + " refers to " + reference);
        }
        schema = next;
      }
    }
    check(target, (Json.JsonObject) schema, at, value, problems);
  }

  private Json load(String file) {
    try {
      return Json.parse(Files.readAllBytes(directory.resolve(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void check(
      String document, Json.JsonObject schema, String at, Json value, List<Problem> problems) {
    schema
        .members()
        .forEach((keyword, rule) -> {
          if (!ANNOTATIONS.contains(keyword)) {
            keyword(document, schema, keyword, rule, at, value, problems);
          }
        });
  }

  private void keyword(
      String document,
      Json.JsonObject schema,
      String keyword,
      Json rule,
      String at,
      Json value,
      List<Problem> problems) {
    switch (keyword) {
      case "$ref" -> reference(document, text(rule), at, value, problems);
      case "type" -> expect(types(rule).stream().anyMatch(t -> is(t, value)), at, schema, problems);
      case "enum" -> expect(elements(rule).contains(value), at, schema, problems);
      case "pattern" -> {
        if (value instanceof Json.JsonString(String string)) {
          expect(Pattern.compile(text(rule)).matcher(string).find(), at, schema, problems);
        }
      }
      case "minimum" -> {
        if (value instanceof Json.JsonNumber) {
          expect(number(value).compareTo(number(rule)) >= 0, at, schema, problems);
        }
      }
      case "maximum" -> {
        if (value instanceof Json.JsonNumber) {
          expect(number(value).compareTo(number(rule)) <= 0, at, schema, problems);
        }
      }
      case "minItems" -> {
        if (value instanceof Json.JsonArray(List<Json> items)) {
          expect(items.size() >= number(rule).intValue(), at, schema, problems);
        }
      }
      case "minLength" -> {
        if (value instanceof Json.JsonString(String string)) {
          expect(string.length() >= number(rule).intValue(), at, schema, problems);
        }
      }
      case "uniqueItems" -> {
        if (value instanceof Json.JsonArray(List<Json> items)) {
          expect(new HashSet<>(items).size() == items.size(), at, schema, problems);
        }
      }
      case "items" -> {
        if (value instanceof Json.JsonArray(List<Json> items)) {
          for (int i = 0; i < items.size(); i++) {
            check(document, (Json.JsonObject) rule, at + "/" + i, items.get(i), problems);
          }
        }
      }
      case "required" -> {
        if (value instanceof Json.JsonObject object) {
          for (Json name : elements(rule)) {
            expect(object.members().containsKey(text(name)), at, schema, problems);
          }
        }
      }
      case "properties" -> {
        if (value instanceof Json.JsonObject object) {
          ((Json.JsonObject) rule)
              .members()
              .forEach((name, nested) -> {
                Json member = object.member(name);
                if (member != null) {
                  String below = JsonReader.pointer(at, name);
                  check(document, (Json.JsonObject) nested, below, member, problems);
                }
              });
        }
      }
      case "patternProperties" -> {
        if (value instanceof Json.JsonObject object) {
          ((Json.JsonObject) rule)
              .members()
              .forEach((pattern, nested) ->
                  object
                      .members()
                      .forEach((name, member) -> {
                        if (Pattern.compile(pattern).matcher(name).find()) {
                          String below = JsonReader.pointer(at, name);
                          check(document, (Json.JsonObject) nested, below, member, problems);
                        }
                      }));
        }
      }
      case "additionalProperties" -> {
        if (value instanceof Json.JsonObject object) {
          Json known = schema.member("properties");
          object
              .members()
              .forEach((name, member) -> {
                if (known instanceof Json.JsonObject k && k.member(name) != null) {
                  return;
                }
                String below = JsonReader.pointer(at, name);
                if (rule instanceof Json.JsonObject nested) {
                  check(document, nested, below, member, problems);
                } else {
                  expect(rule.equals(Json.of(true)), below, schema, problems);
                }
              });
        }
      }
      case "allOf" ->
          elements(rule).forEach(s -> check(document, (Json.JsonObject) s, at, value, problems));
      case "anyOf" -> expect(matching(document, rule, at, value) > 0, at, schema, problems);
      case "oneOf" -> expect(matching(document, rule, at, value) == 1, at, schema, problems);
      default -> throw new IllegalArgumentException("unknown keyword " + keyword);
    }
  }

  private long matching(String document, Json rule, String at, Json value) {
    return elements(rule).stream()
        .filter(schema -> {
          List<Problem> nested = new ArrayList<>();
          check(document, (Json.JsonObject) schema, at, value, nested);
          return nested.isEmpty();
        })
        .count();
  }

  private static void expect(
      boolean condition, String at, Json.JsonObject schema, List<Problem> problems) {
    if (!condition) {
      String text = schema.toText();
      problems.add(new Problem(at, "does not conform to " + text));
    }
  }

  private static boolean is(String type, Json value) {
    return switch (value) {
      case Json.JsonObject _ -> type.equals("object");
      case Json.JsonArray _ -> type.equals("array");
      case Json.JsonString _ -> type.equals("string");
      case Json.JsonBool _ -> type.equals("boolean");
      case Json.JsonNull _ -> type.equals("null");
      case Json.JsonNumber(String literal) ->
          type.equals("number")
              || (type.equals("integer")
                  && new BigDecimal(literal).stripTrailingZeros().scale() <= 0);
    };
  }

  private static List<String> types(Json rule) {
    return rule instanceof Json.JsonArray(List<Json> types)
        ? types.stream().map(JsonSchema::text).toList()
        : List.of(text(rule));
  }

  private static List<Json> elements(Json rule) {
    return ((Json.JsonArray) rule).elements();
  }

  private static String text(Json rule) {
    return ((Json.JsonString) rule).value();
  }

  private static BigDecimal number(Json value) {
    return new BigDecimal(((Json.JsonNumber) value).literal());
  }
}
