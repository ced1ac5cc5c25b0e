package io.jrun.runtime.cli;

import io.jrun.image.commands.Images;
import io.jrun.image.store.Volumes;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import java.util.List;

/// `jrun volume …`: the named volumes of the store of images, which `run --image -v NAME:/dir`
/// makes.
final class VolumeCommands {
  private VolumeCommands() {}

  static int perform(Request request) {
    String name = request.id();
    return switch (name) {
      case "create" -> create(request);
      case "list", "ls" -> list(request);
      case "inspect" -> inspect(request);
      case "rm" -> remove(request);
      default -> throw CommandFailure.usage("unknown command \"volume " + name + "\"");
    };
  }

  private static Options options(String name, String summary) {
    return new Options("jrun volume " + name, summary)
        .text("dir", "the store; by default /var/lib/jrun or ~/.local/share/jrun", "--store");
  }

  private static int create(Request request) {
    Options options = options("create", "make an empty volume, if there is none of that name");
    Nested nested = Nested.parse(options, "NAME", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    ImageCommands.images(request, nested).volumes().create(nested.argument(0));
    request.print(nested.argument(0));
    return 0;
  }

  private static int list(Request request) {
    Options options = options("list", "list the volumes");
    Nested nested = Nested.parse(options, "", request.rest(), 0, 0, request);
    if (nested.isHelp()) return 0;
    ImageCommands.images(request, nested).volumes().names().forEach(request::print);
    return 0;
  }

  private static int inspect(Request request) {
    Options options = options("inspect", "show where a volume is, and which containers have it");
    Nested nested = Nested.parse(options, "NAME", request.rest(), 1, 1, request);
    if (nested.isHelp()) return 0;
    String name = nested.argument(0);
    Volumes volumes = ImageCommands.images(request, nested).volumes();
    String directory = volumes.find(name).toString();
    List<Json> users = volumes.users(name).stream().<Json>map(Json::of).toList();
    request.print(
        JsonObject.EMPTY
            .with("name", Json.of(name))
            .with("mountpoint", Json.of(directory))
            .with("containers", new Json.JsonArray(users))
            .toText("\t"));
    return 0;
  }

  private static int remove(Request request) {
    Options options = options("rm", "remove volumes that no container has");
    Nested nested = Nested.parse(options, "NAME...", request.rest(), 1, 1000, request);
    if (nested.isHelp()) return 0;
    Images images = ImageCommands.images(request, nested);
    nested.line().arguments().forEach(images::removeVolume);
    return 0;
  }
}
