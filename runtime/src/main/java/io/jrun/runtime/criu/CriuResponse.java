package io.jrun.runtime.criu;

import org.jspecify.annotations.Nullable;

/// What CRIU answers (`criu_resp` of its rpc.proto).
///
/// @param errno the kernel's, or 0
/// @param restoredPid of the restored init; 0 for none
/// @param script the notification's name; empty for what is none
/// @param notifiedPid of the init that the notification is about; 0 for none
/// @param version as major × 10000 + minor × 100 + sublevel; 0 for none
record CriuResponse(
    String type,
    boolean success,
    int errno,
    int restoredPid,
    String script,
    int notifiedPid,
    int version,
    boolean tracksMemory,
    boolean lazyPages) {

  static CriuResponse read(byte[] bytes) {
    ProtoFields all = ProtoFields.read(bytes);
    return new CriuResponse(
        CriuRequest.Type.named(all.number(1, 0)),
        all.flag(2),
        (int) all.number(7, 0),
        number(all.message(4), 1),
        all.message(5) instanceof ProtoFields notify ? notify.text(1) : "",
        number(all.message(5), 2),
        version(all.message(10)),
        number(all.message(8), 1) != 0,
        number(all.message(8), 2) != 0);
  }

  boolean isNotification() {
    return type.equals(CriuRequest.Type.NOTIFY.name());
  }

  private static int number(@Nullable ProtoFields message, int field) {
    return message == null ? 0 : (int) message.number(field, 0);
  }

  /// A version from git counts as the release that is to come.
  private static int version(@Nullable ProtoFields version) {
    if (version == null) return 0;
    int number = number(version, 1) * 10_000 + number(version, 2) * 100 + number(version, 4);
    if (version.text(3).isEmpty()) return number;
    return (number / 100 + 1) * 100;
  }
}
