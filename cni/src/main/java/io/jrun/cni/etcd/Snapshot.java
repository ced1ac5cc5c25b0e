package io.jrun.cni.etcd;

import java.util.List;

/// The keys of a prefix as they were at one revision.
public record Snapshot(long revision, List<Entry> entries) {
  public Snapshot {
    entries = List.copyOf(entries);
  }
}
