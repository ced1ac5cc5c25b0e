package io.jrun.cni.container;

import io.jrun.cni.simple.HelperCaller;
import io.jrun.kernel.Undoing;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A container whose attachments are begun in another thread; all else is the caller's own.
final class AttachingContainer implements Networks.Attaching {
  private final HelperCaller caller;
  private final CompletableFuture<Boolean> written;
  private final FutureTask<List<BegunAttachment>> begun;
  private final Runnable detach;
  private boolean isEntered;
  private boolean isOver;

  /// @param written lets the thread change something
  /// @param detach detaches it from all that it is attached to
  AttachingContainer(
      HelperCaller caller,
      CompletableFuture<Boolean> written,
      FutureTask<List<BegunAttachment>> begun,
      Runnable detach) {
    this.caller = caller;
    this.written = written;
    this.begun = begun;
    this.detach = detach;
  }

  /// What no thread has begun yet is done here.
  private List<BegunAttachment> begun() {
    begun.run();
    try {
      return begun.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e);
    }
  }

  @Override
  public void written() {
    written.complete(true);
  }

  @Override
  public void enter(String netns) {
    if (begun.isDone()) enter(begun(), netns);
  }

  private void enter(List<BegunAttachment> all, String netns) {
    if (isEntered || all.isEmpty() || !all.getFirst().isOwn()) return;
    isEntered = true;
    caller.begin(netns);
  }

  @Override
  public List<Networks.Attached> finish(String netns) {
    List<Networks.Attached> attached = new ArrayList<>();
    List<BegunAttachment> left = new ArrayList<>(begun());
    isOver = true;
    try (caller) {
      enter(left, netns);
      try {
        while (!left.isEmpty()) attached.add(left.removeFirst().finish(netns));
      } catch (RuntimeException e) {
        left.forEach(one -> Undoing.suppressing(e, one::abandon));
        Undoing.suppressing(e, detach);
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
    written.complete(false);
    IllegalStateException failed = new IllegalStateException("attaching could not be undone");
    try (caller) {
      begun().reversed().forEach(one -> Undoing.suppressing(failed, one::abandon));
    }
    if (failed.getSuppressed().length > 0) throw failed;
  }
}
