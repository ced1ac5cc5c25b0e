package io.jrun.cni.container;

import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.NetworkRuntime;
import io.jrun.kernel.Undoing;
import io.jrun.specs.cni.NetworkConfig;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One interface of a container whose ADD has begun, or failed to.
///
/// @param network null where its configuration could not be read
/// @param begun null where it failed
/// @param failure null where it did not
record BegunAttachment(
    NetworkRuntime runtime,
    AttachmentArgs args,
    @Nullable NetworkConfig network,
    NetworkRuntime.@Nullable Begun begun,
    @Nullable RuntimeException failure) {

  static BegunAttachment begin(
      NetworkRuntime runtime, AttachmentArgs args, Supplier<NetworkConfig> load) {
    NetworkConfig network = null;
    try {
      network = load.get();
      return new BegunAttachment(runtime, args, network, runtime.begin(network, args), null);
    } catch (RuntimeException e) {
      return new BegunAttachment(runtime, args, network, null, e);
    }
  }

  /// The same after what needs no network namespace, or failed to.
  BegunAttachment prepared() {
    return after(NetworkRuntime.Begun::prepare);
  }

  /// The same with its interface in the namespace, as far as that needs no process there.
  BegunAttachment wired(NetworkNamespace namespace) {
    return after(one -> one.wire(namespace));
  }

  private BegunAttachment after(Consumer<NetworkRuntime.Begun> step) {
    if (begun == null) return this;
    try {
      step.accept(begun);
      return this;
    } catch (RuntimeException e) {
      return new BegunAttachment(runtime, args, network, null, e);
    }
  }

  boolean hasFailed() {
    return failure != null;
  }

  /// Whether the engine itself will go into the container's namespace.
  boolean enters() {
    return begun != null && begun.enters();
  }

  /// Whether nobody will look for the namespace by its path.
  boolean isAllWired() {
    return begun != null && begun.isAllWired();
  }

  boolean hasOthers() {
    return begun != null && begun.hasOthers();
  }

  /// A failed ADD is followed by its DEL, as the specification asks of runtimes.
  Networks.Attached finish(String netns) {
    try {
      if (failure != null) throw failure;
      if (network == null || begun == null) throw new IllegalStateException();
      NetworkRuntime.Added added = begun.finish(netns);
      return new Networks.Attached(
          added.result(), new Networks.Known.Attachment(network, added.cached(), added.first()));
    } catch (RuntimeException e) {
      NetworkConfig of = network;
      if (of != null) Undoing.suppressing(e, () -> runtime.del(of, args.in(netns)));
      throw e;
    }
  }

  void abandon() {
    if (begun != null) begun.abandon();
  }
}
