package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.runtime.engine.Sandbox.Outcome;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Engines killed, and calls that fail, while containers and sandboxes are attached to a network
/// and detached: no link, lease, element or cached result is left. It all happens in a network
/// namespace of its own, whose subnet has so few addresses that lost ones would soon be missed.
class NetworkCrashIT extends CrashSweep {
  private static final Path RESULTS = Path.of("/var/lib/cni/results");
  private static final Path TUNING = Path.of("/usr/lib/cni/tuning");

  private String netns = "";
  private boolean isSandbox;

  @BeforeAll
  void makeNetwork() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/sbin/nft")), "needs nft (nftables)");
    netns = sandbox.tag();
    shell("ip netns add " + netns + " && ip netns exec " + netns + " ip link set lo up");
    Path configs = Files.createDirectories(sandbox.top().resolve("net.d"));
    Files.createSymbolicLink(
        Files.createDirectories(sandbox.top().resolve("plugins")).resolve("simplecni"),
        sandbox.install().resolve("bin/jrun"));
    Files.writeString(
        configs.resolve("1.conf"),
        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"simplecni\",\"bridge\":\"b0\",\"ipMasq\":true,"
            + "\"ipam\":{\"subnet\":\"10.84.0.0/29\",\"dataDir\":\""
            + sandbox.top().resolve("leases")
            + "\"}}");
    Files.createSymbolicLink(sandbox.top().resolve("plugins/tuning"), TUNING);
    Files.writeString(
        configs.resolve("2.conflist"),
        "{\"cniVersion\":\"1.0.0\",\"name\":\"others\",\"plugins\":[{\"type\":\"simplecni\",\"bridge\":\"b1\",\"ipMasq\":true,"
            + "\"ipam\":{\"subnet\":\"10.85.0.0/29\",\"dataDir\":\""
            + sandbox.top().resolve("leases")
            + "\"}},{\"type\":\"tuning\"}]}");
  }

  @AfterAll
  void removeNetwork() throws Exception {
    if (!netns.isEmpty()) shell("ip netns del " + netns);
  }

  private String shell(String script) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sh", "-c", script).redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(script + ": " + out).isZero();
    return out;
  }

  @Override
  List<String> prefix() {
    return List.of("nsenter", "--net=/run/netns/" + netns, "--");
  }

  @Override
  Map<String, String> environment() {
    return Map.of(
        "NETCONFPATH", sandbox.top().resolve("net.d").toString(),
        "CNI_PATH", sandbox.top().resolve("plugins").toString());
  }

  @Override
  String[] removal() {
    return isSandbox
        ? new String[] {"sandbox", "rm", "--force", id}
        : new String[] {"delete", "--force", id};
  }

  /// A namespace that has just lost its last process is taken down in its own time.
  @Override
  List<String> left() {
    Sandbox.eventually(() -> leftNow().isEmpty());
    return leftNow();
  }

  private List<String> leftNow() {
    List<String> left = new ArrayList<>(super.left());
    try {
      String seen =
          shell("ip netns exec " + netns + " sh -c 'ip -o link; nft list ruleset; ip -6 -o route'");
      seen.lines()
          .filter(line -> line.contains("scni") || line.contains("comment"))
          .forEach(line -> left.add("in the network: " + line));
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
    String[] results = RESULTS.toFile().list();
    for (String name : results == null ? new String[0] : results)
      if (name.contains(id)) left.add("cached result " + name);
    return left;
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void runWithANetwork(boolean both) throws IOException {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      sweep("run --network", both, () -> {}, this::nothingUnlessMade, "run", "--network", "n", id);
    } finally {
      sandbox.config(text -> text);
    }
  }

  /// With a plugin that is not our own the namespace is kept for its DEL.
  @Test
  void runWithTheNetworkOfOthers() throws IOException {
    assumeTrue(Files.exists(TUNING), TUNING + " is not installed");
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      String[] words = {"run", "--network", "others", id};
      sweep("run --network of others", false, () -> {}, this::nothingUnlessMade, words);
    } finally {
      sandbox.config(text -> text);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void sandboxes(boolean both) {
    isSandbox = true;
    try {
      String[] words = {"sandbox", "run", "--network", "n", id};
      sweep("sandbox run --network", both, () -> {}, this::nothingUnlessMade, words);
    } finally {
      isSandbox = false;
    }
  }

  /// Which calls there are, and what came of one that was made to fail, through the files by which
  /// the engine is told.
  private List<String> recorded(String... words) throws IOException {
    Files.writeString(control.resolve("record"), "");
    made(words);
    return Files.readAllLines(control.resolve("places"));
  }

  private void failEveryCall(String name, String... words) throws IOException {
    for (int i = 0; i < 3; i++) {
      made(words);
      made(removal());
    }
    List<String> places = recorded(words);
    made(removal());
    int runs = 0;
    int refused = 0;
    long started = System.nanoTime();
    for (String place : SweptSteps.of(places)) {
      // what init does is swept elsewhere
      if (place.startsWith("client/")) continue;
      Files.writeString(control.resolve("fail"), place);
      Outcome outcome = command(words);
      List<String> wrong = new ArrayList<>();
      if (Files.exists(control.resolve("fail"))) wrong.add("was not asked to fail");
      runs++;
      if (outcome.status() != 0) refused++;
      if (outcome.status() != 0 && outcome.err().lines().count() != 1)
        wrong.add("not one line of error: " + outcome.err());
      if (outcome.status() != 0) left().forEach(one -> wrong.add("left by the command: " + one));
      Outcome removed = command(removal());
      if (removed.status() != 0) wrong.add("removal: " + removed.err());
      left().forEach(one -> wrong.add("left: " + one));
      String failed = Files.readString(control.resolve("failed"));
      for (String text : wrong)
        problems.add(name + ": " + place + " " + failed + ": " + text + " [" + outcome.err() + "]");
    }
    System.out.printf(
        "sweep of %s: %d calls, %d runs, %d refused, %d ms%n",
        name, places.size(), runs, refused, (System.nanoTime() - started) / 1_000_000);
    List<String> found = List.copyOf(problems);
    problems.clear();
    found.forEach(text -> System.out.println("problem: " + text));
    assertThat(found).as("problems of " + name).isEmpty();
  }

  @Test
  void everyCallOfARunWithANetworkFails() throws IOException {
    sandbox.config(text -> text.replace("[\"sleep\",\"1000\"]", "[\"true\"]"));
    try {
      failEveryCall("run --network", "run", "--network", "n", id);
    } finally {
      sandbox.config(text -> text);
    }
  }

  @Test
  void everyCallOfASandboxWithANetworkFails() throws IOException {
    isSandbox = true;
    try {
      failEveryCall("sandbox run --network", "sandbox", "run", "--network", "n", id);
    } finally {
      isSandbox = false;
    }
  }
}
