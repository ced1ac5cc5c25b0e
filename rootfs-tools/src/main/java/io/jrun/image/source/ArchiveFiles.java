package io.jrun.image.source;

import io.jrun.image.ImageException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.stream.Mapped;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.tar.Entry;
import io.jrun.rootfs.tar.TarInput;
import io.jrun.rootfs.tar.TarReader;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/// An image in a plain archive: its files are parts of the archive's file.
final class ArchiveFiles implements ImageFiles {
  /// The only names that an archive has at its top which is taken for an image's unasked: those of
  /// a layout, docker's, jib's (`config.json`) and those of go-containerregistry, with which ko,
  /// kaniko and crane write.
  private static final Pattern OF_IMAGES =
      Pattern.compile(
          "(oci-layout|index\\.json|manifest\\.json|config\\.json|repositories|blobs(/.*)?"
              + "|(sha256:)?[0-9a-f]{64}(\\.json|\\.tar|\\.tar\\.gz|/.*)?)/?");

  private static final int MOST_FILES = 100_000;
  private static final int MOST_LINKS = 8;

  private final OwnedDescriptor file;
  private final Map<String, Origin> files;
  private final Map<String, String> links;

  private ArchiveFiles(OwnedDescriptor file, Map<String, Origin> files, Map<String, String> links) {
    this.file = file;
    this.files = files;
    this.links = links;
  }

  /// Whether an entry of that name may belong to an image's archive and not to a tree of files.
  static boolean isOfImages(String name) {
    return OF_IMAGES.matcher(name.startsWith("./") ? name.substring(2) : name).matches();
  }

  private static Origin content(Origin origin, String name, long offset, long length) {
    long size = origin.size().orElseThrow();
    if (length > size - offset) {
      throw new ImageException(
          "the archive is truncated: it ends at byte " + size + ", in " + name);
    }
    return origin.part(offset, length);
  }

  /// Finds the files of an image; empty where the archive is one of a tree.
  ///
  /// @param origin the whole archive, plain
  /// @param file is closed with what is returned
  /// @param isImage whether files of any name belong to the image
  static Optional<ImageFiles> of(Origin origin, OwnedDescriptor file, boolean isImage) {
    Map<String, Origin> files = new HashMap<>();
    Map<String, String> links = new HashMap<>();
    try (Mapped mapped = new Mapped(origin.again(), null)) {
      TarReader reader = new TarReader(new TarInput(mapped, segment -> {}), false);
      for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
        String name = ImageFiles.inside(entry.name());
        if (!isImage && !name.isEmpty() && !isOfImages(name)) return Optional.empty();
        if (files.size() + links.size() > MOST_FILES)
          throw new ImageException("the archive has too many files");
        switch (entry.type()) {
          case FILE ->
              files.put(name, content(origin, name, reader.contentOffset(), entry.stored()));
          case SYMLINK -> links.put(name, ImageFiles.inside(parent(name) + entry.link()));
          case HARD_LINK -> links.put(name, ImageFiles.inside(entry.link()));
          case DIRECTORY -> {}
          case FIFO, CHARACTER_DEVICE, BLOCK_DEVICE ->
              throw new ImageException("the image's archive has a device in it: " + name);
        }
      }
    } catch (IOException e) {
      throw IoFailure.of("mapping the archive", e);
    }
    if (!files.containsKey("manifest.json") && !files.containsKey("index.json")) {
      return Optional.empty();
    }
    return Optional.of(new ArchiveFiles(file, files, links));
  }

  private static String parent(String name) {
    int slash = name.lastIndexOf('/');
    return slash < 0 ? "" : name.substring(0, slash + 1);
  }

  @Override
  public Optional<Origin> find(String path) {
    String name = ImageFiles.inside(path);
    for (int i = 0; i < MOST_LINKS && links.containsKey(name); i++) {
      name = Objects.requireNonNull(links.get(name));
    }
    return Optional.ofNullable(files.get(name)).map(Origin::again);
  }

  @Override
  public void close() {
    file.close();
  }
}
