package io.jrun.image.store;

import io.jrun.image.Documents;
import io.jrun.image.ImageException;
import io.jrun.image.ImageName;
import io.jrun.image.LayoutFile;
import io.jrun.image.source.ImageFiles;
import io.jrun.image.source.ImageSource;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.LockFile;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.rootfs.DamagedException;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.stream.Verified;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Digest;
import io.jrun.specs.image.Index;
import io.jrun.specs.json.SpecException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/// Images on disk: an OCI layout, so other tools can read it, with more beside it.
///
/// ```
///   oci-layout, index.json   the names: annotations of the index's descriptors
///   blobs/ALGORITHM/HEX      whole and verified, never changed
///   ingest/                  what is being made
///   snapshots/               unpacked layers
///   bundles/ID/              containers, each with a lease of the image that it uses
///   lock                     shared: whoever adds or reads; exclusive: the collection
///   index.lock               exclusive: whoever changes names
/// ```
///
/// A name is written after all that it refers to is on the disk, so a crash leaves at most what the
/// next collection removes.
public final class ImageStore {
  private static final int CHUNK = 1 << 20;
  private static final List<String> DIRECTORIES =
      List.of("blobs/sha256", "blobs/sha512", "ingest", "snapshots");

  private final Kernel kernel;
  private final Path root;
  private final StoreDocuments documents;

  private ImageStore(Kernel kernel, Path root, StoreDocuments documents) {
    this.kernel = kernel;
    this.root = root;
    this.documents = documents;
  }

  /// Opens a store. One that is missing has no images, and is made by whoever adds something.
  public static ImageStore open(Kernel kernel, Path root, StoreDocuments documents) {
    ImageStore store = new ImageStore(kernel, root, documents);
    try {
      store.hasLayout();
      return store;
    } catch (IOException e) {
      throw IoFailure.of("the store " + root, e);
    } catch (KernelException e) {
      throw new ImageException("the store " + root + ": " + e.errno().text(), e);
    }
  }

  /// Whether there is anything of it.
  public boolean exists() {
    return Files.exists(root);
  }

  private boolean isMade() {
    return Files.isDirectory(bundles());
  }

  private void make() {
    try {
      if (!isMade()) makeDirectories();
      if (hasLayout()) return;
      try (AutoCloseableLock lock = using()) {
        DurableFiles.write(aside(), root.resolve(LayoutFile.NAME), LayoutFile.bytes());
      }
    } catch (IOException e) {
      throw IoFailure.of("the store " + root, e);
    }
  }

  /// The last of them says that all are there.
  private void makeDirectories() throws IOException {
    for (String name : DIRECTORIES) DurableFiles.directories(root.resolve(name));
    Path making = aside();
    DurableFiles.directories(making);
    // users of a container may enter its root
    Files.setPosixFilePermissions(making, PosixFilePermissions.fromString("rwx--x--x"));
    try {
      Files.move(making, bundles());
    } catch (FileAlreadyExistsException e) {
      Files.delete(making); // another command was faster
    }
  }

  /// @throws ImageException where it is of a version that we do not know
  private boolean hasLayout() throws IOException {
    return documents.layouts.read(kernel, root.resolve(LayoutFile.NAME)).isPresent();
  }

  /// The same store, reached by another kernel.
  public ImageStore over(Kernel other) {
    return new ImageStore(other, root, documents);
  }

  public Path root() {
    return root;
  }

  /// Where the containers' bundles are.
  public Path bundles() {
    return root.resolve("bundles");
  }

  public Kernel kernel() {
    return kernel;
  }

  /// Held by whoever adds content, from before it looks until what it added has a name. The store
  /// is made where it is missing.
  public AutoCloseableLock adding() {
    make();
    return using();
  }

  /// Held by whoever reads content. Where there is no store there is nothing to hold.
  public AutoCloseableLock using() {
    return isMade() ? LockFile.shared(kernel, root.resolve("lock"))::close : () -> {};
  }

  AutoCloseableLock collecting() {
    return isMade() ? LockFile.exclusive(kernel, root.resolve("lock"))::close : () -> {};
  }

  /// A lock that is held until it is closed.
  public interface AutoCloseableLock extends AutoCloseable {
    @Override
    void close();
  }

  /// A new name for what is being made.
  public Path aside() {
    return root.resolve("ingest").resolve(UUID.randomUUID().toString());
  }

  public Path blob(Digest digest) {
    return root.resolve("blobs").resolve(digest.algorithm()).resolve(digest.hex());
  }

  public boolean has(ContentDescriptor descriptor) {
    try {
      return Files.size(blob(descriptor.digest())) == descriptor.size();
    } catch (IOException e) {
      return false;
    }
  }

  /// Adds a document under its digest.
  public ContentDescriptor add(String mediaType, byte[] document) {
    Digest digest = Documents.digest(document);
    ContentDescriptor descriptor = ContentDescriptor.of(mediaType, digest, document.length);
    if (!has(descriptor)) {
      try {
        DurableFiles.write(aside(), blob(digest), document);
      } catch (IOException e) {
        throw IoFailure.of("writing " + digest, e);
      }
    }
    return descriptor;
  }

  /// Copies content, verifying size and digest; nothing where it is there already.
  public void add(ContentDescriptor descriptor, Origin content) {
    if (has(descriptor)) return;
    Path aside = aside();
    try (Verified verified =
        new Verified("blob " + descriptor.digest(), descriptor.digest().text())) {
      try (FileChannel out =
          FileChannel.open(aside, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
        ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK);
        while (content.read(chunk.clear()) > 0) {
          verified.update(chunk.flip());
          while (chunk.hasRemaining()) out.write(chunk);
        }
        if (out.position() != descriptor.size()) {
          throw new ImageException(
              descriptor.digest() + " has " + out.position() + " bytes, not " + descriptor.size());
        }
        verified.check();
        out.force(true);
      }
      DurableFiles.publish(aside, blob(descriptor.digest()));
    } catch (IOException e) {
      throw IoFailure.of("writing " + descriptor.digest(), e);
    } finally {
      aside.toFile().delete();
    }
  }

