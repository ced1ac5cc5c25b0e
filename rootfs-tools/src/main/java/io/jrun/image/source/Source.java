package io.jrun.image.source;

import io.jrun.image.ImageException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Stat;
import io.jrun.rootfs.CallerFiles;
import io.jrun.rootfs.IoFailure;
import io.jrun.rootfs.RootfsException;
import io.jrun.rootfs.codec.Compression;
import io.jrun.rootfs.codec.Decoder;
import io.jrun.rootfs.codec.Encoded;
import io.jrun.rootfs.stream.Expansion;
import io.jrun.rootfs.stream.Origin;
import io.jrun.rootfs.unpack.TreeArchive;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/// What a caller names as a source, recognised by its content: an archive by the names in it,
/// unless it is known to be an image's, which may call its files as it likes.
public sealed interface Source extends AutoCloseable {
  /// The archive of a tree of files.
  record Tree(TreeArchive archive) implements Source {
    @Override
    public void close() {
      archive.close();
    }
  }

  /// One image or several.
  record Images(ImageSource images) implements Source {
    @Override
    public void close() {
      images.close();
    }
  }

  @Override
  void close();

  /// @param path `-` is standard input
  static Source open(CallerFiles caller, String path, Expansion expansion) {
    return open(caller, path, expansion, false);
  }

  /// Opens what is to be an image; a tree is all that has no document of one.
  static Source openImage(CallerFiles caller, String path, Expansion expansion) {
    return open(caller, path, expansion, true);
  }

  private static Source open(
      CallerFiles caller, String path, Expansion expansion, boolean isImage) {
    OwnedDescriptor file = caller.open(path);
    Origin opened = null;
    try {
      Stat stat = caller.stat(file);
      if (stat.isDirectory()) {
        file.close();
        return directory(caller, path);
      }
      boolean regular = (stat.mode() & Stat.S_IFMT) == Stat.S_IFREG;
      Origin origin =
          regular
              ? Origin.range(caller.kernel(), file, 0, stat.size())
              : Origin.stream(caller.kernel(), file, caller.lifeline());
      opened = origin;
      return Sniffing.recognise(caller, file, origin, expansion, isImage);
    } catch (RuntimeException e) {
      file.close();
      if (opened != null) opened.close();
      throw e;
    }
  }

  private static Source directory(CallerFiles caller, String path) {
    DirectoryFiles files = new DirectoryFiles(caller, path);
    if (files.find("index.json").isEmpty() && files.find("manifest.json").isEmpty()) {
      files.close();
      throw new ImageException(path + ": the directory is no OCI layout, it has no index.json");
    }
    return new Images(ImageSource.of(files));
  }

  /// Looks at the first entry of an archive.
  final class Sniffing {
    private static final int BLOCK = 512;

    /// bzip2 gives nothing before a block of 900 KB is there.
    private static final int PREFIX = 2 << 20;

    private Sniffing() {}

    static Source recognise(
        CallerFiles caller,
        OwnedDescriptor file,
        Origin origin,
        Expansion expansion,
        boolean isImage) {
      byte[] start = origin.first(BLOCK);
      if (start.length == 0) throw new RootfsException("the archive is empty");
      Compression compression = Compression.of(start);
      boolean isRange = origin.size().isPresent();
      byte[] prefix = compression == Compression.NONE ? start : longer(origin, start, isRange);
      byte[] taken = isRange ? new byte[0] : prefix;
      if (!isImage && !ArchiveFiles.isOfImages(firstName(prefix, compression))) {
        return new Tree(new TreeArchive(file, origin, taken, compression));
      }
      if (compression == Compression.NONE && isRange) {
        Optional<ImageFiles> files = ArchiveFiles.of(origin, file, isImage);
        if (files.isPresent()) return new Images(ImageSource.of(files.get()));
        return new Tree(new TreeArchive(file, origin, taken, compression));
      }
      return spooled(caller, file, origin, taken, compression, expansion, isImage);
    }

    private static byte[] longer(Origin origin, byte[] start, boolean isRange) {
      if (isRange) return origin.first(PREFIX);
      byte[] more = origin.first(PREFIX);
      byte[] all = Arrays.copyOf(start, start.length + more.length);
      System.arraycopy(more, 0, all, start.length, more.length);
      return all;
    }

    private static Encoded over(byte[] bytes, Optional<Origin> then) {
      return new Encoded() {
        private int at;

        @Override
        protected int read(ByteBuffer into) {
          if (at == bytes.length) return then.isPresent() ? then.get().read(into) : 0;
          int count = Math.min(into.remaining(), bytes.length - at);
          into.put(bytes, at, count);
          at += count;
          return count;
        }
      };
    }

    /// Empty where the archive does not start with an entry.
    private static String firstName(byte[] prefix, Compression compression) {
      ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);
      try (Decoder decoder = Decoder.of(compression, over(prefix, Optional.empty()))) {
        decoder.fill(block);
      } catch (IOException | RootfsException e) {
        return ""; // whoever unpacks it says what is wrong
      }
      byte[] name = new byte[100];
      block.flip();
      block.get(name, 0, Math.min(100, block.remaining()));
      int end = 0;
      while (end < 100 && name[end] != 0) end++;
      return new String(name, 0, end, StandardCharsets.ISO_8859_1);
    }

    /// An image's documents may come last, so a stream is kept until all is there: in a file
    /// without a name, which goes with the engine.
    private static Source spooled(
        CallerFiles caller,
        OwnedDescriptor file,
        Origin origin,
        byte[] taken,
        Compression compression,
        Expansion expansion,
        boolean isImage) {
      OwnedDescriptor plain = null;
      try (Decoder decoder = Decoder.of(compression, over(taken, Optional.of(origin)))) {
        Path spool = Files.createTempFile(Path.of("/var/tmp"), "jrun-", ".tar");
        try (FileChannel out = FileChannel.open(spool, StandardOpenOption.WRITE)) {
          plain = OwnedDescriptor.toRead(caller.kernel(), spool);
          Files.delete(spool);
          Origin whole = Origin.range(caller.kernel(), plain, 0, copy(decoder, out, expansion));
          Optional<ImageFiles> files = ArchiveFiles.of(whole, plain, isImage);
          file.close();
          origin.close();
          return files.isPresent()
              ? new Images(ImageSource.of(files.get()))
              : new Tree(new TreeArchive(plain, whole, new byte[0], Compression.NONE));
        }
      } catch (IOException e) {
        if (plain != null) plain.close();
        throw IoFailure.of("keeping the archive in /var/tmp", e);
      } catch (RuntimeException e) {
        if (plain != null) plain.close();
        throw e;
      }
    }

    /// Returns how many bytes there are.
    private static long copy(Decoder decoder, FileChannel out, Expansion expansion)
        throws IOException {
      ByteBuffer chunk = ByteBuffer.allocateDirect(1 << 20);
      long size = 0;
      do {
        decoder.fill(chunk.clear());
        size += chunk.flip().remaining();
        expansion.checkSize(size);
        while (chunk.hasRemaining()) out.write(chunk);
      } while (chunk.limit() == chunk.capacity());
      return size;
    }
  }
}
