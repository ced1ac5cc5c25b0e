package io.jrun.runtime.engine;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.process.Program;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The other engines of this installation: of the build before, or of other namespaces. What they
/// are is in their command lines (proc_pid_cmdline(5)). Those of other users are theirs: an engine
/// serves nobody but its own user, not even root.
final class EngineProcesses {
  private static final Path PROC = Path.of("/proc");
  private static final long STOP_MILLIS = 20_000;

  private EngineProcesses() {}

  /// Their sockets.
  ///
  /// @param own the socket of this engine
  static List<Path> others(Path library, String own) {
    List<Path> sockets = new ArrayList<>();
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
      Object self = uid(PROC.resolve("self"));
      for (Path process : processes) {
        if (!self.equals(uid(process))) continue;
        List<String> command = command(process);
        if (!command.contains("-Djrun.library=" + library) || !command.contains("serve")) continue;
        Path socket = Path.of(command.getLast() + ".sock");
        if (!socket.toString().equals(own) && Files.exists(socket)) sockets.add(socket);
      }
    } catch (IOException e) {
      throw new IllegalStateException("looking for engines: " + e.getMessage(), e);
    }
    return sockets;
  }

  private static Object uid(Path process) throws IOException {
    try {
      return Files.getAttribute(process, "unix:uid");
    } catch (NoSuchFileException e) {
      return ""; // it has ended
    }
  }

  private static List<String> command(Path process) {
    try {
      byte[] bytes = Files.readAllBytes(process.resolve("cmdline"));
      return List.of(new String(bytes, StandardCharsets.UTF_8).split("\0"));
    } catch (IOException e) {
      return List.of(); // it has ended, or is another user's
    }
  }

  static void stop(Kernel kernel, HelperKernel client, Path library, Path socket) {
    String jrun = library.resolve("../../bin/jrun").toString();
    Program.Ended ended =
        new Program(
                jrun,
                List.of("jrun", "engine", "stop"),
                List.of("JRUN_ENGINE=" + socket),
                new byte[0],
                STOP_MILLIS)
            .run(kernel, client);
    // it may have ended by itself meanwhile
    if (!ended.succeeded() && Files.exists(socket))
      throw new IllegalStateException("stopping the engine at " + socket + ": " + ended.how());
  }
}
