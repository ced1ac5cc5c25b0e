package io.jrun.cni.plugin;

import io.jrun.cni.CniException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.process.Program;
import io.jrun.kernel.process.ProgramFailure;
import io.jrun.specs.cni.CniError;
import io.jrun.specs.json.SpecException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// Runs plugins as children of the caller's own process, in its namespaces and with its standard
/// error.
public final class ProcessExecutor implements PluginExecutor {
  private final Kernel kernel;
  private final HelperKernel parent;
  private final List<String> env;
  private final long timeoutMillis;

  /// @param timeoutMillis for each plugin; negative for none
  public ProcessExecutor(Kernel kernel, HelperKernel parent, List<String> env, long timeoutMillis) {
    this.kernel = kernel;
    this.parent = parent;
    this.env = List.copyOf(env);
    this.timeoutMillis = timeoutMillis;
  }

  @Override
  public byte[] execute(String type, PluginCall call, PluginInput input) {
    Path file = PluginPath.find(type, call.path());
    Program program =
        new Program(
            file.toString(),
            List.of(file.toString()),
            call.environment(env),
            input.bytes(),
            timeoutMillis);
    Program.Ended ended;
    try {
      ended = program.run(kernel, parent);
    } catch (KernelException | ProgramFailure e) {
      throw new CniException(CniError.INTERNAL, String.valueOf(e.getMessage()), e);
    }
    if (!ended.succeeded()) throw failure(ended);
    return ended.stdout();
  }

  private static CniException failure(Program.Ended ended) {
    String said = new String(ended.stdout(), StandardCharsets.UTF_8).strip();
    if (said.isEmpty()) {
      return new CniException(
          CniError.INTERNAL, "netplugin failed with no error message: " + ended.how());
    }
    try {
      CniError error = CniError.read(ended.stdout());
      return new CniException(error.code(), error.text());
    } catch (SpecException e) {
      return new CniException(
          CniError.INTERNAL,
          "netplugin failed (" + ended.how() + "): " + said.replaceAll("\\s*\\n\\s*", "; "),
          e);
    }
  }
}
