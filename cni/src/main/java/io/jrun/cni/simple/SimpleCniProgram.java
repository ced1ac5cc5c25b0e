package io.jrun.cni.simple;

import io.jrun.cni.CniException;
import io.jrun.cni.plugin.PluginCall;
import io.jrun.cni.plugin.Verb;
import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperGoneException;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.Pending;
import io.jrun.kernel.Reply;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.SpecException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/// The executable `simplecni`: a helper of that name, whose environment and standard input are the
/// call and whose standard output gets the answer.
///
/// ```
///   simplecni                               engine
///     | hello: environment ----------------> |
///     | <---------- read standard input      |
///     | <---------- go into the namespace    |   ADD and CHECK
///     | input -----------------------------> |
///     | a socket made there ---------------> |
///     |                                      |   rtnetlink, leases, nftables
///     | <---------- write the answer, exit   |
/// ```
public final class SimpleCniProgram {
  private static final int CHUNK = 65536;
  private static final int PIPE_BUF = 4096;

  private final Kernel kernel;
  private final SimpleCni plugin;

  public SimpleCniProgram(Kernel kernel, SimpleCni plugin) {
    this.kernel = kernel;
    this.plugin = plugin;
  }

  /// Whether a command line is the plugin's.
  public static boolean isNamed(List<String> argv) {
    return !argv.isEmpty()
        && (argv.getFirst().equals(SimpleCni.NAME)
            || argv.getFirst().endsWith("/" + SimpleCni.NAME));
  }

  /// Serves one call, to the end of the caller's process.
  public void serve(HelperKernel helper, List<String> env) {
    PluginEnvironment environment = new PluginEnvironment(env);
    if (!environment.isCall()) {
      end(
          helper,
          Descriptor.STDERR,
          "CNI plugin simplecni\nCNI protocol versions supported: "
              + String.join(", ", CniVersion.ALL.stream().map(CniVersion::text).toList())
              + "\n",
          0);
      return;
    }
    byte[] stdin = new byte[0];
    String out;
    int status = 0;
    try (HelperCaller caller = new HelperCaller(kernel, helper, env)) {
      PluginCall call = environment.call();
      if (call.verb() != Verb.VERSION) stdin = read(helper, call, caller);
      out = plugin.perform(call, stdin, caller);
    } catch (HelperGoneException e) {
      throw e;
    } catch (RuntimeException e) {
      out = CniException.of(e).toError(version(stdin)).toJson().toText("    ");
      status = 1;
    }
    end(helper, Descriptor.STDOUT, out.isEmpty() ? "" : out + "\n", status);
  }

  /// The version to tell an error in: the configuration's, where it has one.
  private static String version(byte[] stdin) {
    try {
      Json version =
          JsonReader.read("the configuration", stdin, JsonReader::object).member("cniVersion");
      if (version instanceof Json.JsonString(String text)) return text;
    } catch (SpecException e) {
      // what is wrong with it has been told
    }
    return CniVersion.V1_1_0.text();
  }

  /// Has the configuration read, and then the namespace entered while it is being parsed.
  private static byte[] read(HelperKernel helper, PluginCall call, HelperCaller caller) {
    Batch batch = new Batch();
    Pending<byte[]> first = batch.add(new FileCall.Read(Descriptor.STDIN, CHUNK));
    Pending<byte[]> second = batch.add(new FileCall.Read(Descriptor.STDIN, CHUNK));
    Reply reply = helper.send(batch);
    if (call.verb() == Verb.ADD || call.verb() == Verb.CHECK) caller.begin(call.netns());
    if (call.verb() != Verb.STATUS) caller.host();
    Results results = reply.await();
    byte[] start = results.of(first);
    byte[] next = results.of(second);
    if (start.length == 0 || next.length == 0) return start;
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(start);
    while (next.length > 0) {
      all.writeBytes(next);
      next = helper.call(new FileCall.Read(Descriptor.STDIN, CHUNK));
    }
    return all.toByteArray();
  }

  /// Writes and exits, all in one batch where the answer is short.
  private static void end(HelperKernel helper, Descriptor to, String text, int status) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int at = 0;
    while (bytes.length - at > PIPE_BUF) {
      at += helper.call(new FileCall.Write(to, Arrays.copyOfRange(bytes, at, at + PIPE_BUF)));
    }
    Batch batch = new Batch();
    if (at < bytes.length) {
      batch.attempt(new FileCall.Write(to, Arrays.copyOfRange(bytes, at, bytes.length)));
    }
    batch.add(new ProcessCall.ExitGroup(status));
    helper.runToEnd(batch);
  }
}
