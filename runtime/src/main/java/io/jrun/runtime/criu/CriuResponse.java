package io.jrun.runtime.criu;

import io.jrun.specs.proto.ProtoException;
import io.jrun.specs.proto.ProtoMessage;

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

  /// @throws CriuException for bytes that are no message
  static CriuResponse read(byte[] bytes) {
    try {
      ProtoMessage all = ProtoMessage.parse(bytes);
      ProtoMessage features = all.message(8);
      return new CriuResponse(
          CriuRequest.Type.named(all.int64(1)),
          all.bool(2),
          all.int32(7),
          all.message(4).int32(1),
          all.message(5).string(1),
          all.message(5).int32(2),
          version(all.message(10)),
          features.bool(1),
          features.bool(2));
    } catch (ProtoException e) {
      throw new CriuException("malformed message from criu: " + e.getMessage());
    }
  }

  boolean isNotification() {
    return type.equals(CriuRequest.Type.NOTIFY.name());
  }

  /// 0 where there is none; a version from git counts as the release that is to come.
  private static int version(ProtoMessage version) {
    int number = version.int32(1) * 10_000 + version.int32(2) * 100 + version.int32(4);
    if (version.string(3).isEmpty()) return number;
    return (number / 100 + 1) * 100;
  }
}
