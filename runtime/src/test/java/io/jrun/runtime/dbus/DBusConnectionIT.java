package io.jrun.runtime.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.host.HostKernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With a real dbus-daemon.
class DBusConnectionIT {
  private static final String BUS = "org.freedesktop.DBus";
  private static final String PATH = "/org/freedesktop/DBus";

  private final Kernel kernel = new HostKernel();
  @TempDir private Path directory;
  private Process daemon;
  private String socket;

  @BeforeEach
  void startABus() throws Exception {
    Path program = Path.of("/usr/bin/dbus-daemon");
    assumeTrue(Files.isExecutable(program), program + " is not installed");
    socket = directory.resolve("bus").toString();
    Path config = directory.resolve("bus.conf");
    Files.writeString(
        config,
        "<busconfig><listen>unix:path="
            + socket
            + "</listen><policy context='default'><allow send_destination='*'/><allow own='*'/><allow eavesdrop='true'/></policy></busconfig>");
    daemon =
        new ProcessBuilder(program.toString(), "--nofork", "--nopidfile", "--config-file=" + config)
            .inheritIO()
            .start();
    for (int i = 0; i < 1000 && !isListening(); i++) Thread.sleep(10);
  }

  /// The socket has its name before anybody listens.
  private boolean isListening() {
    try {
      connect().close();
      return true;
    } catch (DBusException e) {
      return false;
    }
  }

  @AfterEach
  void endIt() throws Exception {
    if (daemon != null) daemon.destroyForcibly().waitFor();
  }

  private DBusConnection connect() {
    return DBusConnection.open(kernel, socket, true);
  }

  @Test
  void aCallIsAnswered() {
    try (DBusConnection connection = connect()) {
      List<Value> names = connection.call(BUS, PATH, BUS, "ListNames");
      assertThat(names).hasSize(1);
      assertThat(((Value.Array) names.getFirst()).values()).contains(Value.string(BUS));
      assertThat(connection.call(BUS, PATH, BUS, "NameHasOwner", Value.string("no.such")))
          .containsExactly(Value.bool(false));
      // of more than one read
      String rule = "type='signal',arg0='" + "x".repeat(900) + "'";
      for (int i = 0; i < 30; i++) connection.subscribe(rule + ",member='M" + i + "'");
    }
  }

  @Test
  void anErrorHasItsNameAndText() {
    try (DBusConnection connection = connect()) {
      assertThatThrownBy(() -> connection.call("no.such", "/a", "a.b", "C"))
          .isInstanceOfSatisfying(
              DBusException.class,
              e -> assertThat(e.name()).isEqualTo("org.freedesktop.DBus.Error.NameHasNoOwner"))
          .hasMessageContaining("no.such");
      assertThat(connection.call(BUS, PATH, BUS, "GetId")).hasSize(1);
    }
  }

  @Test
  void aSignalIsAwaitedWhetherItCameAlreadyOrNot() {
    try (DBusConnection connection = connect();
        DBusConnection other = connect()) {
      connection.subscribe("type='signal',sender='" + BUS + "',member='NameOwnerChanged'");
      other.call(BUS, PATH, BUS, "RequestName", Value.string("a.first"), Value.uint32(0));
      connection.call(BUS, PATH, BUS, "GetId"); // the signal has come with its answer, or before
      other.call(BUS, PATH, BUS, "RequestName", Value.string("a.second"), Value.uint32(0));
      for (String name : List.of("a.first", "a.second")) {
        DBusConnection.Signal signal =
            connection.await(s ->
                s.member().equals("NameOwnerChanged")
                    && s.body().getFirst().equals(Value.string(name)));
        assertThat(signal.path()).isEqualTo(PATH);
        assertThat(signal.interfaceName()).isEqualTo(BUS);
        assertThat(signal.body()).hasSize(3);
      }
    }
  }

  @Test
  void whoIsNotThereIsNamed() {
    assertThatThrownBy(() -> DBusConnection.open(kernel, socket + "-none", true))
        .isInstanceOf(DBusException.class)
        .hasMessageContaining(socket + "-none")
        .hasMessageContaining("ENOENT");
  }

  @Test
  void aBusThatEndsIsAnError() throws Exception {
    try (DBusConnection connection = connect()) {
      daemon.destroyForcibly().waitFor();
      assertThatThrownBy(() -> connection.call(BUS, PATH, BUS, "GetId"))
          .isInstanceOf(RuntimeException.class);
    }
  }
}
