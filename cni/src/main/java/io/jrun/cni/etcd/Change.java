package io.jrun.cni.etcd;

/// One of the changes that a transaction makes.
public sealed interface Change {
  String key();

  /// @param lease with which the key goes; zero for none
  record Put(String key, String value, long lease) implements Change {}

  record Delete(String key) implements Change {}
}
