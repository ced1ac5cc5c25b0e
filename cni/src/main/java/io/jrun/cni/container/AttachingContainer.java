package io.jrun.cni.container;

import io.jrun.cni.netlink.NetworkNamespace;
import io.jrun.cni.simple.HelperCaller;
import io.jrun.kernel.Aside;
import io.jrun.kernel.Undoing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A container whose attachments are begun in another thread; all else is the caller's own.
final class AttachingContainer implements Networks.Attaching {
  private final HelperCaller caller;
  private final CompletableFuture<Word> word;
  private final Aside<List<BegunAttachment>> begun;
  private final Consumer<String> detach;
  private boolean isEntered;
  private boolean isOver;

  /// What the thread waits for before it changes something.
  ///
  /// @param goOn false where there will be no container
  record Word(boolean goOn, Optional<Supplier<NetworkNamespace>> namespace) {}

  /// @param detach detaches it from all that it is attached to, by its namespace
  AttachingContainer(
      HelperCaller caller,
      CompletableFuture<Word> word,
      Aside<List<BegunAttachment>> begun,
      Consumer<String> detach) {
    this.caller = caller;
    this.word = word;
    this.begun = begun;
    this.detach = detach;
  }

  /// What no thread has begun yet is done here.
  private List<BegunAttachment> begun() {
    begun.run();
    return begun.await();
  }

  @Override
  public void written(Optional<Supplier<NetworkNamespace>> namespace) {
    word.complete(new Word(true, namespace));
  }

  @Override
  public void enter(String netns) {
    if (begun.isDone()) enter(begun(), netns);
  }

  private void enter(List<BegunAttachment> all, String netns) {
    if (isEntered || all.isEmpty() || !all.getFirst().enters()) return;
    isEntered = true;
    caller.begin(netns);
  }

  @Override
  public boolean hasOthers() {
    return begun().stream().anyMatch(BegunAttachment::hasOthers);
  }

  @Override
  public List<Networks.Attached> finish(String netns, Runnable there) {
    List<Networks.Attached> attached = new ArrayList<>();
    List<BegunAttachment> left = new ArrayList<>(begun());
    isOver = true;
    try (caller) {
      try {
        if (!left.stream().allMatch(BegunAttachment::isAllWired)) there.run();
        enter(left, netns);
        while (!left.isEmpty()) attached.add(left.removeFirst().finish(netns));
      } catch (RuntimeException e) {
        left.forEach(one -> Undoing.suppressing(e, one::abandon));
        Undoing.suppressing(e, () -> detach.accept(netns));
        throw e;
      } finally {
        caller.closeLeft();
      }
    }
    return attached;
  }

  @Override
  public void abandon() {
    if (isOver) return;
    isOver = true;
    word.complete(new Word(false, Optional.empty()));
    IllegalStateException failed = new IllegalStateException("attaching could not be undone");
    try (caller) {
      begun().reversed().forEach(one -> Undoing.suppressing(failed, one::abandon));
    }
    if (failed.getSuppressed().length > 0) throw failed;
  }
}
