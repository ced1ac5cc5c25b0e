package io.jrun.rootfs.codec;

import io.jrun.kernel.host.NativeLibrary;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/// A running digest, by libcrypto where the machine has it: a JVM that compiles with C1 only is an
/// order of magnitude slower.
public interface Digest extends AutoCloseable {
  /// Adds what remains in the direct buffer, whose position does not move.
  void update(ByteBuffer direct);

  /// The digest in hexadecimal; nothing may be added after it.
  String hex();

  @Override
  void close();

  /// @param algorithm `sha256` or `sha512`
  static Digest of(String algorithm) {
    Optional<NativeLibrary> library = Loaded.LIBCRYPTO;
    if (library.isPresent()) return new NativeDigest(library.get(), algorithm);
    return new JavaDigest(algorithm);
  }

  /// OpenSSL 3 (EVP_DigestInit(3)), loaded when it is first needed; pointers are longs.
  final class Loaded {
    private static final Optional<NativeLibrary> LIBCRYPTO =
        NativeLibrary.open(
            "libcrypto.so.3",
            "EVP_MD_CTX_new",
            "EVP_MD_CTX_free",
            "EVP_sha256",
            "EVP_sha512",
            "EVP_DigestInit_ex",
            "EVP_DigestUpdate",
            "EVP_DigestFinal_ex");

    private Loaded() {}
  }

  /// A digest of libcrypto.
  final class NativeDigest implements Digest {
    private final NativeLibrary crypto;
    private final int size;
    private long context;

    NativeDigest(NativeLibrary crypto, String algorithm) {
      this.crypto = crypto;
      boolean wide = algorithm.equals("sha512");
      this.size = wide ? 64 : 32;
      context = crypto.call("EVP_MD_CTX_new");
      int done =
          crypto.callInt(
              "EVP_DigestInit_ex",
              context,
              wide ? crypto.call("EVP_sha512") : crypto.call("EVP_sha256"),
              0);
      if (done != 1) throw new IllegalStateException("libcrypto has no " + algorithm);
    }

    @Override
    public void update(ByteBuffer direct) {
      crypto.callInt(
          "EVP_DigestUpdate", context, NativeLibrary.address(direct.slice()), direct.remaining());
    }

    @Override
    public String hex() {
      ByteBuffer out = ByteBuffer.allocateDirect(size);
      crypto.callInt("EVP_DigestFinal_ex", context, NativeLibrary.address(out), 0);
      byte[] bytes = new byte[size];
      out.get(bytes);
      return HexFormat.of().formatHex(bytes);
    }

    @Override
    public void close() {
      if (context != 0) crypto.call("EVP_MD_CTX_free", context);
      context = 0;
    }
  }

  /// A digest of the JDK.
  final class JavaDigest implements Digest {
    private final MessageDigest digest;

    JavaDigest(String algorithm) {
      try {
        digest = MessageDigest.getInstance(algorithm.equals("sha512") ? "SHA-512" : "SHA-256");
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void update(ByteBuffer direct) {
      digest.update(direct.duplicate());
    }

    @Override
    public String hex() {
      return HexFormat.of().formatHex(digest.digest());
    }

    @Override
    public void close() {}
  }
}
