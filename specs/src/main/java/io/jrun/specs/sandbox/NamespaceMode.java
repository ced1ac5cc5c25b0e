package io.jrun.specs.sandbox;

import io.jrun.specs.proto.ProtoException;
import io.jrun.specs.proto.ProtoMessage;

/// Whose a namespace is: all of the pod's, each container's, the node's, or that of another
/// container. In the order of their numbers.
public enum NamespaceMode {
  POD,
  CONTAINER,
  NODE,
  TARGET;

  static NamespaceMode read(ProtoMessage m, int number) {
    int value = m.int32(number);
    if (value < 0 || value >= values().length)
      throw new ProtoException("unknown mode of a namespace: " + value);
    return values()[value];
  }
}
