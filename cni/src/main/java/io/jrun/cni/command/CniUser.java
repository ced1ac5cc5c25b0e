package io.jrun.cni.command;

import io.jrun.cni.CniException;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.IoctlCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// The process that runs `jrun cni`: its environment, directory and standard output.
record CniUser(HelperKernel helper, List<String> env) {
  private static final int TERMIOS = 60;

  String variable(String name, String absent) {
    String prefix = name + "=";
    return env.stream()
        .filter(v -> v.startsWith(prefix) && v.length() > prefix.length())
        .map(v -> v.substring(prefix.length()))
        .findFirst()
        .orElse(absent);
  }

  /// A path of the caller's, from the root.
  Path absolute(String path) {
    Path given = Path.of(path);
    if (given.isAbsolute()) return given.normalize();
    return Path.of(helper.call(new ProcessCall.Getcwd())).resolve(given).normalize();
  }

  List<String> pluginPath() {
    String path = variable("CNI_PATH", "/opt/cni/bin:/usr/lib/cni");
    return List.of(path.split(":")).stream()
        .filter(directory -> !directory.isEmpty())
        .map(directory -> absolute(directory).toString())
        .toList();
  }

  Json.JsonObject capabilityArgs() {
    String text = variable("CAP_ARGS", "");
    if (text.isEmpty()) return Json.JsonObject.EMPTY;
    try {
      return JsonReader.read("CAP_ARGS", text.getBytes(StandardCharsets.UTF_8), JsonReader::object);
    } catch (SpecException e) {
      throw new CniException(
          CniError.INVALID_ENVIRONMENT, String.valueOf(e.getMessage()).strip(), e);
    }
  }

  /// Writes to standard output; fails when the caller is gone.
  void print(String text) {
    helper.call(new FileCall.Write(Descriptor.STDOUT, text.getBytes(StandardCharsets.UTF_8)));
  }

  boolean hasTerminal() {
    Batch batch = new Batch();
    Pending<byte[]> termios =
        batch.attempt(new IoctlCall.IoctlRead(Descriptor.STDOUT, IoctlCall.TCGETS, TERMIOS));
    return helper.run(batch).succeeded(termios);
  }
}
