package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Images as other tools make them.
@JrunOnly
class ImageSourcesIT extends EndToEnd {
  /// What docker has written since version 25: an OCI layout whose layers are plain, with the old
  /// documents beside it.
  private static final String DOCKER_25 =
      """
      import gzip, hashlib, json, os, sys, tarfile
      top, out = sys.argv[1], sys.argv[2]
      layout = top + '/layout/'
      def blob(digest): return open(layout + 'blobs/' + digest.replace(':', '/'), 'rb').read()
      store = {}
      def put(data, kind):
          digest = hashlib.sha256(data).hexdigest()
          store[digest] = data
          return {'mediaType': kind, 'digest': 'sha256:' + digest, 'size': len(data)}
      index = json.load(open(layout + 'index.json'))
      manifest = json.loads(blob(index['manifests'][0]['digest']))
      layers = [put(gzip.decompress(blob(l['digest'])), 'application/vnd.oci.image.layer.v1.tar')
                for l in manifest['layers']]
      config = put(blob(manifest['config']['digest']), 'application/vnd.oci.image.config.v1+json')
      image = put(json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
                              'config': config, 'layers': layers}).encode(),
                  'application/vnd.oci.image.manifest.v1+json')
      image['annotations'] = {'io.containerd.image.name': 'docker.io/library/app:3',
                              'org.opencontainers.image.ref.name': '3'}
      path = lambda d: 'blobs/sha256/' + d['digest'][7:]
      files = {'blobs/': None, 'blobs/sha256/': None}
      files.update({'blobs/sha256/' + d: data for d, data in store.items()})
      files['index.json'] = json.dumps({'schemaVersion': 2, 'manifests': [image]}).encode()
      files['manifest.json'] = json.dumps([{'Config': path(config), 'RepoTags': ['app:3'],
                                            'Layers': [path(l) for l in layers]}]).encode()
      files['oci-layout'] = b'{"imageLayoutVersion": "1.0.0"}'
      files['repositories'] = json.dumps({'app': {'3': layers[-1]['digest'][7:]}}).encode()
      with tarfile.open(out, 'w') as tar:
          for name, data in files.items():
              info = tarfile.TarInfo(name)
              info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
              info.mode = 0o755 if data is None else 0o644
              info.size = len(data or b'')
              import io
              tar.addfile(info, io.BytesIO(data or b''))
      """;

  /// Docker's old format as go-containerregistry (ko, kaniko, crane) and jib write it: the layers
  /// are compressed, and nothing says a digest of that.
  private static final String COMPRESSED =
      """
      import json, os, sys, tarfile, io
      top, out, config = sys.argv[1], sys.argv[2], sys.argv[3]
      layout = top + '/layout/'
      def blob(digest): return open(layout + 'blobs/' + digest.replace(':', '/'), 'rb').read()
      index = json.load(open(layout + 'index.json'))
      manifest = json.loads(blob(index['manifests'][0]['digest']))
      if config == 'DIGEST': config = manifest['config']['digest']
      files = {config: blob(manifest['config']['digest'])}
      names = [l['digest'][7:] + '.tar.gz' for l in manifest['layers']]
      files.update({n: blob('sha256:' + n[:64]) for n in names})
      files['manifest.json'] = json.dumps([{'Config': config, 'RepoTags': ['app:4'], 'Layers': names}]).encode()
      with tarfile.open(out, 'w') as tar:
          for name, data in files.items():
              info = tarfile.TarInfo(name)
              info.size = len(data)
              tar.addfile(info, io.BytesIO(data))
      """;

  private static List<String> tree(Path directory) {
    return Trees.of(directory).stream().filter(line -> !line.startsWith("\td\t")).toList();
  }

