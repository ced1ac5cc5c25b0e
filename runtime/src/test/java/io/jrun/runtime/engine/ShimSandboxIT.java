package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.proto.ProtoMessage;
import io.jrun.specs.proto.ProtoWriter;
import io.jrun.specs.ttrpc.StatusCode;
import io.jrun.specs.ttrpc.TtrpcResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A pod that the shim makes itself, as containerd 2 asks for it with `sandboxer = "shim"`.
class ShimSandboxIT extends ShimTest {
  private static final int SIGKILL = 9;

  @SuppressWarnings("NullAway.Init")
  private SandboxRequests sandboxes;

  @SuppressWarnings("NullAway.Init")
  private Path podBundle;

  @BeforeEach
  void begin() throws IOException {
    podBundle = sandbox.top().resolve("pod");
    Files.createDirectories(podBundle.resolve("rootfs"));
    pod = new ShimPod(program(), podBundle, sandbox.top(), sandbox.tag());
    sandboxes = new SandboxRequests(pod);
    Files.createSymbolicLink(sandbox.bundle().resolve("rootfs/bin/hostname"), Path.of("busybox"));
  }

  /// The namespace of the network, which a test may have made.
  @AfterEach
  void removeNetwork() throws Exception {
    if (Files.exists(network())) ip("del");
  }

  private Path network() {
    return Path.of("/run/netns", sandbox.tag());
  }

  private void ip(String verb) throws Exception {
    assertThat(new ProcessBuilder("ip", "netns", verb, sandbox.tag()).start().waitFor()).isZero();
  }

  private int started(ProtoWriter config, String network) {
    sandboxes.ok("CreateSandbox", sandboxes.createRequest(podBundle.toString(), config, network));
    return sandboxes.ok("StartSandbox").int32(1);
  }

  private int onHost(String hostname) {
    return started(SandboxRequests.config(hostname, SandboxRequests.onHost()), "");
  }

  /// A container that joins as CRI's do, by paths.
  private String container(String name, int pause, String script) throws IOException {
    String args = "[\"sh\",\"-c\",\"" + script.replace("\"", "\\\"") + "\"]";
    sandbox.config(text -> {
      String joined =
          text.replace("[\"sleep\",\"1000\"]", args)
              .replace("\"readonly\":true", "\"readonly\":false");
      for (String type : List.of("network", "ipc", "uts"))
        joined =
            joined.replace(
                "{\"type\":\"" + type + "\"}",
                "{\"type\":\""
                    + type
                    + "\",\"path\":\"/proc/"
                    + pause
                    + "/ns/"
                    + type.replace("network", "net")
                    + "\"}");
      return joined.replaceFirst("\"hostname\":\"[^\"]*\",", "");
    });
    String id = pod.id() + "-" + name;
    String out = "file://" + log(name);
    pod.ok(
        "Create",
        ShimPod.request(id).string(2, sandbox.bundle().toString()).string(6, out).string(7, out));
    pod.ok("Start", ShimPod.request(id));
    return id;
  }

  private Path log(String name) {
    return sandbox.top().resolve(name + ".log");
  }

  private void end(String id) {
    pod.ok("Kill", ShimPod.request(id).uint32(3, SIGKILL));
    pod.ok("Wait", ShimPod.request(id));
    pod.ok("Delete", ShimPod.request(id));
  }

  private void shutDown() throws IOException {
    sandboxes.ok("ShutdownSandbox");
    pod.client().close();
    pod.awaitKeeper();
  }

  private void assertFails(TtrpcResponse response, StatusCode code, String message) {
    assertThat(response.code() + " " + response.message()).isEqualTo(code + " " + message);
  }

  @Test
  void startSaysVersion3ForAPod() throws IOException {
    assertThat(ShimPod.start(program(), podBundle, sandbox.top(), pod.id(), new byte[0]))
        .isEqualTo("{\"version\":3,\"address\":\"" + pod.address() + "\",\"protocol\":\"ttrpc\"}");
    shutDown();
  }

