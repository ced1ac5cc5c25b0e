package io.jrun.image.layout;

import io.jrun.image.Documents;
import io.jrun.image.ImageException;
import io.jrun.image.LayoutFile;
import io.jrun.rootfs.pack.TarWriter;
import io.jrun.rootfs.stream.Copier;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.stream.Verified;
import io.jrun.specs.image.ContentDescriptor;
import io.jrun.specs.image.Index;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/// An OCI layout as one archive (image-layout.md); the same images give the same bytes.
public final class LayoutArchive {
  private final TarWriter tar;
  private final Copier copier;

  public LayoutArchive(OutputStream out) {
    this.copier = new Copier(out);
    this.tar = new TarWriter(out);
  }

  public void begin(List<ContentDescriptor> images) throws IOException {
    tar.file(LayoutFile.NAME, LayoutFile.bytes());
    tar.file("index.json", Documents.bytes(Index.EMPTY.withManifests(images).toJson()));
  }

  public void blob(ContentDescriptor descriptor, Origin content) throws IOException {
    long size = descriptor.size();
    tar.file("blobs/" + descriptor.digest().algorithm() + "/" + descriptor.digest().hex(), size);
    try (Verified verified =
        new Verified("blob " + descriptor.digest(), descriptor.digest().text())) {
      if (!copier.copy(content, size, verified))
        throw new ImageException(descriptor.digest() + " is truncated");
      verified.check();
    }
    tar.endFile(size);
  }

  public void blob(ContentDescriptor descriptor, byte[] content) throws IOException {
    tar.file("blobs/" + descriptor.digest().algorithm() + "/" + descriptor.digest().hex(), content);
  }

  public void end() throws IOException {
    tar.end();
  }
}
