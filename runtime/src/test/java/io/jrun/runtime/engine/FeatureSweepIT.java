package io.jrun.runtime.engine;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a config, a flag or the environment adds to the calls of a default container's life, each
/// call failing in turn. What a default container calls is swept by [FailEveryCallIT].
class FeatureSweepIT extends CallSweep {
  private List<String> ofCreate = List.of();
  private List<String> ofStart = List.of();
  private List<String> ofExec = List.of();

  @BeforeAll
  void learnTheUsualCalls() {
    String id = newId();
    ofCreate = calls(id, "create", id);
    ofStart = calls(id, "start", id);
    ofExec = calls(id, "exec", id, "true");
    made("delete", "--force", id);
  }

  private static String[] words(String command, List<String> flags, String id, String... more) {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(flags);
    words.add(id);
    words.addAll(List.of(more));
    return words.toArray(String[]::new);
  }

  private void sweepCreate(String feature, String... flags) {
    sweep(
        new Sweep(
                "create " + feature,
                id -> {},
                id -> words("create", List.of(flags), id),
                this::nothingUnlessMade)
            .beside(ofCreate));
  }

  private void sweepStart(String feature) {
    sweep(
        new Sweep(
                "start " + feature,
                this::created,
                id -> new String[] {"start", id},
                this::runsUnlessRefused)
            .beside(ofStart));
  }

  private void sweepExec(String feature) {
    sweep(
        new Sweep(
                "exec " + feature,
                this::running,
                id -> new String[] {"exec", id, "true"},
                this::runsAlone)
            .beside(ofExec));
  }

  private void runsUnlessRefused(String id, Outcome outcome, List<String> wrong) {
    if (outcome.status() == 0) stillRuns(id, outcome, wrong);
  }

  @Test
  void hooksBindsSysctlsSeccompAndAnotherUser() throws Exception {
    String hook = "[{\"path\":\"/bin/true\"}]";
    String hooks =
        "\"hooks\":{\"createRuntime\":%s,\"createContainer\":%s,\"startContainer\":%s,\"poststart\":%s,\"poststop\":%s},"
            .formatted(hook, hook, hook, hook, hook);
    String seccomp =
        "\"linux\":{\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
            + "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":"
            + "[{\"names\":[\"swapon\"],\"action\":\"SCMP_ACT_ERRNO\"}]},";
    String bind =
        "\"mounts\":[{\"destination\":\"/mnt\",\"source\":\"/tmp\",\"type\":\"bind\","
            + "\"options\":[\"rbind\",\"ro\"]},";
    withConfig(
        text ->
            text.replaceFirst("\\{", "{" + hooks)
                .replace("\"linux\":{", seccomp)
                .replace("\"mounts\":[", bind)
                .replace("\"uid\":0,\"gid\":0", "\"uid\":1000,\"gid\":1000"),
        () -> {
          sweepCreate("with hooks, binds, sysctls, seccomp");
          sweepStart("with hooks and seccomp");
          sweepExec("with seccomp");
        });
  }

  /// What goes through a process in between and asks init on the way.
  @Test
  void userAndTimeNamespaces() throws Exception {
    String linux =
        "\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],"
            + "\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1000}],"
            + "\"timeOffsets\":{\"boottime\":{\"secs\":5}},"
            + "\"memoryPolicy\":{\"mode\":\"MPOL_DEFAULT\"},";
    String mounts =
        "\"mounts\":[{\"destination\":\"/mnt\",\"source\":\"/mnt\",\"type\":\"bind\","
            + "\"options\":[\"bind\",\"idmap\"]},"
            + "{\"destination\":\"/etc\",\"source\":\"tmpfs\",\"type\":\"tmpfs\","
            + "\"options\":[\"tmpcopyup\"]},"
            + "{\"destination\":\"/srv\",\"source\":\"%s\",\"type\":\"bind\","
                .formatted(sandbox.bundle().resolve("rootfs/bin"))
            + "\"options\":[\"bind\",\"idmap\"]},";
    withConfig(
        text ->
            text.replace("\"linux\":{", linux)
                .replace("\"mounts\":[", mounts)
                .replace(
                    "\"namespaces\":[", "\"namespaces\":[{\"type\":\"user\"},{\"type\":\"time\"},"),
        () -> {
          sweepCreate("in a user namespace");
          sweepExec("in a user namespace");
        });
  }

  @Test
  void aSandbox() {
    String shared = newId();
    made("sandbox", "run", shared);
    try {
      sweepCreate("--sandbox", "--sandbox", shared);
    } finally {
      made("sandbox", "rm", shared);
    }
  }

