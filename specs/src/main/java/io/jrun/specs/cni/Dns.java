package io.jrun.specs.cni;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What resolv.conf(5) is to say.
public record Dns(
    List<String> nameservers,
    @Nullable String domain,
    List<String> search,
    List<String> options,
    Json.JsonObject unknown) {
  public static final Dns NONE =
      new Dns(List.of(), null, List.of(), List.of(), Json.JsonObject.EMPTY);

  public Dns {
    nameservers = List.copyOf(nameservers);
    search = List.copyOf(search);
    options = List.copyOf(options);
  }

  public static Dns read(JsonReader r) {
    return new Dns(
        r.strings("nameservers"),
        r.optionalString("domain"),
        r.strings("search"),
        r.strings("options"),
        r.unknown());
  }

  public boolean isEmpty() {
    return nameservers.isEmpty() && domain == null && search.isEmpty() && options.isEmpty();
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .strings("nameservers", nameservers)
        .string("domain", domain)
        .strings("search", search)
        .strings("options", options)
        .object();
  }
}
