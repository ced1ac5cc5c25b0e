package io.jrun.cni.nftables;

import io.jrun.cni.address.Cidr;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.List;

/// Words of libnftables' JSON (libnftables-json(5)).
public final class Nft {
  private Nft() {}

  private static JsonObject object(String name, Json value) {
    return JsonObject.EMPTY.with(name, value);
  }

  public static Json command(String verb, String kind, JsonObject what) {
    return object(verb, object(kind, what));
  }

  public static JsonObject table(String family, String name) {
    return object("family", Json.of(family)).with("name", Json.of(name));
  }

  /// The beginning of an object that is in a table.
  public static JsonObject in(String family, String table, String name) {
    return object("family", Json.of(family))
        .with("table", Json.of(table))
        .with("name", Json.of(name));
  }

  public static JsonObject hooked(JsonObject chain, String type, String hook, int priority) {
    return chain
        .with("type", Json.of(type))
        .with("hook", Json.of(hook))
        .with("prio", Json.of(priority))
        .with("policy", Json.of("accept"));
  }

  public static JsonObject rule(
      String family, String table, String chain, String comment, List<Json> expressions) {
    JsonObject rule =
        object("family", Json.of(family))
            .with("table", Json.of(table))
            .with("chain", Json.of(chain))
            .with("expr", new Json.JsonArray(expressions));
    return comment.isEmpty() ? rule : rule.with("comment", Json.of(comment));
  }

  public static Json match(String operator, Json left, Json right) {
    return object("match", object("op", Json.of(operator)).with("left", left).with("right", right));
  }

  public static Json payload(String protocol, String field) {
    return object("payload", object("protocol", Json.of(protocol)).with("field", Json.of(field)));
  }

  public static Json meta(String key) {
    return object("meta", object("key", Json.of(key)));
  }

  public static Json connectionState() {
    return object("ct", object("key", Json.of("state")));
  }

  public static Json concat(Json... parts) {
    return object("concat", new Json.JsonArray(List.of(parts)));
  }

  public static Json set(Json... elements) {
    return object("set", new Json.JsonArray(List.of(elements)));
  }

  public static Json range(Json first, Json last) {
    return object("range", new Json.JsonArray(List.of(first, last)));
  }

  public static Json prefix(Cidr cidr) {
    return object(
        "prefix",
        object("addr", Json.of(cidr.address().toString())).with("len", Json.of(cidr.length())));
  }

  public static Json verdict(String word) {
    return object(word, new Json.JsonNull());
  }

  public static Json jump(String chain) {
    return object("jump", object("target", Json.of(chain)));
  }

  public static Json count(String counter) {
    return object("counter", Json.of(counter));
  }

  public static Json mangle(Json key, Json value) {
    return object("mangle", object("key", key).with("value", value));
  }

  public static Json lookup(Json key, String map) {
    return object("map", object("key", key).with("data", Json.of("@" + map)));
  }
}
