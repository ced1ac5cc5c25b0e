package io.jrun.cni.nftables;

import io.jrun.kernel.host.NativeLibrary;

/// A context of libnftables, as far as it is needed (libnftables(3)), which is never freed.
final class Libnftables {
  private static final int NFT_CTX_OUTPUT_JSON = 1 << 4;

  private final NativeLibrary library;
  private final long context;

  private Libnftables(NativeLibrary library, long context) {
    this.library = library;
    this.context = context;
  }

  static Libnftables open() {
    NativeLibrary library =
        NativeLibrary.open(
                "libnftables.so.1",
                "nft_ctx_new",
                "nft_ctx_output_set_flags",
                "nft_ctx_buffer_output",
                "nft_ctx_buffer_error",
                "nft_ctx_get_output_buffer",
                "nft_ctx_get_error_buffer",
                "nft_run_cmd_from_buffer")
            .orElseThrow(() -> new NftablesException("libnftables.so.1 is not installed"));
    long context = library.call("nft_ctx_new", 0);
    if (context == 0) throw new NftablesException("no context");
    library.call("nft_ctx_output_set_flags", context, NFT_CTX_OUTPUT_JSON);
    library.callInt("nft_ctx_buffer_output", context);
    library.callInt("nft_ctx_buffer_error", context);
    return new Libnftables(library, context);
  }

  /// 0 where all were performed.
  int runCommands(String commands) {
    return library.callInt("nft_run_cmd_from_buffer", commands, context);
  }

  /// What the last commands have listed.
  String output() {
    return NativeLibrary.text(library.call("nft_ctx_get_output_buffer", context));
  }

  String error() {
    return NativeLibrary.text(library.call("nft_ctx_get_error_buffer", context));
  }
}