  /// A blob that is being fetched, which one process does at a time. It stays when the fetching
  /// ends early, until the next collection.
  public final class Partial implements AutoCloseable {
    private final Path path;
    private final Path blob;
    private final LockFile lock;

    private Partial(Path path, Path blob) {
      this.path = path;
      this.blob = blob;
      this.lock = LockFile.exclusive(kernel, Path.of(path + ".lock"));
    }

    public Path path() {
      return path;
    }

    /// Makes it a blob; it must be whole, verified and on the disk.
    public void publish() {
      try {
        DurableFiles.publish(path, blob);
        Files.deleteIfExists(Path.of(path + ".lock"));
      } catch (IOException e) {
        throw IoFailure.of("naming " + blob, e);
      }
    }

    @Override
    public void close() {
      lock.close();
    }
  }

  public Partial partial(ContentDescriptor descriptor) {
    Digest digest = descriptor.digest();
    return new Partial(
        root.resolve("ingest").resolve(digest.algorithm() + "-" + digest.hex() + ".part"),
        blob(digest));
  }

  /// A blob's content; its size is checked here, its digest by whoever reads it.
  public OpenedBlob open(ContentDescriptor descriptor) {
    Path path = blob(descriptor.digest());
    if (!has(descriptor)) {
      throw new ImageException(
          (Files.exists(path)
                  ? "the store's blob " + descriptor.digest() + " has the wrong size"
                  : "the store lacks the blob " + descriptor.digest())
              + ": load or pull the image again");
    }
    OwnedDescriptor file = OwnedDescriptor.toRead(kernel, path);
    return new OpenedBlob(file, Origin.range(kernel, file, 0, descriptor.size()));
  }

  /// A blob that is open.
  public record OpenedBlob(OwnedDescriptor file, Origin origin) implements AutoCloseable {
    @Override
    public void close() {
      file.close();
    }
  }

  /// A document, verified.
  public byte[] document(ContentDescriptor descriptor) {
    try (OpenedBlob blob = open(descriptor)) {
      byte[] bytes = ImageFiles.bytes(descriptor.digest().text(), blob.origin());
      Documents.verify(descriptor, bytes);
      return bytes;
    } catch (DamagedException e) {
      throw damaged(e);
    }
  }

  /// What to do about a blob that is not what it was: the size alone tells whoever adds it that it
  /// is there.
  public static ImageException damaged(DamagedException e) {
    return new ImageException(
        e.getMessage() + ": remove the image, and load or pull it again (jrun image rm, load)", e);
  }

  public Index index() {
    Path file = root.resolve("index.json");
    try {
      return documents.indexes.read(kernel, file).orElse(Index.EMPTY);
    } catch (SpecException e) {
      throw new ImageException(
          file + " is damaged: move it away, and load or pull the images again", e);
    } catch (IOException e) {
      throw IoFailure.of("reading the store's index", e);
    }
  }

  /// Changes the names; what the function makes is on the disk when this returns.
  public void update(Function<List<ContentDescriptor>, List<ContentDescriptor>> change) {
    make();
    try (LockFile lock = LockFile.exclusive(kernel, root.resolve("index.lock"))) {
      Index index = index();
      List<ContentDescriptor> changed = change.apply(index.manifests());
      if (changed.equals(index.manifests())) return;
      DurableFiles.write(
          aside(),
          root.resolve("index.json"),
          Documents.bytes(index.withManifests(changed).toJson()));
    } catch (IOException e) {
      throw IoFailure.of("writing the store's index", e);
    }
  }

  /// What an image is called; empty where it has no name.
  public static Optional<String> nameOf(ContentDescriptor descriptor) {
    return Optional.ofNullable(descriptor.annotations().get(ImageSource.REF_NAME));
  }

  /// Gives an image a name, which another image loses; without a name it is kept until the next
  /// pruning.
  public void name(Optional<ImageName> name, ContentDescriptor image) {
    Map<String, String> annotations = new HashMap<>(image.annotations());
    annotations.remove(ImageSource.REF_NAME);
    name.ifPresent(n -> annotations.put(ImageSource.REF_NAME, n.text()));
    ContentDescriptor named = image.withAnnotations(annotations);
    update(before -> {
      List<ContentDescriptor> after = new ArrayList<>(before);
      if (name.isPresent()) {
        after.removeIf(d -> nameOf(d).equals(name.map(ImageName::text)));
        after.removeIf(d -> nameOf(d).isEmpty() && d.digest().equals(image.digest()));
      } else if (after.stream().anyMatch(d -> d.digest().equals(image.digest()))) {
        return before;
      }
      after.add(named);
      return after;
    });
  }

  /// The image of a name, of a digest or of the first digits of one.
  public ContentDescriptor find(String text) {
    List<ContentDescriptor> all = index().manifests();
    String digits = text.startsWith("sha256:") ? text.substring(7) : text;
    if (digits.matches("[0-9a-f]{6,64}")) {
      List<ContentDescriptor> found =
          all.stream().filter(d -> d.digest().hex().startsWith(digits)).toList();
      if (found.stream().map(ContentDescriptor::digest).distinct().count() == 1) {
        return found.getFirst();
      }
    }
    String name = ImageName.parse(text).text();
    return all.stream()
        .filter(d -> nameOf(d).equals(Optional.of(name)))
        .findFirst()
        .orElseThrow(() -> new ImageException("no such image: " + text));
  }
}