  @Test
  void namespacesThatAreJoined() throws Exception {
    withConfig(
        text -> {
          String joined = text;
          for (Map.Entry<String, String> type :
              Map.of("network", "net", "ipc", "ipc", "uts", "uts", "cgroup", "cgroup").entrySet())
            joined =
                joined.replace(
                    "{\"type\":\"" + type.getKey() + "\"}",
                    "{\"type\":\"%s\",\"path\":\"/proc/self/ns/%s\"}"
                        .formatted(type.getKey(), type.getValue()));
          return joined.replace("\"hostname\":\"jrun\",", "");
        },
        () -> sweepCreate("in joined namespaces"));
  }

  @Test
  void noMountNamespace() throws Exception {
    withConfig(
        text ->
            Sandbox.withoutMountNamespace(text)
                .replaceFirst("\"mounts\":\\[.*?\\]\\}\\],", "\"mounts\":[],")
                .replace("\"readonly\":true", "\"readonly\":false"),
        () -> {
          sweepCreate("without a mount namespace");
          sweepExec("without a mount namespace");
        });
  }

  @Test
  void mountsOnTheHost() throws Exception {
    withConfig(
        Sandbox::withoutMountNamespace,
        () -> {
          sweepCreate("with mounts on the host");
          sweep(
              new Sweep(
                      "delete with mounts on the host",
                      this::created,
                      id -> new String[] {"delete", id},
                      (id, outcome, wrong) -> {
                        if (outcome.status() == 0) nothing(id, wrong);
                      })
                  .beside(ofCreate));
        });
  }

  @Test
  void aRootThatIsMovedInsteadOfPivoted() {
    sweepCreate("--no-pivot", "--no-pivot");
  }

  @Test
  void aConsoleAndWhoeverAsksForPids() throws Exception {
    Path console = sandbox.top().resolve("console.sock");
    Path pidfd = sandbox.top().resolve("pidfd.sock");
    Path file = sandbox.top().resolve("pid");
    try (PeerSocket forConsole = new PeerSocket(console);
        PeerSocket forPidfd = new PeerSocket(pidfd)) {
      withConfig(
          text -> text.replace("\"terminal\":false", "\"terminal\":true"),
          () ->
              sweep(
                  new Sweep(
                          "create with a console and pids",
                          id -> delete(file),
                          id ->
                              words(
                                  "create",
                                  List.of(
                                      "--console-socket",
                                      console.toString(),
                                      "--pidfd-socket",
                                      pidfd.toString(),
                                      "--pid-file",
                                      file.toString()),
                                  id),
                          (id, outcome, wrong) -> {
                            nothingUnlessMade(id, outcome, wrong);
                            noPidFileUnlessMade(file, outcome, wrong);
                          })
                      .beside(ofCreate)));
      sweep(
          new Sweep(
                  "exec with a console and pids",
                  id -> {
                    delete(file);
                    running(id);
                  },
                  id ->
                      words(
                          "exec",
                          List.of(
                              "--tty",
                              "--detach",
                              "--console-socket",
                              console.toString(),
                              "--pidfd-socket",
                              pidfd.toString(),
                              "--pid-file",
                              file.toString()),
                          id,
                          "true"),
                  (id, outcome, wrong) -> {
                    runsAlone(id, outcome, wrong);
                    noPidFileUnlessMade(file, outcome, wrong);
                  })
              .beside(ofExec));
    }
  }

  private static void noPidFileUnlessMade(Path file, Outcome outcome, List<String> wrong) {
    if (Files.exists(file) != (outcome.status() == 0)) wrong.add("not as it should be: " + file);
    if (Files.exists(file.resolveSibling("." + file.getFileName()))) wrong.add("left: its draft");
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void aSeccompAgent() throws Exception {
    Path agent = sandbox.top().resolve("agent.sock");
    String seccomp =
        "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"%s\",\"syscalls\":[{\"names\":[\"swapon\"],\"action\":\"SCMP_ACT_NOTIFY\"}]},"
            .formatted(agent);
    try (PeerSocket listening = new PeerSocket(agent)) {
      withConfig(
          text ->
              text.replace("\"linux\":{", seccomp)
                  .replace("\"noNewPrivileges\":true", "\"noNewPrivileges\":false"),
          () -> sweepCreate("with a seccomp agent"));
      withConfig(
          text -> text.replace("\"linux\":{", seccomp),
          () -> {
            sweepStart("with a seccomp agent");
            sweepExec("with a seccomp agent");
          });
    }
  }

  @Test
  void aServiceManager() throws Exception {
    Path socket = sandbox.top().resolve("manager.sock");
    try (ServiceManager manager = new ServiceManager(socket, sandbox.state())) {
      with(
          "NOTIFY_SOCKET",
          socket.toString(),
          () -> {
            sweepCreate("with $NOTIFY_SOCKET");
            sweepStart("with $NOTIFY_SOCKET");
          });
    }
  }

  /// A device that was not moved is as it was; one that was is deleted with its namespace, as the
  /// kernel does with virtual ones.
  @Test
  void networkDevices() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/sbin/ip")), "needs ip (iproute2)");
    String device = "jd" + ProcessHandle.current().pid();
    withConfig(
        text ->
            text.replace(
                "\"linux\":{",
                "\"linux\":{\"netDevices\":{\"%s\":{\"name\":\"eth7\"}},".formatted(device)),
        () -> {
          try {
            sweep(
                new Sweep(
                        "create with a network device",
                        id -> makeDevice(device),
                        id -> new String[] {"create", id},
                        (id, outcome, wrong) -> {
                          nothingUnlessMade(id, outcome, wrong);
                          String seen = ip("-o", "addr", "show", device);
                          if (outcome.status() != 0
                              && !seen.isEmpty()
                              && !(seen.contains("192.0.2.9/24") && isUp(device)))
                            wrong.add("the device is not as it was: " + seen);
                        })
                    .beside(ofCreate));
          } finally {
            ip("link", "del", device);
          }
        });
  }

