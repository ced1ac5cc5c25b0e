package io.jrun.cni.simple;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.cni.NetworkNamespace;
import io.jrun.cni.netlink.Link;
import io.jrun.cni.netlink.Links;
import io.jrun.cni.netlink.NetlinkSocket;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.SignalCall;
import io.jrun.kernel.host.HostKernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Links that go, in a namespace of the test's own: a thread is in that of whoever has started it.
class LinkRemovalIT {
  private static final HostKernel KERNEL = new HostKernel();

  @SuppressWarnings("NullAway.Init")
  private NetworkNamespace host;

  @SuppressWarnings("NullAway.Init")
  private NetlinkSocket socket;

  @SuppressWarnings("NullAway.Init")
  private Process process;

  private final LinkRemoval removal = new LinkRemoval(KERNEL);

  @BeforeAll
  static void asRoot() throws IOException {
    assumeTrue((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0, "needs root");
  }

  @BeforeEach
  void prepare() throws IOException {
    host = new NetworkNamespace(KERNEL);
    socket = host.socket();
    process = new ProcessBuilder("sleep", "1000").start();
  }

  @AfterEach
  void clean() {
    process.destroyForcibly();
    socket.close();
    host.close();
  }

  private int make() {
    host.command("ip", "link", "add", "x", "type", "bridge");
    return Links.find(socket, "x").orElseThrow().index();
  }

  private void atEndOfTheProcess() {
    Link link = Links.find(socket, "x").orElseThrow();
    OwnedDescriptor pidfd =
        OwnedDescriptor.open(KERNEL, new SignalCall.PidfdOpen((int) process.pid()));
    host.in(() -> {
      removal.atEnd(link, pidfd);
      return 0;
    });
  }

  private void removed() {
    host.in(() -> {
      removal.begin("x").awaitUnlisted();
      return 0;
    });
    assertThat(Links.find(socket, "x")).isEmpty();
  }

  @Test
  void aLinkGoesWithAProcess() throws InterruptedException {
    int index = make();
    atEndOfTheProcess();
    Thread.sleep(100);
    assertThat(socket.finds(index)).isTrue();
    process.destroyForcibly();
    long end = System.nanoTime() + 10_000_000_000L;
    while (socket.finds(index) && System.nanoTime() < end) Thread.sleep(1);
    assertThat(Links.find(socket, "x")).isEmpty();
    removed();
  }

  @Test
  void aLinkThatIsGoneIsAsItShouldBe() {
    removed();
    make();
    removed();
    removed();
  }

  @Test
  void whoAsksDoesNotWaitForTheProcess() {
    make();
    atEndOfTheProcess();
    removed();
  }

  @Test
  void theRemovalOfAFormerLinkIsNotThatOfTheNextOne() {
    make();
    atEndOfTheProcess();
    removed();
    process.destroyForcibly();
    for (int i = 0; i < 20; i++) {
      make();
      removed();
    }
  }
}
