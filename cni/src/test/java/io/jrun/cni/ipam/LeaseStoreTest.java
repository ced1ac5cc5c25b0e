package io.jrun.cni.ipam;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.cni.CniException;
import io.jrun.cni.address.Cidr;
import io.jrun.cni.address.IpAddress;
import io.jrun.kernel.host.HostKernel;
import io.jrun.specs.cni.Attachment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class LeaseStoreTest {
  private static final AddressRange SMALL = range("10.1.0.0/29");

  @TempDir private Path temp;

  private static AddressRange range(String subnet) {
    return AddressRange.of(Cidr.parse(subnet).orElseThrow(), null, List.of());
  }

  private static IpAddress ip(String text) {
    return IpAddress.parse(text).orElseThrow();
  }

  private LeaseStore store() {
    return new LeaseStore(new HostKernel(), temp);
  }

  private static Attachment holder(String id) {
    return new Attachment(id, "eth0");
  }

  private static LeaseStore.Request request(
      String id, String netns, AddressRange range, @Nullable IpAddress after, IpAddress... wanted) {
    return new LeaseStore.Request(
        holder(id), netns, List.of(List.of(range)), List.of(wanted), after);
  }

  private static String add(LeaseStore store, String id, AddressRange range, IpAddress... wanted) {
    return store
        .allocate(request(id, "", range, null, wanted), UnaryOperator.identity(), given -> {})
        .getFirst()
        .address()
        .toString();
  }

  @Test
  void gatewayNetworkAndBroadcastAreNeverGiven() {
    LeaseStore store = store();
    assertThat(IntStream.range(0, 5).mapToObj(i -> add(store, "c" + i, SMALL)))
        .containsExactly("10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6");
    assertThatThrownBy(() -> add(store, "c6", SMALL))
        .hasMessage("no addresses left in [10.1.0.1-10.1.0.6]")
        .extracting(e -> ((CniException) e).code())
        .isEqualTo(11);
  }

  @Test
  void releasedAddressesAreReusedLastTheLongestUnusedFirst() {
    LeaseStore store = store();
    for (int i = 0; i < 4; i++) add(store, "c" + i, SMALL);
    store.release(holder("c2"));
    store.release(holder("c0"));
    assertThat(add(store, "new", SMALL)).isEqualTo("10.1.0.6");
    assertThat(add(store, "a", SMALL)).isEqualTo("10.1.0.4");
    assertThat(add(store, "b", SMALL)).isEqualTo("10.1.0.2");
    assertThat(store.release(holder("gone"))).isEmpty();
  }

  @Test
  void whatAProcessLeftIsThereForTheNext() {
    add(store(), "c0", SMALL);
    add(store(), "c1", SMALL);
    store().release(holder("c0"));
    assertThat(store().leases()).containsExactly(new Lease(ip("10.1.0.3"), holder("c1"), ""));
    assertThat(add(store(), "c2", SMALL)).isEqualTo("10.1.0.4");
  }

  @Test
  void whoHoldsWhatIsSeenAsOthersHaveChangedIt() {
    LeaseStore one = store();
    LeaseStore other = store();
    add(one, "c1", SMALL);
    assertThat(one.of(holder("c1"))).containsExactly(ip("10.1.0.2"));
    other.release(holder("c1"));
    assertThat(one.of(holder("c1"))).isEmpty();
    add(other, "c2", SMALL);
    assertThat(one.of(holder("c2"))).containsExactly(ip("10.1.0.3"));
  }

  @Test
  void aLineThatACrashCutOffIsNotThere() throws IOException {
    LeaseStore store = store();
    add(store, "c0", SMALL);
    Path journal = temp.resolve("leases");
    for (String torn : List.of("+", "+ 10.1.0.3 c1 et", "- 10.1.0.2")) {
      Files.writeString(journal, torn, StandardOpenOption.APPEND);
      assertThat(store().leases()).hasSize(1);
      assertThat(Files.readString(journal)).isEqualTo("+ 10.1.0.2 c0 eth0 \n");
    }
    assertThat(add(store(), "c1", SMALL)).isEqualTo("10.1.0.3");
    assertThat(store.leases()).hasSize(2);
  }

  @Test
  void aDamagedLineIsNamed() throws IOException {
    Files.writeString(temp.resolve("leases"), "+ 10.1.0.2 c0 eth0 \n+ 10.1.0 c1 eth0 \n");
    assertThatThrownBy(() -> store().leases())
        .hasMessageContaining("leases: line 2 is damaged: \"+ 10.1.0 c1 eth0 \"");
  }

  @Test
  void noAddressIsGivenTwiceToThreadsOfSeveralStores() {
    AddressRange range = range("10.2.0.0/24");
    List<LeaseStore> stores = IntStream.range(0, 5).mapToObj(i -> store()).toList();
    List<CompletableFuture<String>> given = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      LeaseStore store = stores.get(i % stores.size());
      String id = "c" + i;
      given.add(CompletableFuture.supplyAsync(() -> add(store, id, range)));
    }
    assertThat(given.stream().map(CompletableFuture::join)).doesNotHaveDuplicates().hasSize(100);
  }

  @Test
  void aLongHistoryIsCompactedAndNothingForgotten() throws IOException {
    long seed = 3;
    Random random = new Random(seed);
    AddressRange range = range("10.2.0.0/26");
    LeaseStore one = store();
    LeaseStore two = store();
    Set<String> held = new java.util.TreeSet<>();
    for (int i = 0; i < 3000; i++) {
      String id = "c" + random.nextInt(40);
      LeaseStore store = random.nextBoolean() ? one : two;
      if (held.remove(id)) store.release(holder(id));
      else if (held.add(id)) add(store, id, range);
    }
    assertThat(one.leases())
        .extracting(l -> l.holder().containerId())
        .as("seed %d", seed)
        .containsExactlyInAnyOrderElementsOf(held);
    assertThat(two.leases()).isEqualTo(one.leases());
    assertThat(Files.readAllLines(temp.resolve("leases"))).hasSizeLessThan(700);
  }

  @Test
  void leasesOfNamespacesThatAreGoneAreReclaimedWhenNothingElseIsLeft() {
    LeaseStore store = store();
    for (int i = 0; i < 5; i++) {
      String netns = i == 3 ? "/run/netns/there-is-no-such" : "/proc/self/ns/net";
      store.allocate(request("c" + i, netns, SMALL, null), UnaryOperator.identity(), given -> {});
    }
    assertThat(add(store, "new", SMALL)).isEqualTo("10.1.0.5");
    assertThat(store.of(holder("c3"))).isEmpty();
    assertThatThrownBy(() -> add(store, "more", SMALL)).hasMessageContaining("no addresses left");
    assertThat(store.reclaimed())
        .extracting(lease -> lease.holder().containerId())
        .containsExactly("c3");
    assertThat(store.reclaimed()).isEmpty();
  }

  @Test
  void reservedAndRequestedAddresses() {
    LeaseStore store = store();
    AddressRange range =
        AddressRange.of(
            Cidr.parse("10.1.0.0/28").orElseThrow(),
            ip("10.1.0.4"),
            List.of(new AddressRange.Span(ip("10.1.0.1"), ip("10.1.0.3"))));
    assertThat(add(store, "c0", range)).isEqualTo("10.1.0.5");
    assertThat(add(store, "c1", range, ip("10.1.0.9"))).isEqualTo("10.1.0.9");
    assertThatThrownBy(() -> add(store, "c2", range, ip("10.1.0.9")))
        .hasMessage("requested address 10.1.0.9 is in use");
    assertThatThrownBy(() -> add(store, "c2", range, ip("10.1.0.4")))
        .hasMessageContaining("is the gateway's, reserved or outside 10.1.0.1-10.1.0.14");
    assertThatThrownBy(() -> add(store, "c2", range, ip("10.9.0.4")))
        .hasMessage("requested address 10.9.0.4 is of no range");
    assertThatThrownBy(() -> add(store, "c0", range))
        .hasMessage("container c0 has the address 10.1.0.5 for eth0 already");
    assertThat(store.leases()).hasSize(2);
  }

  @Test
  void gcKeepsOnlyWhatIsValid() {
    LeaseStore store = store();
    for (int i = 0; i < 3; i++) add(store, "c" + i, SMALL);
    assertThat(store.retain(Set.of(holder("c1"), holder("x"))))
        .extracting(l -> l.holder().containerId())
        .containsExactly("c0", "c2");
    assertThat(store.leases()).extracting(Lease::address).containsExactly(ip("10.1.0.3"));
  }

  @Test
  void addressesOfBothFamiliesAreGivenTogether() {
    LeaseStore store = store();
    LeaseStore.Request request =
        new LeaseStore.Request(
            holder("c0"),
            "",
            List.of(List.of(SMALL), List.of(range("fd00:1::/64"))),
            List.of(),
            null);
    assertThat(store.allocate(request, UnaryOperator.identity(), g -> {}))
        .extracting(g -> g.address().toString())
        .containsExactly("10.1.0.2", "fd00:1::2");
    assertThat(store.release(holder("c0"))).hasSize(2);
  }

  @Test
  void newAddressesComeFromBehindTheNodesIndex() throws IOException {
    Path file = temp.resolve("ipam.config");
    Files.writeString(
        file,
        "{\"Subnet\":\"10.244.1.0\",\"SubnetPrefix\":\"10.244.1.\",\"Gateway\":\"10.244.1.1\",\"IPIndex\":\"7\",\"More\":1}");
    LeaseStore store = store();
    for (int expected : new int[] {8, 9}) {
      NodeFile node = NodeFile.read(file).orElseThrow();
      AddressRange range = AddressRange.of(node.subnet(), node.gateway(), List.of());
      store.allocate(
          request("c" + expected, "", range, node.last()),
          UnaryOperator.identity(),
          given -> node.given(new HostKernel(), file, given.getFirst().address()));
      assertThat(Files.readString(file))
          .isEqualTo(
              "{\"Subnet\":\"10.244.1.0\",\"SubnetPrefix\":\"10.244.1.\",\"Gateway\":\"10.244.1.1\",\"IPIndex\":\""
                  + expected
                  + "\",\"More\":1}");
    }
    Files.writeString(
        file, "{\"Subnet\":\"10.244.1.0\",\"SubnetPrefix\":\"10.9.1.\",\"IPIndex\":1}");
    assertThatThrownBy(() -> NodeFile.read(file))
        .hasMessageContaining("/SubnetPrefix: must be the first numbers")
        .hasMessageContaining("/Gateway: is required")
        .hasMessageContaining("/IPIndex: must be a string");
  }
}