  @Test
  void aLayoutSaysItsVersion() throws IOException {
    Path layout = ImageLayout.make(temp).directory();
    Path version = layout.resolve("oci-layout");
    Files.writeString(version, "{\"imageLayoutVersion\":\"2.0.0\"}");
    runtime("rootfs", "unpack", layout.toString(), temp + "/to")
        .failsInOneLine("layouts of version 2.0.0 are not known");
    runtime("image", "load", "--store", temp + "/store", "--name", "a", layout.toString())
        .failsInOneLine("layouts of version 2.0.0 are not known");
    Files.delete(version);
    runtime("rootfs", "unpack", layout.toString(), temp + "/to").failsInOneLine("oci-layout");
    assertThat(temp.resolve("to")).doesNotExist();
  }

  @Test
  void aTruncatedArchiveIsToldAsThat() throws IOException {
    ImageLayout.make(temp);
    Path archive = temp.resolve("docker25.tar");
    Command.of("python3", "-c", DOCKER_25, temp.toString(), archive.toString()).run().succeeds();
    byte[] bytes = Files.readAllBytes(archive);
    Path cut = temp.resolve("cut.tar");
    String store = temp + "/store";
    for (int length : new int[] {513, bytes.length / 2}) {
      Files.write(cut, Arrays.copyOf(bytes, length));
      runtime("image", "load", "--store", store, cut.toString())
          .failsInOneLine("the archive is truncated");
      runtime("rootfs", "unpack", cut.toString(), temp + "/to")
          .failsInOneLine("the archive is truncated");
    }
    assertThat(temp.resolve("to")).doesNotExist();
  }

