package io.jrun.cni.nftables;

import jnr.ffi.Pointer;

/// libnftables, as far as it is needed (libnftables(3)).
public interface Libnftables {
  int NFT_CTX_OUTPUT_JSON = 1 << 4;

  Pointer nft_ctx_new(int flags);

  void nft_ctx_output_set_flags(Pointer context, int flags);

  int nft_ctx_buffer_output(Pointer context);

  int nft_ctx_buffer_error(Pointer context);

  String nft_ctx_get_output_buffer(Pointer context);

  String nft_ctx_get_error_buffer(Pointer context);

  int nft_run_cmd_from_buffer(Pointer context, String commands);
}
