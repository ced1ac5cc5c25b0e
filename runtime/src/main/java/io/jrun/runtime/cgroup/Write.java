package io.jrun.runtime.cgroup;

import org.jspecify.annotations.Nullable;

/// One value for one file of the container's cgroup.
///
/// @param hierarchyKey the key of [Cgroup#paths]
/// @param otherwise what is written instead where the kernel has no such file; null makes that an
///   error
public record Write(String hierarchyKey, String file, String value, @Nullable Write otherwise) {
  /// Stands in `otherwise` for a value that a kernel without the file has anyway.
  static final Write NOTHING = new Write("", "", "", null);

  Write(String hierarchyKey, String file, String value) {
    this(hierarchyKey, file, value, null);
  }

  /// The line of a golden file.
  @Override
  public String toString() {
    String text = (hierarchyKey.isEmpty() ? "unified" : hierarchyKey) + "/" + file + " = " + value;
    if (otherwise == null) return text;
    return text + (otherwise == NOTHING ? " (if there)" : " (or " + otherwise + ")");
  }
}