  private static void makeDevice(String device) {
    if (!ip("-o", "link", "show", device).isEmpty()) return;
    // the other end goes with the namespace that the device was moved to
    Sandbox.eventually(() -> ip("-o", "link", "show", device + "p").isEmpty());
    ip("link", "add", device, "type", "veth", "peer", "name", device + "p");
    ip("addr", "add", "192.0.2.9/24", "dev", device);
    ip("link", "set", device, "up");
  }

  private static boolean isUp(String device) {
    return ip("-o", "link", "show", device).matches("(?s).*[<,]UP[,>].*");
  }

  private static String ip(String... words) {
    List<String> all = new ArrayList<>(List.of("ip"));
    all.addAll(List.of(words));
    try {
      Process process =
          new ProcessBuilder(all).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void anImage() throws Exception {
    Path store = sandbox.top().resolve("store");
    Path image = sandbox.top().resolve("image.tar");
    made(
        "rootfs", "pack", "--oci", sandbox.bundle().resolve("rootfs").toString(), image.toString());
    made("image", "load", "--store", store.toString(), "--name", "app", image.toString());
    List<String> flags = List.of("--detach", "--image", "app", "--store", store.toString());
    String known = newId();
    made(words("run", flags, known, "true")); // unpacks the layers
    made("delete", "--force", known);
    List<String> others = calls(known, "run", "--detach", known);
    made("delete", "--force", known);
    sweep(
        new Sweep(
                "run --image",
                id -> {},
                id -> words("run", flags, id, "sleep", "1000"),
                (id, outcome, wrong) -> {
                  if (outcome.status() == 0) {
                    stillRuns(id, outcome, wrong);
                    made("delete", "--force", id);
                  }
                  nothing(id, wrong);
                  for (String name : List.of("bundles", "leases")) {
                    String[] left = store.resolve(name).toFile().list();
                    if (left != null && left.length > 0)
                      wrong.add("left in " + name + ": " + List.of(left));
                  }
                })
            .beside(others));
  }

  @Test
  void aScopeOfSystemd() throws Exception {
    assumeTrue(Files.exists(Path.of("/run/systemd/private")), "needs systemd as PID 1");
    withConfig(
        text -> text,
        () -> {
          List<String> global = List.of("--systemd-cgroup");
          sweep(
              new Sweep(
                      "create --systemd-cgroup",
                      id -> {},
                      id -> new String[] {global.getFirst(), "create", id},
                      this::nothingUnlessMade)
                  .beside(ofCreate));
          sweep(
              new Sweep(
                  "delete --force of a scope",
                  id -> made(global.getFirst(), "create", id),
                  id -> new String[] {"delete", "--force", id},
                  (id, outcome, wrong) -> {
                    if (outcome.status() == 0) nothing(id, wrong);
                  }));
          sweep(
              new Sweep(
                  "update of a scope",
                  id -> made(global.getFirst(), "run", "--detach", id),
                  id -> new String[] {"update", "--pids-limit", "9", id},
                  this::stillRuns));
        });
  }

  @Test
  void pausedContainers() {
    sweep(
        new Sweep(
            "kill --all of a paused container",
            this::paused,
            id -> new String[] {"kill", "--all", id, "KILL"},
            (id, outcome, wrong) -> {}));
    // all its calls: how often a cgroup is looked at until its processes have ended is chance, so
    // that another delete's may happen to have each text of this one's
    sweep(
        new Sweep(
            "delete --force of a paused container",
            this::paused,
            id -> new String[] {"delete", "--force", id},
            (id, outcome, wrong) -> {
              if (outcome.status() == 0) nothing(id, wrong);
            }));
  }

  @Test
  void spec() throws Exception {
    Path directory = Files.createDirectory(sandbox.top().resolve("spec"));
    Path file = directory.resolve("config.json");
    sweep(
        new Sweep(
            "spec",
            id -> delete(file),
            id -> new String[] {"spec", "--bundle", directory.toString()},
            (id, outcome, wrong) -> {
              if (outcome.status() != 0 && Files.exists(file)) wrong.add("left: " + file);
            }));
  }
}