  @Test
  void whatDockerSavesSinceVersion25() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    List<String> expected = tree(layout.unpackedByUmoci());
    Path archive = temp.resolve("docker25.tar");
    Command.of("python3", "-c", DOCKER_25, temp.toString(), archive.toString()).run().succeeds();
    runtime("rootfs", "unpack", archive.toString(), temp + "/to").succeeds();
    assertThat(tree(temp.resolve("to"))).isEqualTo(expected);
    Command.of(
            "bash",
            "-c",
            "gzip -c $0 | $1 rootfs unpack - $2",
            archive.toString(),
            RUNTIME.path().toString(),
            temp + "/piped")
        .run()
        .succeeds();
    assertThat(tree(temp.resolve("piped"))).isEqualTo(expected);
    String store = temp + "/store";
    assertThat(runtime("image", "load", "--store", store, archive.toString()).succeeds().text())
        .isEqualTo("docker.io/library/app:3");
    runtime("image", "verify", "--store", store).succeeds();
    // a layer that is not what its digest says
    byte[] bytes = Files.readAllBytes(archive);
    int at = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf("root:x:0:0");
    bytes[at] = 'R';
    Files.write(archive, bytes);
    runtime("rootfs", "unpack", archive.toString(), temp + "/bad").failsInOneLine("digest");
  }

  @Test
  void archivesOfDockersFormatMayHaveCompressedLayers() throws IOException {
    ImageLayout layout = ImageLayout.make(temp);
    List<String> expected = tree(layout.unpackedByUmoci());
    for (String config : List.of("DIGEST", "config.json")) {
      Path archive = temp.resolve("compressed.tar");
      Command.of("python3", "-c", COMPRESSED, temp.toString(), archive.toString(), config)
          .run()
          .succeeds();
      Path to = temp.resolve("to-" + config);
      runtime("rootfs", "unpack", archive.toString(), to.toString()).succeeds();
      assertThat(tree(to)).isEqualTo(expected);
      String store = temp + "/store-" + config;
      assertThat(runtime("image", "load", "--store", store, archive.toString()).succeeds().text())
          .isEqualTo("app:4");
      runtime("image", "verify", "--store", store).succeeds();
    }
  }

  /// As old and hand-made archives have them: only `manifest.json` tells which file is what.
  @Test
  void anArchiveThatIsLoadedMayCallItsFilesAnything() throws IOException {
    byte[] low = new TarBuilder().directory("d").file("d/f", "low\n").bytes();
    byte[] high = new TarBuilder().directory("d").file("d/g", "high\n").bytes();
    Path usual = DockerArchive.write(temp.resolve("usual.tar"), "app:5", "{}", List.of(low, high));
    String top = temp.resolve("docker").toString();
    String repack =
        """
        mkdir $0 && cd $0 && tar xf $1
        i=0; for l in */; do l=${l%/}; mv $l l$i; sed -i s/$l/l$i/ manifest.json; i=$((i+1)); done
        mkdir conf; mv [0-9a-f]*.json conf/image
        sed -i 's/"Config":"[^"]*"/"Config":"conf\\/image"/' manifest.json
        tar cf ../first.tar l0 l1 conf manifest.json; tar cf ../dots.tar .; gzip -k ../first.tar
        """;
    Command.of("sh", "-ec", repack, top, usual.toString()).run().succeeds();
    String digest = digestOfLoaded(usual);
    for (String name : List.of("first.tar", "dots.tar", "first.tar.gz", "docker")) {
      assertThat(digestOfLoaded(temp.resolve(name))).as(name).isEqualTo(digest);
    }
    // what it names must be in it
    Path manifest = Path.of(top, "manifest.json");
    String good = Files.readString(manifest);
    Files.writeString(temp.resolve("outside"), "");
    for (String bad : List.of("../outside", "/etc/passwd", temp + "/outside")) {
      Files.writeString(manifest, good.replace("l1/layer.tar", bad));
      Command.of("tar", "-C", top, "-cf", temp + "/bad.tar", "l0", "conf", "manifest.json")
          .run()
          .succeeds();
      for (String source : List.of("bad.tar", "docker")) {
        runtime("image", "load", "--store", temp + "/bad", temp.resolve(source).toString())
            .failsInOneLine("the image lacks its file " + bad);
      }
    }
    // and a tree is none
    Files.delete(manifest);
    Command.of("tar", "-C", top, "-cf", temp + "/tree.tar", ".").run().succeeds();
    runtime("image", "load", "--store", temp + "/bad", temp + "/tree.tar")
        .failsInOneLine("the archive of a tree of files, not an image");
  }

  private String digestOfLoaded(Path archive) {
    String store = temp + "/store-" + archive.getFileName();
    assertThat(runtime("image", "load", "--store", store, archive.toString()).succeeds().text())
        .isEqualTo("app:5");
    runtime("image", "verify", "--store", store).succeeds();
    return runtime("image", "list", "-q", "--store", store).succeeds().text();
  }

  @Test
  void whatBuildahCommits() throws IOException {
    Machine.assumeInstalled("buildah");
    Outcome built =
        Command.of(
                "bash",
                "-c",
                """
                set -e
                cd $0
                mkdir -p files/bin files/etc
                cp /bin/busybox files/bin/busybox; ln -s busybox files/bin/sh
                echo 'root:x:0:0:root:/root:/bin/sh' > files/etc/passwd
                b="buildah --root $0/root --runroot $0/run --storage-driver vfs"
                c=$($b from scratch)
                $b copy -q $c files /
                $b config --entrypoint '["/bin/sh"]' --cmd '-c "echo from buildah"' --env PATH=/bin $c
                $b commit -q $c oci:$0/oci:b
                $b commit -q $c docker-archive:$0/docker.tar:test/b:1
                $b commit -q --format docker $c oci-archive:$0/v2.tar:b
                """,
                temp.toString())
            .run();
    assumeTrue(built.status() == 0, "buildah does not work here: " + built.err());
    for (String source : List.of("oci", "docker.tar", "v2.tar")) {
      String store = temp + "/store-" + source;
      runtime("image", "load", "--store", store, "--name", "b", temp + "/" + source).succeeds();
      runtime("image", "verify", "--store", store).succeeds();
      assertThat(
              runtime(
                      "run",
                      "--image",
                      "b",
                      "--store",
                      store,
                      "-e",
                      "E2E_TAG=" + tag,
                      newId(),
                      "-c",
                      "cat /etc/passwd; echo $PATH")
                  .succeeds()
                  .lines())
          .as(source)
          .containsExactly("root:x:0:0:root:/root:/bin/sh", "/bin");
    }
  }
}
