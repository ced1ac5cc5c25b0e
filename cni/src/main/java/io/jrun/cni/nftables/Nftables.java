package io.jrun.cni.nftables;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Runs commands in the network namespace of the thread that first uses it, the engine's own. A
/// list of commands is one transaction.
public final class Nftables {
  private @Nullable Libnftables open;

  /// Performs all of the commands, or none.
  public synchronized void run(List<Json> commands) {
    execute(commands);
  }

  /// What the commands list.
  public synchronized List<Json> list(Json command) {
    String out = execute(List.of(command));
    if (out.isBlank()) return List.of();
    Json parsed = Json.parse(out.getBytes(StandardCharsets.UTF_8));
    if (parsed instanceof JsonObject object
        && object.member("nftables") instanceof Json.JsonArray(List<Json> elements)) {
      return elements;
    }
    throw new NftablesException("an answer without \"nftables\"");
  }

  private String execute(List<Json> commands) {
    if (open == null) open = Libnftables.open();
    String text = JsonObject.EMPTY.with("nftables", new Json.JsonArray(commands)).toText();
    int status = open.runCommands(text);
    String out = open.output();
    String error = open.error();
    if (status != 0) throw new NftablesException(oneLine(error));
    return out;
  }

  private static String oneLine(String error) {
    if (error.isBlank()) return "failed without an explanation";
    return error
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty() && !line.startsWith("^"))
        .map(line -> line.replaceFirst("^(internal:[0-9:-]+ )?Error: ", ""))
        .distinct()
        .limit(3)
        .collect(Collectors.joining("; "));
  }

  // Commands, each an object with one member.

  public static Json add(String kind, JsonObject object) {
    return command("add", kind, object);
  }

  public static Json command(String verb, String kind, JsonObject object) {
    return JsonObject.EMPTY.with(verb, JsonObject.EMPTY.with(kind, object));
  }
}
