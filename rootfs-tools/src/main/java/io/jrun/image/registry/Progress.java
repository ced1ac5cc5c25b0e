package io.jrun.image.registry;

import io.jrun.specs.image.ContentDescriptor;

/// Is told how transfers go on, from several threads.
public interface Progress {
  /// One blob on its way.
  interface Transfer {
    /// So many bytes of it are done, those of an earlier attempt among them.
    void at(long bytes);

    /// It is over.
    ///
    /// @param outcome in words
    void end(String outcome);
  }

  Transfer begin(ContentDescriptor blob);

  /// Something else to know.
  void line(String text);

  /// How a blob is called among others.
  static String name(ContentDescriptor blob) {
    return blob.digest().hex().substring(0, 12);
  }
}
