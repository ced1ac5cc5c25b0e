package io.jrun.cni.nftables;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/// Runs commands in the network namespace of the thread that first uses it, the engine's own. A
/// list of commands is one transaction.
public final class Nftables {
  private record Open(Libnftables library, Pointer context) {}

  private @Nullable Open open;

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
    if (open == null) open = open();
    Libnftables nft = open.library();
    Pointer context = open.context();
    String text = JsonObject.EMPTY.with("nftables", new Json.JsonArray(commands)).toText();
    int status = nft.nft_run_cmd_from_buffer(context, text);
    String out = nft.nft_ctx_get_output_buffer(context);
    String error = nft.nft_ctx_get_error_buffer(context);
    if (status != 0) throw new NftablesException(oneLine(error));
    return out == null ? "" : out;
  }

  private static Open open() {
    Libnftables nft;
    try {
      nft = LibraryLoader.create(Libnftables.class).load("libnftables.so.1");
    } catch (UnsatisfiedLinkError e) {
      throw new NftablesException("libnftables.so.1 is not installed");
    }
    Pointer made = nft.nft_ctx_new(0);
    if (made == null) throw new NftablesException("no context");
    nft.nft_ctx_output_set_flags(made, Libnftables.NFT_CTX_OUTPUT_JSON);
    nft.nft_ctx_buffer_output(made);
    nft.nft_ctx_buffer_error(made);
    return new Open(nft, made);
  }

  private static String oneLine(@Nullable String error) {
    if (error == null || error.isBlank()) return "failed without an explanation";
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
