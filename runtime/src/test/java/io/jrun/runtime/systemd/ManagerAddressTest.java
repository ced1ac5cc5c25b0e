package io.jrun.runtime.systemd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManagerAddressTest {
  @TempDir private Path directory;

  private ManagerAddress find(Map<String, String> variables) {
    return ManagerAddress.find(true, 54321, name -> Optional.ofNullable(variables.get(name)));
  }

  @Test
  void theUsersOwnSocketComesBeforeTheBus() throws Exception {
    Map<String, String> both =
        Map.of(
            "XDG_RUNTIME_DIR",
            directory.toString(),
            "DBUS_SESSION_BUS_ADDRESS",
            "unix:path=/x/bus,guid=00");
    assertThat(find(both)).isEqualTo(new ManagerAddress("/x/bus", true));
    Files.createDirectory(directory.resolve("systemd"));
    Path own = Files.createFile(directory.resolve("systemd/private"));
    assertThat(find(both)).isEqualTo(new ManagerAddress(own.toString(), false));
  }

  @Test
  void withoutAnAddressTheBusOfTheDirectoryIsTaken() throws Exception {
    Map<String, String> given = Map.of("XDG_RUNTIME_DIR", directory.toString());
    assertThatThrownBy(() -> find(given))
        .hasMessageContaining("no systemd of the user")
        .hasMessageContaining(directory.toString());
    Path bus = Files.createFile(directory.resolve("bus"));
    assertThat(find(given)).isEqualTo(new ManagerAddress(bus.toString(), true));
  }

  @Test
  void addressesAreEscapedAndSeveral() {
    assertThat(ManagerAddress.ofBus("tcp:host=x;unix:guid=1,path=/a%20b/%25"))
        .contains(new ManagerAddress("/a b/%", true));
    assertThat(ManagerAddress.ofBus("unix:abstract=/tmp/x"))
        .contains(new ManagerAddress("@/tmp/x", true));
    assertThat(ManagerAddress.ofBus("tcp:host=x")).isEmpty();
  }
}
