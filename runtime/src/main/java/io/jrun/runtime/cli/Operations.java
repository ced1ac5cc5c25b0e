package io.jrun.runtime.cli;

import io.jrun.image.BundleCreation;
import io.jrun.image.RootfsTools;
import io.jrun.image.store.Images;
import java.util.List;

/// What the commands do; a failure is a RuntimeException whose message the caller is shown.
public interface Operations {
  /// Writes a new config.json into the bundle; an empty bundle is the caller's working directory.
  void spec(GlobalOptions global, String bundle, boolean rootless);

  void create(CreateOptions options);

  void start(GlobalOptions global, String id);

  /// Returns the exit status of the container's process, or 0 once it is detached.
  int run(RunOptions options);

  /// Returns the exit status of the new process, or 0 once it is detached.
  int exec(ExecOptions options);

  /// The state of a container as JSON text.
  String state(GlobalOptions global, String id);

  void kill(GlobalOptions global, String id, int signal, boolean all);

  void delete(GlobalOptions global, String id, boolean force);

  List<ContainerSummary> list(GlobalOptions global);

  /// The container's processes, by their pids in the caller's pid namespace.
  List<Integer> pids(GlobalOptions global, String id);

  void pause(GlobalOptions global, String id);

  void resume(GlobalOptions global, String id);

  /// Archives and images, for the caller.
  RootfsTools rootfsTools();

  /// The store of images in that directory; the caller's own where it is empty.
  Images images(String store);

  BundleCreation bundleCreation(String store);

  /// The features document as JSON text.
  String features();

  /// A JSON object about the resident engine.
  String engineStatus();

  void engineStop();
}
