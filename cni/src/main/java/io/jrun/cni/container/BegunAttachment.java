package io.jrun.cni.container;

import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.network.AttachmentArgs;
import io.jrun.cni.network.NetworkRuntime;
import io.jrun.kernel.Undoing;
import io.jrun.specs.cni.NetworkConfig;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// One interface of a container whose ADD has begun, or failed to.
///
/// @param network null where its configuration could not be read
/// @param begun null where it failed
/// @param added null where it is not at its end
/// @param failure null where it did not
record BegunAttachment(
    NetworkRuntime runtime,
    AttachmentArgs args,
    @Nullable NetworkConfig network,
    NetworkRuntime.@Nullable Begun begun,
    NetworkRuntime.@Nullable Added added,
    @Nullable RuntimeException failure) {

  static BegunAttachment begin(
      NetworkRuntime runtime, AttachmentArgs args, Supplier<NetworkConfig> load) {
    NetworkConfig network = null;
    try {
      network = load.get();
      return new BegunAttachment(runtime, args, network, runtime.begin(network, args), null, null);
    } catch (RuntimeException e) {
      return new BegunAttachment(runtime, args, network, null, null, e);
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
    return then(one -> {
      step.accept(one);
      return this;
    });
  }

  private BegunAttachment then(Function<NetworkRuntime.Begun, BegunAttachment> step) {
    if (begun == null) return this;
    try {
      return step.apply(begun);
    } catch (RuntimeException e) {
      return new BegunAttachment(runtime, args, network, null, null, e);
    }
  }

  /// The same with its result, where nobody has to look for the namespace by this path.
  BegunAttachment added(String netns) {
    return then(one -> new BegunAttachment(runtime, args, network, one, one.finish(netns), null));
  }

  boolean hasFailed() {
    return failure != null;
  }

  /// Whether the engine itself will go into the container's namespace.
  boolean enters() {
    return begun != null && begun.enters();
  }

  /// Whether the engine has made its interface, for a caller whom it did not ask where it is.
  boolean isWired() {
    return begun != null && begun.isWired();
  }

  /// Whether nobody will look for the namespace by its path.
  boolean isAllWired() {
    return begun != null && begun.isAllWired();
  }

  boolean hasOthers() {
    return begun != null && begun.hasOthers();
  }

  /// What there is at its end.
  Optional<Networks.Attached> attached() {
    NetworkConfig of = network;
    return added == null || of == null ? Optional.empty() : Optional.of(attached(of, added));
  }

  private static Networks.Attached attached(NetworkConfig network, NetworkRuntime.Added added) {
    return new Networks.Attached(
        added.result(), new Networks.Known.Attachment(network, added.cached(), added.first()));
  }

  /// The same where something that belongs to it has failed.
  BegunAttachment failed(RuntimeException cause) {
    return new BegunAttachment(runtime, args, network, begun, added, cause);
  }

  /// A failed ADD is followed by its DEL, as the specification asks of runtimes.
  Networks.Attached finish(String netns) {
    try {
      if (failure != null) throw failure;
      if (network == null || begun == null) throw new IllegalStateException();
      return attached(network, added == null ? begun.finish(netns) : added);
    } catch (RuntimeException e) {
      NetworkConfig of = network;
      if (of != null) Undoing.suppressing(e, () -> runtime.del(of, args.in(netns)));
      throw e;
    }
  }

  /// Takes it back, the whole of it where it is at its end.
  void abandon() {
    NetworkConfig of = network;
    if (added != null && of != null) runtime.del(of, added.cached().args());
    else if (begun != null) begun.abandon();
  }
}
