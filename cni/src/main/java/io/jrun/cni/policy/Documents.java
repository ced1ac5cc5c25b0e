package io.jrun.cni.policy;

import io.jrun.cni.CniException;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/// The documents of a YAML file as JSON; JSON is YAML.
final class Documents {
  private static final int MAX_BYTES = 4 << 20;
  private static final int MAX_ALIASES = 50;

  private Documents() {}

  static List<Json> parse(String source, String text) {
    LoadSettings settings =
        LoadSettings.builder()
            .setLabel(source)
            .setAllowDuplicateKeys(false)
            .setMaxAliasesForCollections(MAX_ALIASES)
            .setCodePointLimit(MAX_BYTES)
            .build();
    List<Json> documents = new ArrayList<>();
    try {
      for (Object document : new Load(settings).loadAllFromString(text)) {
        if (document != null) documents.add(json(source, document));
      }
    } catch (YamlEngineException e) {
      String message = String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\n\\s*", "; ");
      throw new CniException(CniError.DECODING_FAILURE, source + ": " + message, e);
    }
    return documents;
  }

  private static Json json(String source, Object value) {
    return switch (value) {
      case Map<?, ?> map -> {
        LinkedHashMap<String, Json> members = new LinkedHashMap<>();
        map.forEach((key, member) -> members.put(String.valueOf(key), nullable(source, member)));
        yield new Json.JsonObject(members);
      }
      case Iterable<?> list -> {
        List<Json> elements = new ArrayList<>();
        for (Object element : list) elements.add(nullable(source, element));
        yield new Json.JsonArray(elements);
      }
      case String text -> Json.of(text);
      case Boolean bool -> Json.of(bool);
      case Number number -> new Json.JsonNumber(number.toString());
      default ->
          throw new CniException(
              CniError.DECODING_FAILURE, source + ": a value of " + value.getClass().getName());
    };
  }

  private static Json nullable(String source, @org.jspecify.annotations.Nullable Object value) {
    return value == null ? new Json.JsonNull() : json(source, value);
  }
}
