package io.jrun.cni.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.cni.CniException;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.plugin.Verb;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.specs.cni.Attachment;
import io.jrun.specs.cni.CniVersion;
import io.jrun.specs.cni.NetworkConfig;
import io.jrun.specs.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkRuntimeTest {
  private static final String RESULT =
      "{\"cniVersion\":\"%s\",\"ips\":[{\"address\":\"10.0.0.%d/24\"}]}";

  @TempDir private Path temp;
  private final RecordedPlugins plugins = new RecordedPlugins();
  private NetworkRuntime runtime = runtime(Path.of("/nonexistent"));

  private NetworkRuntime runtime(Path directory) {
    return new NetworkRuntime(
        plugins, new ResultCache(new HostKernel(), directory), List.of("/opt/cni/bin", "/x"));
  }

  @BeforeEach
  void setUp() {
    runtime = runtime(temp);
    plugins
        .answer("one", Verb.ADD, RESULT.formatted("1.0.0", 2))
        .answer("two", Verb.ADD, RESULT.formatted("1.0.0", 3));
  }

  private static NetworkConfig network(String version, String more) {
    return NetworkConfig.readList(
        "net",
        ("{\"cniVersion\":\""
                + version
                + "\",\"name\":\"net\","
                + more
                + "\"plugins\":[{\"type\":\"one\",\"own\":1},"
                + "{\"type\":\"two\",\"capabilities\":{\"mac\":true,\"ips\":true,\"dns\":false}}]}")
            .getBytes(StandardCharsets.UTF_8));
  }

  private static AttachmentArgs args(String id) {
    return new AttachmentArgs(
        id,
        "/run/netns/a",
        "eth0",
        AttachmentArgs.parseArgs("K=V;L=W=X"),
        (Json.JsonObject) Json.parse("{\"mac\":\"00:11:22:33:44:55\",\"dns\":{}}"));
  }

  @Test
  void addGoesInOrderAndHandsEachResultOn() {
    assertThat(runtime.add(network("1.0.0", ""), args("c1")).ips().getFirst().address())
        .isEqualTo("10.0.0.3/24");
    assertThat(plugins.calls()).containsExactly("ADD one", "ADD two");
    assertThat(plugins.stdin(0).toText())
        .isEqualTo("{\"type\":\"one\",\"own\":1,\"name\":\"net\",\"cniVersion\":\"1.0.0\"}");
    assertThat(plugins.stdin(1).member("prevResult"))
        .isEqualTo(
            Json.parse(
                "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.2/24\"}],\"dns\":{}}"));
    assertThat(plugins.stdin(1).member("runtimeConfig"))
        .isEqualTo(Json.parse("{\"mac\":\"00:11:22:33:44:55\"}"));
    assertThat(plugins.asked.get(1).call().environment(List.of("CNI_PATH=old", "HOME=/root")))
        .containsExactly(
            "CNI_COMMAND=ADD",
            "CNI_CONTAINERID=c1",
            "CNI_NETNS=/run/netns/a",
            "CNI_ARGS=K=V;L=W=X",
            "CNI_IFNAME=eth0",
            "CNI_PATH=/opt/cni/bin:/x",
            "HOME=/root");
  }

  @Test
  void anAddThatIsBegunIsFinishedInTheNamespace() {
    plugins.begins();
    NetworkRuntime.Begun begun = runtime.begin(network("1.0.0", ""), args("c1").in("/the/sign"));
    begun.prepare();
    assertThat(plugins.calls()).isEmpty();
    NetworkRuntime.Added added = begun.finish("/proc/1/ns/net");
    assertThat(plugins.told).containsExactly("begin /the/sign", "prepare", "finish /proc/1/ns/net");
    assertThat(plugins.calls()).containsExactly("ADD two");
    assertThat(plugins.asked.getFirst().call().netns()).isEqualTo("/proc/1/ns/net");
    assertThat(plugins.stdin(0).member("prevResult")).isNotNull();
    assertThat(added.cached().args().netns()).isEqualTo("/proc/1/ns/net");
  }

  /// Of nobody, and never closed.
  private static NetworkNamespace namespace() {
    Kernel none =
        new Kernel() {
          @Override
          public <R> R call(HostCall<R> call) {
            throw new IllegalStateException(call.text());
          }
        };
    OwnedDescriptor descriptor = new OwnedDescriptor(none, 0);
    return new NetworkNamespace(descriptor, new NetlinkSocket(none, descriptor));
  }

  @Test
  void anAddThatIsWiredAheadGoesNowhereUnlessAnotherPluginIsBehindIt() {
    plugins.begins();
    NetworkRuntime.Begun two = runtime.begin(network("1.0.0", ""), args("c1"));
    two.wire(namespace());
    assertThat(two.enters()).isFalse();
    assertThat(two.isAllWired()).as("with a second plugin").isFalse();
    NetworkConfig alone =
        NetworkConfig.readList(
            "test",
            "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"one\"}]}"
                .getBytes(StandardCharsets.UTF_8));
    NetworkRuntime.Begun one = runtime.begin(alone, args("c2"));
    assertThat(one.isAllWired()).as("not wired").isFalse();
    plugins.wires(false);
    one.wire(namespace());
    assertThat(one.isAllWired()).as("that needs a process").isFalse();
    assertThat(one.enters()).isTrue();
    plugins.wires(true);
    one.wire(namespace());
    assertThat(one.isAllWired()).isTrue();
    two.abandon();
    one.abandon();
  }

  @Test
  void aFailureAheadNoLongerKeepsGcAway() {
    plugins.begins();
    NetworkConfig network = network("1.0.0", "");
    NetworkRuntime.Begun begun = runtime.begin(network, args("c1"));
    plugins.fail("one", Verb.ADD, 999, "no");
    assertThatThrownBy(() -> begun.wire(namespace()))
        .hasMessageContaining("plugin type=\"one\" failed (add)");
    runtime.gc(network, Set.of());
  }

  @Test
  void whatAnAddHasBegunKnowsOfItselfIsNotLookedUpByItsDel() {
    plugins.begins();
    NetworkConfig network = network("1.0.0", "");
    NetworkRuntime.Begun begun = runtime.begin(network, args("c1").in("/the/sign"));
    begun.prepare();
    NetworkRuntime.Added added = begun.finish("/proc/1/ns/net");
    runtime.del(network, args("c1").in(""), added.cached(), added.first());
    assertThat(plugins.calls()).containsExactly("ADD two", "DEL two");
    assertThat(plugins.told).endsWith("delete");
    assertThat(temp.resolve("results")).isEmptyDirectory();
    // processes may still be there: it is for the plugin to see to that
    runtime.del(network, args("c1"), added.cached(), added.first());
    assertThat(plugins.calls()).endsWith("DEL two", "DEL one");
  }

  @Test
  void aDelThatFailsKeepsTheCachedResult() {
    plugins.begins().fail("one", Verb.DEL, 999, "no");
    NetworkConfig network = network("1.0.0", "");
    NetworkRuntime.Begun begun = runtime.begin(network, args("c1"));
    begun.prepare();
    NetworkRuntime.Added added = begun.finish("/proc/1/ns/net");
    assertThatThrownBy(() -> runtime.del(network, args("c1").in(""), added.cached(), added.first()))
        .hasMessageContaining("plugin type=\"one\" failed (delete)");
    assertThat(temp.resolve("results/net-c1-eth0")).exists();
  }

  @Test
  void aResultThatACrashKeptFromBeingCachedGoesWithTheDel() throws IOException {
    Path half = temp.resolve("results/.net-c1-eth0.new");
    Files.createDirectories(half.getParent());
    Files.writeString(half, "{");
    runtime.del(network("1.0.0", ""), args("c1"));
    assertThat(half).doesNotExist();
  }

  @Test
  void anAddThatCouldNotBePreparedKeepsNobodyWaiting() {
    plugins.begins().fail("one", Verb.ADD, 11, "no addresses");
    NetworkRuntime.Begun begun = runtime.begin(network("1.0.0", ""), args("c1"));
    assertThatThrownBy(begun::prepare).hasMessageContaining("no addresses");
    assertThat(plugins.told).containsExactly("begin /run/netns/a", "prepare");
    runtime.gc(network("1.0.0", ""), Set.of());
  }

  @Test
  void anAddThatIsAbandonedIsTakenBackAndKeepsNobodyWaiting() {
    plugins.begins();
    runtime.begin(network("1.0.0", ""), args("c1")).abandon();
    assertThat(plugins.told).containsExactly("begin /run/netns/a", "abandon");
    runtime.gc(network("1.0.0", ""), Set.of());
    assertThat(temp.resolve("results")).doesNotExist();
  }

  @Test
  void theCacheIsInLibcnisFormat() throws IOException {
    NetworkConfig network = network("1.0.0", "");
    runtime.add(network, args("c1"));
    Path file = temp.resolve("results/net-c1-eth0");
    assertThat(Json.parse(Files.readString(file)))
        .isEqualTo(
            Json.parse(
                """
                {"kind":"cniCacheV1","containerId":"c1","config":"%s","ifName":"eth0",
                 "networkName":"net","netns":"/run/netns/a","cniArgs":[["K","V"],["L","W=X"]],
                 "capabilityArgs":{"mac":"00:11:22:33:44:55","dns":{}},
                 "result":{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.3/24"}],"dns":{}}}\
                """
                    .formatted(
                        java.util.Base64.getEncoder()
                            .encodeToString(network.source().getBytes(StandardCharsets.UTF_8)))));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file.getParent())))
        .isEqualTo("rwx------");
  }

  @Test
  void addStopsAtTheFirstFailureAndCachesNothing() {
    plugins.fail("one", Verb.ADD, 11, "later");
    assertThatThrownBy(() -> runtime.add(network("1.0.0", ""), args("c1")))
        .isInstanceOf(CniException.class)
        .hasMessage("plugin type=\"one\" failed (add): later")
        .extracting(e -> ((CniException) e).code())
        .isEqualTo(11);
    assertThat(plugins.calls()).containsExactly("ADD one");
    assertThat(temp.resolve("results")).doesNotExist();
  }

  @Test
  void delGoesInReverseWithTheCachedResultAndForgetsIt() {
    runtime.add(network("0.4.0", ""), args("c1"));
    plugins.asked.clear();
    plugins.fail("one", Verb.DEL, 999, "no");
    assertThatThrownBy(() -> runtime.del(network("0.4.0", ""), args("c1")))
        .hasMessage("plugin type=\"one\" failed (delete): no");
    plugins.succeed("one", Verb.DEL);
    runtime.del(network("0.4.0", ""), args("c1"));
    runtime.del(network("0.4.0", ""), args("c1"));
    assertThat(plugins.calls())
        .containsExactly("DEL two", "DEL one", "DEL two", "DEL one", "DEL two", "DEL one");
    for (int i = 0; i < 4; i++) assertThat(plugins.stdin(i).member("prevResult")).isNotNull();
    for (int i = 4; i < 6; i++) assertThat(plugins.stdin(i).member("prevResult")).isNull();
    assertThat(temp.resolve("results/net-c1-eth0")).doesNotExist();
  }

  @Test
  void aDelThatFailsAsksNoPluginBeforeIt() {
    runtime.add(network("1.0.0", ""), args("c1"));
    plugins.asked.clear();
    plugins.fail("two", Verb.DEL, 999, "no");
    assertThatThrownBy(() -> runtime.del(network("1.0.0", ""), args("c1")))
        .hasMessage("plugin type=\"two\" failed (delete): no");
    assertThat(plugins.calls()).containsExactly("DEL two");
    assertThat(temp.resolve("results/net-c1-eth0")).exists();
  }

  @Test
  void delOfAnOldVersionAndWithADamagedCacheGoesWithoutPreviousResult() throws IOException {
    runtime.add(network("0.3.1", ""), args("c1"));
    runtime.del(network("0.3.1", ""), args("c1"));
    assertThat(plugins.calls()).endsWith("DEL two", "DEL one");
    for (int i = 2; i < 4; i++) assertThat(plugins.stdin(i).member("prevResult")).isNull();
    runtime.add(network("1.0.0", ""), args("c1"));
    Files.writeString(temp.resolve("results/net-c1-eth0"), "{\"kind\":\"cniCacheV1\",");
    plugins.asked.clear();
    runtime.del(network("1.0.0", ""), args("c1"));
    assertThat(plugins.stdin(0).member("prevResult")).isNull();
  }

  @Test
  void delRemembersTheArgumentsThatAddWasGiven() {
    runtime.add(network("1.0.0", ""), args("c1"));
    plugins.asked.clear();
    runtime.del(
        network("1.0.0", ""),
        new AttachmentArgs("c1", "", "eth0", List.of(), Json.JsonObject.EMPTY));
    assertThat(plugins.stdin(0).member("runtimeConfig"))
        .isEqualTo(Json.parse("{\"mac\":\"00:11:22:33:44:55\"}"));
    assertThat(plugins.asked.getFirst().call().args()).isEqualTo("K=V;L=W=X");
  }

  @Test
  void checkNeedsItsVersionAndACachedResult() {
    assertThatThrownBy(() -> runtime.check(network("0.3.1", ""), args("c1")))
        .hasMessage("configuration version 0.3.1 does not support CHECK");
    assertThatThrownBy(() -> runtime.check(network("0.4.0", ""), args("c1")))
        .hasMessage("no cached result of c1 eth0 on network net");
    runtime.check(network("0.4.0", "\"disableCheck\":true,"), args("c1"));
    assertThat(plugins.calls()).isEmpty();
    runtime.add(network("0.4.0", ""), args("c1"));
    runtime.check(network("0.4.0", ""), args("c1"));
    assertThat(plugins.calls()).containsExactly("ADD one", "ADD two", "CHECK one", "CHECK two");
    for (int i = 2; i < 4; i++)
      assertThat(plugins.stdin(i).member("prevResult"))
          .asString()
          .as("the last result")
          .contains("10.0.0.3/24");
  }

  @Test
  void gcDeletesWhatIsNotValidThenAsksThePlugins() {
    NetworkConfig network = network("1.1.0", "");
    plugins.answer("one", Verb.ADD, RESULT.formatted("1.1.0", 2));
    for (String id : List.of("c1", "c2", "c3")) runtime.add(network, args(id));
    plugins.asked.clear();
    plugins.fail("one", Verb.DEL, 999, "no");
    assertThatThrownBy(() -> runtime.gc(network, Set.of(new Attachment("c2", "eth0"))))
        .hasMessage("plugin type=\"one\" failed (delete): no")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    assertThat(plugins.calls())
        .containsExactly("DEL two", "DEL one", "DEL two", "DEL one", "GC one", "GC two");
    Json valid = Json.parse("[{\"containerID\":\"c2\",\"ifname\":\"eth0\"}]");
    assertThat(plugins.stdin(4).member("cni.dev/valid-attachments")).isEqualTo(valid);
    assertThat(plugins.stdin(4).member("cni.dev/attachments")).isEqualTo(valid);

    plugins.asked.clear();
    runtime.gc(network("1.1.0", "\"disableGC\":true,"), Set.of());
    assertThat(plugins.calls()).isEmpty();

    plugins.succeed("one", Verb.DEL);
    runtime.gc(network("1.0.0", ""), Set.of(new Attachment("c2", "eth0")));
    assertThat(plugins.calls())
        .as("of a version without GC")
        .containsExactly("DEL two", "DEL one", "DEL two", "DEL one");
  }

  @Test
  void statusIsAskedFromItsVersionOn() {
    runtime.status(network("1.0.0", ""));
    assertThat(plugins.calls()).isEmpty();
    plugins.fail("two", Verb.STATUS, 50, "not now");
    assertThatThrownBy(() -> runtime.status(network("1.1.0", "")))
        .hasMessage("plugin type=\"two\" failed (status): not now");
  }

  @Test
  void aResultThatMakesNoSenseIsADecodingFailure() {
    plugins.answer("one", Verb.ADD, "hello");
    assertThatThrownBy(() -> runtime.add(network("1.0.0", ""), args("c1")))
        .hasMessageContaining("the result of one: is not JSON")
        .extracting(e -> ((CniException) e).code())
        .isEqualTo(6);
  }

  @Test
  void namesThatNoPluginTakesAreRefused() {
    NetworkConfig network = network(CniVersion.V1_0_0.text(), "");
    assertThatThrownBy(() -> runtime.add(network, args("../c1")))
        .hasMessage("invalid container id \"../c1\"");
    assertThatThrownBy(() -> AttachmentArgs.parseArgs("K=V;;"))
        .hasMessage("invalid CNI_ARGS pair \"\"");
  }
}
