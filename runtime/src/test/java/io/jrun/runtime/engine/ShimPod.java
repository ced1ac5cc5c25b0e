package io.jrun.runtime.engine;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// A shim started by hand, without containerd, and a connection to it.
final class ShimPod implements AutoCloseable {
  static final String NAMESPACE = "jrun-test";
  private static final String SERVICE = "containerd.task.v2.Task";

  private final Path program;
  private final Path bundle;
  private final Path top;
  private final String id;
  private final Map<String, String> environment;
  private final String address;
  private final TtrpcClient client;
  private final ProcessHandle keeper;

  /// @param program containerd-shim-jrun-v2
  /// @param top where the socket for events is, which may not exist
  ShimPod(Path program, Path bundle, Path top, String id) throws IOException {
    this(program, bundle, top, id, new byte[0], Map.of());
  }

  /// @param input of `start`
  /// @param environment besides what containerd gives
  ShimPod(
      Path program, Path bundle, Path top, String id, byte[] input, Map<String, String> environment)
      throws IOException {
    this.program = program;
    this.bundle = bundle;
    this.top = top;
    this.id = id;
    this.environment = environment;
    this.address =
        run(program, bundle, top, input, environment, "-id", id, "start")
            .replaceFirst(".*\"address\":\"([^\"]*)\".*", "$1");
    this.client = TtrpcClient.reading(address);
    this.keeper = ProcessHandle.of(ok("Connect", request(id)).int32(1)).orElseThrow();
  }

  static Path events(Path top) {
    return top.resolve("events.sock");
  }

  /// What `start` prints.
  static String start(Path program, Path bundle, Path top, String id, byte[] input)
      throws IOException {
    return run(program, bundle, top, input, "-id", id, "start");
  }

  static String run(Path program, Path bundle, Path top, byte[] input, String... words)
      throws IOException {
    return run(program, bundle, top, input, Map.of(), words);
  }

  private static String run(
      Path program,
      Path bundle,
      Path top,
      byte[] input,
      Map<String, String> environment,
      String... words)
      throws IOException {
    ProcessBuilder builder = new ProcessBuilder(program.toString());
    builder
        .command()
        .addAll(
            List.of(
                "-namespace", NAMESPACE, "-address", top + "/c.sock", "-publish-binary", "true"));
    builder.command().addAll(List.of(words));
    builder.directory(bundle.toFile());
    builder.environment().put("TTRPC_ADDRESS", events(top).toString());
    builder.environment().putAll(environment);
    builder.redirectError(top.resolve("shim.err").toFile());
    Process process = builder.start();
    process.getOutputStream().write(input);
    process.getOutputStream().close();
    byte[] out = process.getInputStream().readAllBytes();
    try {
      if (!process.waitFor(TtrpcClient.TIMEOUT_SECONDS, TimeUnit.SECONDS))
        throw new AssertionError("no end: " + builder.command());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    if (process.exitValue() != 0)
      throw new AssertionError(
          builder.command() + ": " + Files.readString(top.resolve("shim.err")));
    return new String(out, StandardCharsets.ISO_8859_1);
  }

  String id() {
    return id;
  }

  String address() {
    return address;
  }

  TtrpcClient client() {
    return client;
  }

  long keeperPid() {
    return keeper.pid();
  }

  ProtoWriter request() {
    return request(id);
  }

  static ProtoWriter request(String id) {
    return new ProtoWriter().string(1, id);
  }

  ProtoWriter createRequest(String stdin, String stdout, String stderr, boolean terminal) {
    return request()
        .string(2, bundle.toString())
        .bool(4, terminal)
        .string(5, stdin)
        .string(6, stdout)
        .string(7, stderr);
  }

  ProtoWriter execRequest(String execId, String stdout, String... args) {
    StringBuilder json = new StringBuilder("{\"cwd\":\"/\",\"env\":[\"PATH=/bin\"],\"args\":[");
    for (int i = 0; i < args.length; i++)
      json.append(i == 0 ? "" : ",").append('"').append(args[i]).append('"');
    byte[] spec = json.append("]}").toString().getBytes(StandardCharsets.UTF_8);
    return request()
        .string(2, execId)
        .string(5, stdout)
        .message(7, new ProtoWriter().string(1, "process").bytes(2, spec));
  }

  CompletableFuture<TtrpcResponse> send(String method, ProtoWriter request) {
    return client.send(SERVICE, method, request.toBytes());
  }

  TtrpcResponse call(String method, ProtoWriter request) {
    return TtrpcClient.await(send(method, request));
  }

  ProtoMessage ok(String method, ProtoWriter request) {
    return ok(method, call(method, request));
  }

  static ProtoMessage ok(String method, TtrpcResponse response) {
    if (response.code() != StatusCode.OK)
      throw new AssertionError(method + ": " + response.code() + ": " + response.message());
    return ProtoMessage.parse(response.payload());
  }

  /// Deletes, shuts down, and waits for the keeper's end.
  void finish() {
    ok("Delete", request());
    shutDown();
  }

  void shutDown() {
    ok("Shutdown", request());
    awaitKeeper();
  }

  void awaitKeeper() {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TtrpcClient.TIMEOUT_SECONDS);
    try {
      while (lives()) {
        if (System.nanoTime() > end) throw new AssertionError("the keeper does not end");
        Thread.sleep(2);
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Whoever adopted it may take time to reap it.
  private boolean lives() {
    try {
      String stat = Files.readString(Path.of("/proc/" + keeper.pid() + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException e) {
      return false;
    }
  }

  String deleteByCommand() throws IOException {
    return run(
        program,
        bundle,
        top,
        new byte[0],
        environment,
        "-id",
        id,
        "-bundle",
        bundle.toString(),
        "delete");
  }

  @Override
  public void close() throws IOException {
    client.close();
    if (lives()) {
      keeper.destroyForcibly();
      awaitKeeper();
      deleteByCommand();
    }
  }
}
