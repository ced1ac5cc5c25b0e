package io.jrun.image.source;

import io.jrun.image.Documents;
import io.jrun.image.ImageException;
import io.jrun.image.LayoutFile;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.stream.Origin;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.image.DockerManifest;
import io.jrun.specs.image.ImageConfig;
import io.jrun.specs.image.Index;
import io.jrun.specs.image.Manifest;
import io.jrun.specs.image.MediaType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An OCI layout (image-layout.md), or the archive of `docker save` as if it were one: documents
/// and layers by descriptor.
public final class ImageSource implements AutoCloseable {
  public static final String REF_NAME = "org.opencontainers.image.ref.name";
  private static final String CONTAINERD_NAME = "io.containerd.image.name";

  /// An image and what it is called there.
  public record Named(Optional<String> name, ContentDescriptor image) {}

  private final ImageFiles files;
  private final List<Named> images;

  /// What docker's archive does not have under a digest.
  private final Map<Digest, Made> made;

  private record Made(Origin origin, String path) {}

  private final Map<Digest, byte[]> documents;

  private ImageSource(
      ImageFiles files, List<Named> images, Map<Digest, Made> made, Map<Digest, byte[]> documents) {
    this.files = files;
    this.images = images;
    this.made = made;
    this.documents = documents;
  }

  public static ImageSource of(ImageFiles files) {
    Optional<Origin> index = files.find("index.json");
    if (index.isPresent()) return layout(files, index.get());
    return docker(files);
  }

  private static ImageSource layout(ImageFiles files, Origin origin) {
    Origin version =
        files
            .find(LayoutFile.NAME)
            .orElseThrow(() -> new ImageException("no OCI layout: it has no file oci-layout"));
    LayoutFile.version(LayoutFile.NAME, ImageFiles.bytes(LayoutFile.NAME, version));
    Index index = Index.read("index.json", ImageFiles.bytes("index.json", origin));
    List<Named> images = new ArrayList<>();
    for (ContentDescriptor image : index.manifests()) {
      String name = image.annotations().get(CONTAINERD_NAME);
      if (name == null) name = image.annotations().get(REF_NAME);
      images.add(new Named(Optional.ofNullable(name), image));
    }
    return new ImageSource(files, images, Map.of(), Map.of());
  }

  /// Layers get their digests from the configuration, so that they are verified as they are used.
  private static ImageSource docker(ImageFiles files) {
    List<DockerManifest> manifests =
        DockerManifest.readAll(ImageFiles.bytes("manifest.json", files.need("manifest.json")));
    List<Named> images = new ArrayList<>();
    Map<Digest, Made> made = new HashMap<>();
    Map<Digest, byte[]> documents = new HashMap<>();
    for (DockerManifest docker : manifests) {
      byte[] json = ImageFiles.bytes(docker.config(), files.need(docker.config()));
      ImageConfig config = ImageConfig.read(docker.config(), json);
      if (config.diffIds().size() != docker.layers().size()) {
        throw new ImageException(
            docker.config()
                + " has "
                + config.diffIds().size()
                + " diff_ids for "
                + docker.layers().size()
                + " layers");
      }
      List<ContentDescriptor> layers = new ArrayList<>();
      for (int i = 0; i < docker.layers().size(); i++) {
        String path = docker.layers().get(i);
        Origin origin = files.need(path);
        Compression compression = Compression.of(origin.first(8));
        // what docker's format says is the digest of the plain archive
        Digest digest =
            compression == Compression.NONE ? config.diffIds().get(i) : digest(origin.again());
        made.put(digest, new Made(origin, path));
        String type = MediaType.LAYER + compression.suffix();
        layers.add(ContentDescriptor.of(type, digest, origin.size().orElseThrow()));
      }
      Digest configDigest = Documents.digest(json);
      documents.put(configDigest, json);
      byte[] manifest =
          Documents.bytes(
              Manifest.of(ContentDescriptor.of(MediaType.CONFIG, configDigest, json.length), layers)
                  .toJson());
      Digest manifestDigest = Documents.digest(manifest);
      documents.put(manifestDigest, manifest);
      ContentDescriptor image =
          ContentDescriptor.of(MediaType.MANIFEST, manifestDigest, manifest.length);
      if (docker.repoTags().isEmpty()) images.add(new Named(Optional.empty(), image));
      for (String tag : docker.repoTags()) images.add(new Named(Optional.of(tag), image));
    }
    return new ImageSource(files, images, made, documents);
  }

  private static Digest digest(Origin origin) {
    try (io.jrun.rootfs.codec.Digest digest = io.jrun.rootfs.codec.Digest.of("sha256")) {
      ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 18);
      while (origin.read(chunk.clear()) > 0) digest.update(chunk.flip());
      return new Digest("sha256", digest.hex());
    }
  }

  public List<Named> images() {
    return images;
  }

  /// Whether the content is there; an index may name more than a layout has.
  public boolean has(ContentDescriptor descriptor) {
    return documents.containsKey(descriptor.digest())
        || made.containsKey(descriptor.digest())
        || files.find(path(descriptor)).isPresent();
  }

  private static String path(ContentDescriptor descriptor) {
    return "blobs/" + descriptor.digest().algorithm() + "/" + descriptor.digest().hex();
  }

  /// A layer, or any other content that is a file; its size is checked here, its digest by whoever
  /// reads it.
  public Origin content(ContentDescriptor descriptor) {
    Made known = made.get(descriptor.digest());
    Origin origin = known != null ? known.origin().again() : files.need(path(descriptor));
    long size = origin.size().orElseThrow();
    if (size != descriptor.size()) {
      throw new ImageException(
          descriptor.digest() + " has " + size + " bytes, not " + descriptor.size());
    }
    return origin;
  }

  /// A document, verified.
  public byte[] document(ContentDescriptor descriptor) {
    byte[] known = documents.get(descriptor.digest());
    if (known != null) return known;
    byte[] bytes = ImageFiles.bytes(descriptor.digest().text(), content(descriptor));
    Documents.verify(descriptor, bytes);
    return bytes;
  }

  @Override
  public void close() {
    files.close();
  }
}
