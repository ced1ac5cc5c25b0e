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
  private final CompletableFuture<Optional<String>> netns;
  private final Aside<List<BegunAttachment>> begun;
  private final Consumer<String> detach;
  private boolean isEntered;
  private boolean isOver;

  /// What the thread waits for before it changes something.
  ///
  /// @param goOn false where there will be no container
  /// @param then what is done with what it is attached to
  record Word(
      boolean goOn,
      Optional<Supplier<NetworkNamespace>> namespace,
      Consumer<List<Networks.Attached>> then) {}

  /// @param netns the path of the container's namespace, or none where there will be no container
  /// @param detach detaches it from all that it is attached to, by its namespace
  AttachingContainer(
      HelperCaller caller,
      CompletableFuture<Word> word,
      CompletableFuture<Optional<String>> netns,
      Aside<List<BegunAttachment>> begun,
      Consumer<String> detach) {
    this.caller = caller;
    this.word = word;
    this.netns = netns;
    this.begun = begun;
    this.detach = detach;
  }

  /// What no thread has begun yet is done here.
  private List<BegunAttachment> begun() {
    begun.run();
    return begun.await();
  }

  @Override
  public void written(
      Optional<Supplier<NetworkNamespace>> namespace, Consumer<List<Networks.Attached>> then) {
    word.complete(new Word(true, namespace, then));
  }

  @Override
  public void born(String path) {
    netns.complete(Optional.of(path));
  }

  @Override
  public void enter(String path) {
    if (begun.isDone()) enter(begun(), path);
  }

  private void enter(List<BegunAttachment> all, String path) {
    if (isEntered || all.isEmpty() || !all.getFirst().enters()) return;
    isEntered = true;
    caller.begin(path);
  }

  @Override
  public boolean hasOthers() {
    return begun().stream().anyMatch(BegunAttachment::hasOthers);
  }

  @Override
  public List<Networks.Attached> finish(String path, Runnable there) {
    born(path);
    List<Networks.Attached> attached = new ArrayList<>();
    List<BegunAttachment> left = new ArrayList<>(begun());
    isOver = true;
    try (caller) {
      try {
        if (left.stream().anyMatch(BegunAttachment::isWired)) caller.checkHost();
        if (!left.stream().allMatch(BegunAttachment::isAllWired)) there.run();
        enter(left, path);
        while (!left.isEmpty()) attached.add(left.removeFirst().finish(path));
      } catch (RuntimeException e) {
        left.forEach(one -> Undoing.suppressing(e, one::abandon));
        Undoing.suppressing(e, () -> detach.accept(path));
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
    word.complete(new Word(false, Optional.empty(), attached -> {}));
    netns.complete(Optional.empty());
    IllegalStateException failed = new IllegalStateException("attaching could not be undone");
    try (caller) {
      begun().reversed().forEach(one -> Undoing.suppressing(failed, one::abandon));
    }
    if (failed.getSuppressed().length > 0) throw failed;
  }
}
