package io.jrun.e2e;

import java.nio.file.Path;

/// An image that umoci made: layers with whiteouts of files and directories, hard links, a
/// directory that became a file, and a configuration.
record ImageLayout(Path directory) {
  private static final String SCRIPT =
      """
      set -e
      cd "$0"
      umoci init --layout layout
      umoci new --image layout:a
      umoci unpack --image layout:a b
      cd b/rootfs
      mkdir -p bin etc proc dev sys tmp d/sub keep gone/deep opaque
      cp /bin/busybox bin/busybox; ln bin/busybox bin/sh; ln -s busybox bin/true
      echo 'root:x:0:0:root:/root:/bin/sh' > etc/passwd
      echo 'user:x:1000:100:u:/:/bin/sh' >> etc/passwd
      printf 'users:x:100:\\nextra:x:7:user\\n' > etc/group
      echo 1 > d/one; echo 2 > d/sub/two; echo k > keep/k; echo g > gone/deep/g; echo o > opaque/o
      ln d/one hard; ln -s d link
      cd ../..
      umoci repack --image layout:a b; rm -rf b; umoci unpack --image layout:a b
      cd b/rootfs; rm -rf gone d/one keep opaque; echo new > d/three; echo file > keep
      mkdir opaque; echo p > opaque/p; chmod 4755 bin/busybox
      cd ../..
      umoci repack --image layout:a b
      umoci config --image layout:a --config.user user --config.env A=b --config.env PATH=/bin \\
        --config.entrypoint /bin/sh --config.cmd -c --config.cmd 'id -u; echo $A; pwd' \\
        --config.workingdir /d --config.label x=y --config.volume /data --config.exposedports 80/tcp \\
        --config.stopsignal SIGINT
      umoci unpack --image layout:a umoci
      """;

  static ImageLayout make(Path temp) {
    Machine.assumeInstalled("umoci", "skopeo");
    Command.of("bash", "-c", SCRIPT, temp.toString()).run().succeeds();
    return new ImageLayout(temp.resolve("layout"));
  }

  /// What umoci made of it.
  Path unpackedByUmoci() {
    return directory.resolveSibling("umoci/rootfs");
  }

  Path as(String transport, String name) {
    Path to = directory.resolveSibling(name);
    Command.of(
            "skopeo",
            "copy",
            "-q",
            "oci:" + directory + ":a",
            transport + ":" + to + ":test/image:1")
        .run()
        .succeeds();
    return to;
  }
}