  @Test
  void aPodLivesAndItsContainersShareWhatIsThePods() throws Exception {
    ip("add");
    int pause =
        started(
            SandboxRequests.config("the-pod", SandboxRequests.security()), network().toString());
    assertThat(Files.readSymbolicLink(Path.of("/proc/" + pause + "/ns/net")).toString())
        .isEqualTo("net:[" + Files.getAttribute(network(), "unix:ino") + "]");
    assertThat(Files.readString(Path.of("/proc/" + pause + "/comm"))).isEqualTo("jrun-pause\n");
    assertThat(Files.readString(podBundle.resolve("init.pid"))).isEqualTo("" + pause);
    ProtoMessage platform = sandboxes.ok("Platform").message(1);
    assertThat(platform.string(1)).isEqualTo("linux");
    assertThat(platform.string(2)).isIn("amd64", "arm64");
    sandboxes.ok("PingSandbox");
    ProtoMessage status = sandboxes.ok("SandboxStatus", pod.request().bool(2, true));
    assertThat(status.string(1)).isEqualTo(pod.id());
    assertThat(status.int32(2)).isEqualTo(pause);
    assertThat(status.string(3)).isEqualTo("SANDBOX_READY");
    assertThat(status.stringMap(4).get("info")).contains("\"pid\":" + pause, "\"runtimeSpec\":");
    assertThat(status.timestamp(5)).isEqualTo(sandboxes.ok("StartSandbox").timestamp(2));
    assertThat(status.has(6)).isFalse();
    ProtoMessage metric = sandboxes.ok("SandboxMetrics").message(1);
    assertThat(metric.string(2)).isEqualTo(pod.id());
    assertThat(metric.message(3).string(1)).startsWith("io.containerd.cgroups.v");
    CompletableFuture<TtrpcResponse> wait = sandboxes.send("WaitSandbox", pod.request());

    String one = container("one", pause, "echo shared > /dev/shm/file; exec sleep 1000");
    String two =
        container(
            "two",
            pause,
            "until test -s /dev/shm/file; do sleep 0.1; done; cat /dev/shm/file /etc/resolv.conf /etc/hostname;"
                + " hostname; cat /etc/hosts; readlink /proc/self/ns/net; sed -n 1p /proc/sys/net/ipv4/ip_unprivileged_port_start;"
                + " exit 7");
    assertThat(pod.ok("Wait", ShimPod.request(two)).int32(1)).as("%s", log("two")).isEqualTo(7);
    assertThat(Files.readString(log("two")))
        .isEqualTo(
            "shared\nsearch pods.example\nnameserver 192.0.2.53\nthe-pod\nthe-pod\n"
                + Files.readString(Path.of("/etc/hosts"))
                + "net:["
                + Files.getAttribute(network(), "unix:ino")
                + "]\n0\n");
    pod.ok("Delete", ShimPod.request(two));
    end(one);

    sandboxes.ok("StopSandbox");
    sandboxes.ok("StopSandbox");
    ProtoMessage exit = ShimPod.ok("WaitSandbox", TtrpcClient.await(wait));
    assertThat(exit.int32(1)).isEqualTo(128 + SIGKILL);
    status = sandboxes.ok("SandboxStatus");
    assertThat(status.string(3)).isEqualTo("SANDBOX_NOTREADY");
    assertThat(status.timestamp(6)).isEqualTo(exit.timestamp(2));
    shutDown();
    assertThat(sink.events())
        .as("none of the sandbox's own")
        .containsExactly(
            "create " + one,
            "start " + one,
            "create " + two,
            "start " + two,
            "exit " + two + " 7",
            "delete " + two + " 7",
            "exit " + one + " 137",
            "delete " + one + " 137");
  }

  @Test
  void aPodInTheHostsNetworkHasTheHostsNames() throws Exception {
    int pause = onHost("");
    for (String type : List.of("net", "uts"))
      assertThat(Files.readSymbolicLink(Path.of("/proc/" + pause + "/ns", type)))
          .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns", type)));
    String id = container("c", pause, "hostname; cat /etc/hostname; exit 0");
    assertThat(pod.ok("Wait", ShimPod.request(id)).int32(1)).isZero();
    String name = Files.readString(Path.of("/proc/sys/kernel/hostname"));
    assertThat(Files.readString(log("c"))).isEqualTo(name + name);
    pod.ok("Delete", ShimPod.request(id));
    shutDown();
  }

  @Test
  void thePauseHasTheIdentityAndTheFilterThatAreAskedFor() throws Exception {
    ProtoWriter security =
        SandboxRequests.onHost()
            .message(3, new ProtoWriter().int64(1, 1234))
            .message(8, new ProtoWriter().int64(1, 2345))
            .packedUint64(5, 11, 12)
            .message(9, new ProtoWriter());
    int pause = started(SandboxRequests.config("", security), "");
    assertThat(Files.readString(Path.of("/proc/" + pause + "/status")))
        .contains("Uid:\t1234\t1234\t1234\t1234\n", "Gid:\t2345\t2345\t2345\t2345\n")
        .contains("Groups:\t11 12 \n", "CapBnd:\t0000000000000000\n", "Seccomp:\t2\n");
    // it can still end, and be told to
    new ProcessBuilder("kill", "-TERM", "" + pause).start().waitFor();
    assertThat(sandboxes.ok("WaitSandbox").int32(1)).isZero();
    shutDown();
  }

  @Test
  void whatIsNotDoneIsRefusedByName() throws Exception {
    ProtoWriter mapped = new ProtoWriter().int32(1, 2).message(5, new ProtoWriter());
    refuses(new ProtoWriter().message(1, mapped), "namespace_options.userns_options");
    ProtoWriter local = new ProtoWriter().int32(1, 2).string(2, "/the/profile");
    refuses(SandboxRequests.onHost().message(9, local), "seccomp: the profile /the/profile");
    refuses(SandboxRequests.onHost().message(10, local), "apparmor: the profile /the/profile");
    refuses(new ProtoWriter().message(1, new ProtoWriter().int32(2, 3)), "namespace_options.pid");
    TtrpcResponse other =
        sandboxes.call(
            "CreateSandbox",
            pod.request().message(4, new ProtoWriter().string(1, "some.Config").toBytes()));
    assertFails(other, StatusCode.UNIMPLEMENTED, "a sandbox of some.Config");
    shutDown();
  }

