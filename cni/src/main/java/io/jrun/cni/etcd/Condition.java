package io.jrun.cni.etcd;

/// What must hold for a transaction to happen.
public sealed interface Condition {
  String key();

  /// The key does not exist.
  record Absent(String key) implements Condition {}

  /// The key has not changed since.
  record Unchanged(String key, long modRevision) implements Condition {}
}
