package io.jrun.e2e;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Archives of random entries that any archiver accepts, each directory before what is in it.
final class RandomArchive {
  private RandomArchive() {}

  static TarBuilder of(Random random) {
    TarBuilder tar = new TarBuilder();
    tar.mode(0755).directory(".");
    List<String> directories = new ArrayList<>(List.of("."));
    List<String> files = new ArrayList<>();
    int count = 50 + random.nextInt(150);
    for (int i = 0; i < count; i++) {
      String parent = directories.get(random.nextInt(directories.size()));
      String name = parent + "/" + (char) ('a' + random.nextInt(26)) + i;
      if (name.length() > 90) continue;
      tar.owner(random.nextInt(3) * 1000, random.nextInt(70000));
      tar.mode(random.nextInt(010000)).time(random.nextInt(2_000_000_000));
      switch (random.nextInt(9)) {
        case 0, 1 -> {
          tar.directory(name);
          directories.add(name);
        }
        case 2 -> tar.symlink(name, random.nextBoolean() ? "a0" : "../../../" + i);
        case 3 -> {
          if (!files.isEmpty()) tar.hardLink(name, files.get(random.nextInt(files.size())));
        }
        case 4 -> tar.mode(0600 | random.nextInt(64)).fifo(name);
        case 5 ->
            tar.mode(0640).device(random.nextBoolean() ? '3' : '4', name, i, random.nextInt(256));
        case 6 -> {
          // again, with other content
          if (!files.isEmpty()) tar.file(files.get(random.nextInt(files.size())), "again" + i);
        }
        default -> {
          byte[] content =
              new byte[random.nextInt(4) == 0 ? random.nextInt(200_000) : random.nextInt(600)];
          random.nextBytes(content);
          tar.file(name, content);
          files.add(name);
        }
      }
    }
    return tar;
  }
}
