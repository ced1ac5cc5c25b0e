package io.jrun.image.store;

import io.jrun.image.LayoutFile;
import io.jrun.specs.image.Index;

/// What an engine has read of the stores it was asked for.
public final class StoreDocuments {
  final DocumentCache<Index> indexes =
      new DocumentCache<>((path, bytes) -> Index.read("index.json", bytes));

  final DocumentCache<String> layouts =
      new DocumentCache<>((path, bytes) -> LayoutFile.version(String.valueOf(path), bytes));
}