  private void refuses(ProtoWriter security, String what) {
    TtrpcResponse response =
        sandboxes.call(
            "CreateSandbox",
            sandboxes.createRequest(
                podBundle.toString(), SandboxRequests.config("", security), ""));
    assertThat(response.code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    assertThat(response.message()).startsWith(what).endsWith("needs sandboxer = \"podsandbox\"");
  }

  @Test
  void anIdThatIsNoneIsRefusedAndKeepsNoPod() throws Exception {
    ProtoWriter config = SandboxRequests.config("", SandboxRequests.onHost());
    ProtoWriter create =
        sandboxes
            .createRequest(podBundle.toString(), config, "")
            .string(1, "a b"); // the last counts
    assertThat(sandboxes.call("CreateSandbox", create).message())
        .startsWith("sandbox create failed: invalid container id \"a b\"");
    shutDown();
  }

  @Test
  void whatIsMissingOrTwiceIsRefused() throws Exception {
    String missing = "sandbox " + pod.id() + ": not found";
    for (String method :
        List.of("StartSandbox", "StopSandbox", "WaitSandbox", "SandboxStatus", "PingSandbox"))
      assertFails(sandboxes.call(method, pod.request()), StatusCode.NOT_FOUND, missing);
    onHost("");
    assertFails(
        sandboxes.call(
            "CreateSandbox", sandboxes.createRequest(podBundle.toString(), new ProtoWriter(), "")),
        StatusCode.ALREADY_EXISTS,
        "sandbox " + pod.id() + ": already exists");
    assertFails(
        pod.call("Create", pod.createRequest("", "", "", false)),
        StatusCode.ALREADY_EXISTS,
        "container " + pod.id() + ": already exists");
    for (String method : List.of("State", "Start", "Delete", "Kill", "Pids"))
      assertFails(
          pod.call(method, pod.request()),
          StatusCode.NOT_FOUND,
          "container not created: not found");
    assertThat(sandboxes.call("Nothing", pod.request()).code()).isEqualTo(StatusCode.UNIMPLEMENTED);
    pod.ok("Shutdown", pod.request());
    sandboxes.ok("PingSandbox");
    shutDown();
  }

  @Test
  void aFailedCreateLeavesNothingAndCanBeRepeated() throws Exception {
    TtrpcResponse failed =
        sandboxes.call(
            "CreateSandbox",
            sandboxes.createRequest(
                podBundle.toString(),
                SandboxRequests.config("", SandboxRequests.security()),
                "/no/such/network"));
    assertThat(failed.message()).startsWith("sandbox create failed: ").contains("/no/such/network");
    assertThat(sandbox.left(pod.id()).stream().filter(l -> !l.startsWith("process")))
        .as("%s", failed)
        .isEmpty();
    onHost("");
    shutDown();
  }

  @Test
  void whateverIsLeftGoesWithThePod() throws Exception {
    int pause = onHost("");
    String id = container("c", pause, "exec sleep 1000");
    CompletableFuture<TtrpcResponse> wait = sandboxes.send("WaitSandbox", pod.request());
    shutDown();
    assertThat(ShimPod.ok("WaitSandbox", TtrpcClient.await(wait)).int32(1)).isEqualTo(137);
    assertThat(sink.events()).endsWith("exit " + id + " 137", "delete " + id + " 137");
  }

  /// containerd closes the connection; where it does not, the keeper does not wait for that.
  @Test
  void theKeeperEndsAlsoWhereItsClientStays() throws Exception {
    onHost("");
    sandboxes.ok("ShutdownSandbox");
    pod.awaitKeeper();
  }

  @Test
  void theEnginesDeathIsNotNoticed() throws Exception {
    int pause = onHost("");
    CompletableFuture<TtrpcResponse> wait = sandboxes.send("WaitSandbox", pod.request());
    sandbox.killEngine();
    assertThat(sandboxes.ok("SandboxStatus").int32(2)).isEqualTo(pause);
    String id = container("c", pause, "exec sleep 1000");
    sandbox.killEngine();
    new ProcessBuilder("kill", "-KILL", "" + pause).start().waitFor();
    assertThat(ShimPod.ok("WaitSandbox", TtrpcClient.await(wait)).int32(1)).isEqualTo(137);
    assertThat(sandboxes.ok("SandboxStatus").string(3)).isEqualTo("SANDBOX_NOTREADY");
    end(id);
    sandbox.killEngine();
    shutDown();
    assertThat(sink.events()).hasSize(4);
  }

  @Test
  void deleteRemovesAPodWhoseKeeperIsGone() throws Exception {
    int pause = onHost("");
    container("c", pause, "exec sleep 1000");
    ProcessHandle.of(pod.keeperPid()).orElseThrow().destroyForcibly();
    pod.awaitKeeper();
    assertThat(
            ProtoMessage.parse(pod.deleteByCommand().getBytes(StandardCharsets.ISO_8859_1))
                .int32(1))
        .isEqualTo(pause);
  }
}
