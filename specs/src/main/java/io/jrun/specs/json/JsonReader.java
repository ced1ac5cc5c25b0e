package io.jrun.specs.json;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A cursor over one object of a tree that knows its JSON pointer.
///
/// A member of the wrong kind is noted as a problem and read as if it were absent, so one pass
/// finds them all. As for Go's encoding/json, `null` is an absent member, and one whose name
/// differs by case alone from what is asked for is taken for it, where that is missing. What the
/// reading record cannot say again (unknown members, and members given explicitly with the value
/// that absence has) is kept in [#unknown].
public final class JsonReader {
  private static final Pattern INTEGER = Pattern.compile("-?[0-9]{1,40}");
  private static final BigInteger INT32_MIN = BigInteger.valueOf(Integer.MIN_VALUE);
  private static final BigInteger INT32_MAX = BigInteger.valueOf(Integer.MAX_VALUE);
  private static final BigInteger INT64_MIN = BigInteger.valueOf(Long.MIN_VALUE);
  private static final BigInteger INT64_MAX = BigInteger.valueOf(Long.MAX_VALUE);
  private static final BigInteger UINT16_MAX = BigInteger.valueOf(0xffff);
  private static final BigInteger UINT32_MAX = BigInteger.valueOf(0xffff_ffffL);
  private static final BigInteger UINT64_MAX = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);

  private final String pointer;
  private final Json.JsonObject object;
  private final LinkedHashMap<String, Json> rest;
  private final List<Problem> problems;

  private JsonReader(String pointer, Json.JsonObject object, List<Problem> problems) {
    this.pointer = pointer;
    this.object = object;
    this.rest = new LinkedHashMap<>(object.members());
    this.problems = problems;
  }

  /// Parses and reads a whole document, or throws all that is wrong with it.
  public static <T> T read(String document, byte[] json, Function<JsonReader, T> read) {
    List<Problem> problems = new ArrayList<>();
    T value = read(document, json, read, problems);
    if (!problems.isEmpty()) {
      throw new SpecException(document, problems);
    }
    return value;
  }

  /// As [#read], but adds what it finds to `problems`; throws only where the text is not one JSON
  /// object.
  public static <T> T read(
      String document, byte[] json, Function<JsonReader, T> read, List<Problem> problems) {
    if (JsonSource.parse(document, json) instanceof Json.JsonObject object) {
      return read.apply(new JsonReader("", object, problems));
    }
    throw new SpecException(document, List.of(new Problem("", "must be an object")));
  }

  /// Reads an object that has been parsed already, or throws all that is wrong with it.
  public static <T> T read(String document, Json.JsonObject object, Function<JsonReader, T> read) {
    List<Problem> problems = new ArrayList<>();
    T value = read.apply(new JsonReader("", object, problems));
    if (!problems.isEmpty()) {
      throw new SpecException(document, problems);
    }
    return value;
  }

  public String pointer() {
    return pointer;
  }

  /// The whole object, as it was written.
  public Json.JsonObject object() {
    return object;
  }

  /// The pointer of a member or an element, with the name escaped as RFC 6901 wants.
  public static String pointer(String parent, String name) {
    return parent + "/" + name.replace("~", "~0").replace("/", "~1");
  }

  public static String pointer(String parent, int index) {
    return parent + "/" + index;
  }

  public void problem(String name, String message) {
    problems.add(new Problem(pointer(pointer, name), message));
  }

  /// The members that the calls so far have not taken; call it last.
  public Json.JsonObject unknown() {
    return new Json.JsonObject(rest);
  }

  public String string(String name) {
    String value = anyString(name);
    if (value == null) {
      missing(name);
      return "";
    }
    rest.remove(name);
    return value;
  }

  /// A string of which the empty one means absence.
  public @Nullable String optionalString(String name) {
    String value = anyString(name);
    if (value == null || value.isEmpty()) {
      return null;
    }
    rest.remove(name);
    return value;
  }

  /// A string of a fixed set; an absent or unknown one is a problem and reads as the first.
  public <E extends Enum<E>> E enumeration(String name, E[] values, Function<E, String> text) {
    String value = anyString(name);
    if (value == null) {
      missing(name);
      return values[0];
    }
    rest.remove(name);
    for (E candidate : values) {
      if (text.apply(candidate).equals(value)) {
        return candidate;
      }
    }
    problem(
        name,
        "unknown value \""
            + value
            + "\", must be one of "
            + Arrays.stream(values).map(text).collect(Collectors.joining(", ")));
    return values[0];
  }

  /// A boolean of which false means absence.
  public boolean bool(String name) {
    Boolean value = anyBool(name);
    if (value == null || !value) {
      return false;
    }
    rest.remove(name);
    return true;
  }

  public boolean requiredBool(String name) {
    Boolean value = optionalBool(name);
    if (value == null) {
      missing(name);
      return false;
    }
    return value;
  }

  public @Nullable Boolean optionalBool(String name) {
    Boolean value = anyBool(name);
    if (value != null) {
      rest.remove(name);
    }
    return value;
  }

  public long int64(String name) {
    return number(name, INT64_MIN, INT64_MAX);
  }

  public long requiredInt64(String name) {
    return requiredNumber(name, INT64_MIN, INT64_MAX);
  }

  public @Nullable Long optionalInt64(String name) {
    return optionalNumber(name, INT64_MIN, INT64_MAX);
  }

  public int int32(String name) {
    return (int) number(name, INT32_MIN, INT32_MAX);
  }

  public @Nullable Integer optionalInt32(String name) {
    Long value = optionalNumber(name, INT32_MIN, INT32_MAX);
    return value == null ? null : value.intValue();
  }

  public @Nullable Integer optionalUint16(String name) {
    Long value = optionalNumber(name, BigInteger.ZERO, UINT16_MAX);
    return value == null ? null : value.intValue();
  }

  public long uint32(String name) {
    return number(name, BigInteger.ZERO, UINT32_MAX);
  }

  public long requiredUint32(String name) {
    return requiredNumber(name, BigInteger.ZERO, UINT32_MAX);
  }

  public @Nullable Long optionalUint32(String name) {
    return optionalNumber(name, BigInteger.ZERO, UINT32_MAX);
  }

  /// A uint64 as the bits of a long.
  public long uint64(String name) {
    return number(name, BigInteger.ZERO, UINT64_MAX);
  }

  public long requiredUint64(String name) {
    return requiredNumber(name, BigInteger.ZERO, UINT64_MAX);
  }

  public @Nullable Long optionalUint64(String name) {
    return optionalNumber(name, BigInteger.ZERO, UINT64_MAX);
  }

  public List<String> strings(String name) {
    return list(
        name,
        (at, value) -> {
          if (value instanceof Json.JsonString(String string)) {
            return string;
          }
          problems.add(new Problem(at, "must be a string"));
          return null;
        });
  }

  public List<Long> uint32s(String name) {
    return list(name, (at, value) -> integer(at, value, BigInteger.ZERO, UINT32_MAX));
  }

  public Map<String, String> stringMap(String name) {
    return map(
        name,
        (at, value) -> {
          if (value instanceof Json.JsonString(String string)) {
            return string;
          }
          problems.add(new Problem(at, "must be a string"));
          return null;
        });
  }

  public <T> @Nullable T object(String name, Function<JsonReader, T> read) {
    Json value = present(name);
    if (value == null) {
      return null;
    }
    T result = element(pointer(pointer, name), value, read);
    if (result != null) {
      rest.remove(name);
    }
    return result;
  }

  /// An object of which the empty one means absence.
  public <T> T object(String name, Function<JsonReader, T> read, T absent) {
    Json value = present(name);
    T result = object(name, read);
    if (value instanceof Json.JsonObject given && given.isEmpty()) {
      rest.put(name, given);
    }
    return result == null ? absent : result;
  }

  public <T> List<T> objects(String name, Function<JsonReader, T> read) {
    return list(name, (at, value) -> element(at, value, read));
  }

  public <T> Map<String, T> objectMap(String name, Function<JsonReader, T> read) {
    return map(name, (at, value) -> element(at, value, read));
  }

  private interface ElementReader<T> {
    @Nullable T read(String pointer, Json value);
  }

  private <T> @Nullable T element(String at, Json value, Function<JsonReader, T> read) {
    if (value instanceof Json.JsonObject nested) {
      return read.apply(new JsonReader(at, nested, problems));
    }
    problems.add(new Problem(at, "must be an object"));
    return null;
  }

  private <T> List<T> list(String name, ElementReader<T> read) {
    Json value = present(name);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof Json.JsonArray(List<Json> elements))) {
      problem(name, "must be an array");
      return List.of();
    }
    List<T> result = new ArrayList<>(elements.size());
    for (int i = 0; i < elements.size(); i++) {
      T element = read.read(pointer(pointer(pointer, name), i), elements.get(i));
      if (element != null) {
        result.add(element);
      }
    }
    if (!elements.isEmpty()) {
      rest.remove(name);
    }
    return result;
  }

  private <T> Map<String, T> map(String name, ElementReader<T> read) {
    Json value = present(name);
    if (value == null) {
      return Map.of();
    }
    if (!(value instanceof Json.JsonObject given)) {
      problem(name, "must be an object");
      return Map.of();
    }
    LinkedHashMap<String, T> result = new LinkedHashMap<>();
    given
        .members()
        .forEach((key, member) -> {
          T element = read.read(pointer(pointer(pointer, name), key), member);
          if (element != null) {
            result.put(key, element);
          }
        });
    if (!given.isEmpty()) {
      rest.remove(name);
    }
    return result;
  }

  private @Nullable Json present(String name) {
    Json value = object.member(name);
    if (value == null) value = inOtherCase(name);
    return value instanceof Json.JsonNull ? null : value;
  }

  /// Such a member has its right name from then on.
  private @Nullable Json inOtherCase(String name) {
    for (String other : object.members().keySet()) {
      if (!other.equalsIgnoreCase(name)) continue;
      Json value = rest.remove(other);
      if (value != null) rest.put(name, value);
      return object.member(other);
    }
    return null;
  }

  /// A member of the wrong kind has its problem already.
  private void missing(String name) {
    if (present(name) == null) {
      problem(name, "is required");
    }
  }

  private @Nullable String anyString(String name) {
    Json value = present(name);
    if (value == null) {
      return null;
    }
    if (value instanceof Json.JsonString(String string)) {
      return string;
    }
    problem(name, "must be a string");
    return null;
  }

  private @Nullable Boolean anyBool(String name) {
    Json value = present(name);
    if (value == null) {
      return null;
    }
    if (value instanceof Json.JsonBool(boolean bool)) {
      return bool;
    }
    problem(name, "must be true or false");
    return null;
  }

  private long number(String name, BigInteger min, BigInteger max) {
    Json value = present(name);
    Long number = value == null ? null : integer(pointer(pointer, name), value, min, max);
    if (number == null || number == 0) {
      return 0;
    }
    rest.remove(name);
    return number;
  }

  private long requiredNumber(String name, BigInteger min, BigInteger max) {
    Long number = optionalNumber(name, min, max);
    if (number == null) {
      missing(name);
      return 0;
    }
    return number;
  }

  private @Nullable Long optionalNumber(String name, BigInteger min, BigInteger max) {
    Json value = present(name);
    Long number = value == null ? null : integer(pointer(pointer, name), value, min, max);
    if (number != null) {
      rest.remove(name);
    }
    return number;
  }

  private @Nullable Long integer(String at, Json value, BigInteger min, BigInteger max) {
    if (value instanceof Json.JsonNumber(String literal) && INTEGER.matcher(literal).matches()) {
      BigInteger number = new BigInteger(literal);
      if (number.compareTo(min) >= 0 && number.compareTo(max) <= 0) {
        return number.longValue();
      }
    }
    problems.add(new Problem(at, "must be an integer from " + min + " to " + max));
    return null;
  }
}
