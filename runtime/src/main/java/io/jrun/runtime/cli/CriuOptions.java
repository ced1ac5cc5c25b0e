package io.jrun.runtime.cli;

import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// What `checkpoint` and `restore` have in common.
///
/// @param program the path of CRIU; empty for the one of the caller's PATH
/// @param imagePath the directory of the images; empty for `checkpoint` in the working directory
/// @param workPath the directory of logs; null for CRIU's own choice
/// @param manageCgroupsMode `soft`, `full`, `strict`, `ignore`, or empty for CRIU's own choice
/// @param emptyNamespaces types of namespaces whose content is left out
public record CriuOptions(
    String program,
    String imagePath,
    @Nullable String workPath,
    boolean tcpEstablished,
    boolean extUnixSk,
    boolean shellJob,
    boolean fileLocks,
    String manageCgroupsMode,
    List<String> emptyNamespaces,
    boolean autoDedup,
    boolean lazyPages) {
  private static final List<String> MODES = List.of("", "soft", "full", "strict", "ignore");

  public CriuOptions {
    emptyNamespaces = List.copyOf(emptyNamespaces);
  }

  /// What is wrong with these values; empty where nothing is.
  public static String problem(String manageCgroupsMode, List<String> emptyNamespaces) {
    if (!MODES.contains(manageCgroupsMode)) return "invalid manage-cgroups-mode value";
    for (String type : emptyNamespaces)
      if (!type.equals("network")) return "namespace \"" + type + "\" is not supported";
    return "";
  }

  /// These options with each path of the caller's made absolute.
  public CriuOptions withPaths(UnaryOperator<String> absolute) {
    return new CriuOptions(
        program,
        absolute.apply(imagePath.isEmpty() ? "checkpoint" : imagePath),
        workPath == null ? null : absolute.apply(workPath),
        tcpEstablished,
        extUnixSk,
        shellJob,
        fileLocks,
        manageCgroupsMode,
        emptyNamespaces,
        autoDedup,
        lazyPages);
  }
}
