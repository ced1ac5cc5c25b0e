package io.jrun.runtime.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.Syscall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.kernel.observed.ObservedKernel;
import io.jrun.kernel.observed.Observer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Who owns an id when several take it and give it back at once.
@Timeout(60)
class StoreTest {
  private static final String ID = "c1";

  private final HostKernel kernel = new HostKernel();
  @TempDir private Path root;

  private Store store() {
    return new Store(kernel, root);
  }

  /// A store that does something between the making of a directory and its opening.
  private Store interrupted(Runnable action) {
    AtomicReference<Runnable> once = new AtomicReference<>(action);
    Observer observer =
        new Observer() {
          @Override
          public Optional<Errno> before(String where, Syscall<?> call) {
            boolean opens =
                call instanceof FileCall.Openat open && open.path().equals(root + "/" + ID);
            Runnable now = opens ? once.getAndSet(null) : null;
            if (now != null) now.run();
            return Optional.empty();
          }

          @Override
          public void sending(String where, io.jrun.kernel.Batch batch) {}
        };
    Kernel observed = new ObservedKernel(kernel, observer);
    return new Store(observed, root);
  }

  private static StoredState state(String bundle) {
    return StoredState.begun(
        new StoredState.Given(ID, bundle, "/rootfs", Instant.EPOCH, 0, 0, false, null, "", null));
  }

  private void assertOwned(Store store, String bundle) {
    assertThat(store.find(ID).orElseThrow().state().bundle()).isEqualTo(bundle);
  }

  private void deleteEmpty(Store store) {
    try (Claim claim = store.claim(ID, 1000).orElseThrow()) {
      store.delete(claim, ID);
    }
  }

  @Test
  void aDirectoryThatIsTakenAwayBeforeItIsLockedIsMadeAgain() {
    Store other = store();
    Store store = interrupted(() -> deleteEmpty(other));
    try (Claim claim = store.create(ID)) {
      store.begin(claim, state("/mine"));
      assertOwned(other, "/mine");
    }
  }

  /// One makes a directory, another locks and completes it: the first must not take that away when
  /// it fails, or a container would live on that nobody knows.
  @Test
  void aDirectoryThatAnotherHasLockedIsTheOthers() throws Exception {
    Store owner = store();
    CountDownLatch made = new CountDownLatch(1);
    CountDownLatch owned = new CountDownLatch(1);
    AtomicReference<RuntimeException> failure = new AtomicReference<>();
    Store maker =
        interrupted(() -> {
          made.countDown();
          await(owned);
        });
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try (Claim claim = maker.create(ID)) {
                maker.begin(claim, state("/makers"));
              } catch (RuntimeException e) {
                failure.set(e);
              }
            });
    await(made);
    try (Claim claim = owner.create(ID)) {
      owner.begin(claim, state("/owners"));
      owned.countDown();
      thread.join();
      assertThat(failure.get()).isNotNull().hasMessageContaining("already exists");
      assertOwned(owner, "/owners");
      owner.delete(claim, ID);
    }
    assertThat(root.resolve(ID)).doesNotExist();
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anIdThatIsInUseIsRefused() {
    Store store = store();
    try (Claim claim = store.create(ID)) {
      store.begin(claim, state("/first"));
      assertThatThrownBy(() -> store.create(ID)).hasMessageContaining("already exists");
    }
    assertThatThrownBy(() -> store.create(ID)).hasMessageContaining("already exists");
    assertOwned(store, "/first");
  }

  @Test
  void whatACrashLeftEmptyIsTakenOver() throws IOException {
    Store store = store();
    Files.createDirectory(root.resolve(ID));
    try (Claim claim = store.create(ID)) {
      store.begin(claim, state("/new"));
      assertOwned(store, "/new");
      store.delete(claim, ID);
    }
    Files.createDirectory(root.resolve(ID));
    Files.writeString(root.resolve(ID).resolve("state"), "{\"id\":\"c");
    try (Claim claim = store.create(ID)) {
      store.begin(claim, state("/newer"));
      assertOwned(store, "/newer");
    }
  }

  @Test
  void aDirectoryThatIsGoneIsNotDeletedFromALaterOnesName() {
    Store store = store();
    try (Claim first = store.create(ID)) {
      store.delete(first, ID);
      try (Claim second = store.create(ID)) {
        store.delete(first, ID);
        assertThat(second.exists()).isTrue();
        store.begin(second, state("/second"));
        store.delete(first, ID);
        assertOwned(store, "/second");
      }
    }
  }

  @Test
  void whatIsMarkedAsStartedIsTheContainerThatWasAskedFor() throws IOException {
    Store store = store();
    try (Claim claim = store.create(ID)) {
      store.begin(claim, state("/first"));
      store.complete(
          claim, "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8), state("/first"));
      try (OwnedDescriptor first = store.open(ID)) {
        store.delete(claim, ID);
        try (Claim second = store.create(ID)) {
          store.begin(second, state("/second"));
          Files.createFile(store.initSocket(ID));
          store.started(first);
          assertThat(store.initSocket(ID)).exists();
          byte[] config = "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8);
          store.complete(second, config, state("/second"));
          assertThat(store.find(ID).orElseThrow().started()).isFalse();
        }
      }
    }
  }
}
