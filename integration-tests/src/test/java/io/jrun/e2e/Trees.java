package io.jrun.e2e;

import java.nio.file.Path;
import java.util.List;

/// What is in a directory, line by line, so that two of them can be compared.
final class Trees {
  private static final String SCRIPT =
      """
      cd "$0" || exit 1
      {
        find . -printf '%P\\t%y\\t%m\\t%U\\t%G\\t%T@\\t%l\\n'
        find . ! -type d -printf '%P\\tlinks\\t%n\\n'
        find . -type f -printf '%P\\tsize\\t%s\\n'
        find . -type f -print0 | xargs -0 -r sha256sum
        find . '(' -type b -o -type c ')' -exec stat -c '%n device %t:%T' {} +
        getfattr -R -h -d -e hex -m - . 2>/dev/null | grep -v '^# file' | grep .
        find . -type f -links +1 -printf '%i %P\\n' | sort | awk '{ if ($1 != i) { i = $1; n++ } $1 = "link group:"; print }'
      } | LC_ALL=C sort
      """;

  private Trees() {}

  /// Everything, but the times of those directories that only one side describes.
  static List<String> of(Path directory) {
    return Command.of("bash", "-c", SCRIPT, directory.toString()).run().succeeds().lines();
  }
}
