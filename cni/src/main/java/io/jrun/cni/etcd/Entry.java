package io.jrun.cni.etcd;

/// A key with its value.
///
/// @param modRevision the revision of its last change
/// @param lease with which it goes; zero for none
public record Entry(String key, String value, long modRevision, long lease) {}
