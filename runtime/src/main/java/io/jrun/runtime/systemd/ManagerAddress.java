package io.jrun.runtime.systemd;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/// Where a systemd is reached: its own socket, which only its own user may use and which needs no
/// bus, or otherwise a bus.
///
/// @param socket a path, or a name without a file that begins with `@`
/// @param bus whether a bus listens there
public record ManagerAddress(String socket, boolean bus) {
  private static final String SYSTEM_BUS = "/run/dbus/system_bus_socket";

  /// The system's, or the user's own.
  ///
  /// @param user whether the user's own is asked for
  /// @param uid whose directory it is where `$XDG_RUNTIME_DIR` does not say it
  /// @param variable of the caller's environment
  /// @throws IllegalStateException where there is none
  public static ManagerAddress find(
      boolean user, int uid, Function<String, Optional<String>> variable) {
    if (!user) {
      if (!Files.isDirectory(Path.of("/run/systemd/system"))) // sd_booted(3)
      throw new IllegalStateException("systemd does not run here: there is no /run/systemd/system");
      Path own = Path.of("/run/systemd/private");
      return Files.exists(own)
          ? new ManagerAddress(own.toString(), false)
          : new ManagerAddress(SYSTEM_BUS, true);
    }
    String directory =
        variable.apply("XDG_RUNTIME_DIR").orElse("/run/user/" + Integer.toUnsignedString(uid));
    Path own = Path.of(directory, "systemd/private");
    if (Files.exists(own)) return new ManagerAddress(own.toString(), false);
    Optional<ManagerAddress> session =
        variable.apply("DBUS_SESSION_BUS_ADDRESS").flatMap(ManagerAddress::ofBus);
    if (session.isPresent()) return session.get();
    Path bus = Path.of(directory, "bus");
    if (Files.exists(bus)) return new ManagerAddress(bus.toString(), true);
    throw new IllegalStateException(
        "there is no systemd of the user: neither " + own + " nor $DBUS_SESSION_BUS_ADDRESS");
  }

  /// The first unix socket of an address list (D-Bus specification, "Server Addresses").
  static Optional<ManagerAddress> ofBus(String addresses) {
    for (String address : addresses.split(";")) {
      if (!address.startsWith("unix:")) continue;
      for (String pair : address.substring(5).split(",")) {
        if (pair.startsWith("path="))
          return Optional.of(new ManagerAddress(unescaped(pair.substring(5)), true));
        if (pair.startsWith("abstract="))
          return Optional.of(new ManagerAddress("@" + unescaped(pair.substring(9)), true));
      }
    }
    return Optional.empty();
  }

  private static String unescaped(String value) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) == '%' && i + 2 < value.length()) {
        bytes.write(Integer.parseInt(value, i + 1, i + 3, 16));
        i += 2;
      } else {
        bytes.writeBytes(value.substring(i, i + 1).getBytes(StandardCharsets.UTF_8));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
