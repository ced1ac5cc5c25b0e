package io.jrun.cni.command;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A parsed command line: `ACTION [NETWORK [NETNS]]`.
///
/// @param json whether JSON is wanted where a terminal would get text
/// @param cache the directory of cached results; null for libcni's
/// @param timeoutSeconds for each plugin; zero for none
/// @param keep of gc, the attachments to keep, each ID/IFNAME
/// @param once of node, whether to end after the first time
public record CniLine(
    String action,
    List<String> words,
    boolean json,
    @Nullable String cache,
    int timeoutSeconds,
    List<String> keep,
    boolean once,
    PolicyOptions policy) {
  /// What `policy` is told.
  ///
  /// @param files of apply; `-` is standard input
  /// @param namespace null for `default`, and of list for all
  /// @param directory where policies are kept; null for the usual place
  public record PolicyOptions(
      List<String> files, @Nullable String namespace, @Nullable String directory) {
    public PolicyOptions {
      files = List.copyOf(files);
    }
  }

  public CniLine {
    words = List.copyOf(words);
    keep = List.copyOf(keep);
  }
}
