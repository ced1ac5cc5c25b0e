package io.jrun.runtime.container;

import io.jrun.kernel.OwnedDescriptor;

/// What CRIU has come to, told to somebody who outlives the client of a checkpoint or restore. CRIU
/// waits for each to return, and gives up where one throws: a container that was to be saved runs
/// on, one that was to be restored ends.
public interface CriuProgress {
  /// For a client that watches by itself.
  CriuProgress UNWATCHED =
      new CriuProgress() {
        @Override
        public void began(HostProcess criu) {}

        @Override
        public void saved() {}

        @Override
        public void terminal(OwnedDescriptor master) {}

        @Override
        public void restored(HostProcess init) {}
      };

  /// CRIU is there, a child of the client, and has done nothing yet.
  void began(HostProcess criu);

  /// The images are complete. Where the container is not to be left running, CRIU ends it next.
  void saved();

  /// @param master of the container's terminal, which is not the listener's to close
  void terminal(OwnedDescriptor master);

  /// Init is restored, a child of the client, is in the container's state, and does not run yet.
  void restored(HostProcess init);
}
