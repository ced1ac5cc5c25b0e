package io.jrun.runtime.cli;

import io.jrun.cni.command.CniLine;
import io.jrun.image.commands.BundleCreation;
import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.Images;
import io.jrun.image.commands.RootfsTools;
import io.jrun.specs.runtime.Config;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// What the commands do; a failure is a RuntimeException whose message the caller is shown.
public interface Operations {
  /// Writes a new config.json into the bundle; an empty bundle is the caller's working directory.
  void spec(GlobalOptions global, String bundle, boolean rootless);

  void create(CreateOptions options);

  void start(GlobalOptions global, String id);

  /// Returns the exit status of the container's process, or 0 once it is detached.
  int run(RunOptions options);

  /// Prints the calls that run would make.
  void plan(CreateOptions options);

  /// Returns the exit status of the new process, or 0 once it is detached.
  int exec(ExecOptions options);

  /// The state of a container as JSON text.
  String state(GlobalOptions global, String id);

  void kill(GlobalOptions global, String id, int signal, boolean all);

  /// @param unfinished only where nothing but the id was taken yet; `force` is not looked at then
  void delete(GlobalOptions global, String id, boolean force, boolean unfinished);

  /// @param mayBeMissing whether a root that was named and is missing holds no containers; else it
  ///   is an error, as somebody may be mistaken
  List<ContainerSummary> list(GlobalOptions global, boolean mayBeMissing);

  /// The container's processes, by their pids in the caller's pid namespace.
  List<Integer> pids(GlobalOptions global, String id);

  /// Changes limits of a container.
  void update(UpdateOptions options);

  /// Prints statistics and out-of-memory events, each as a line of JSON, until the container ends.
  ///
  /// @param intervalMillis between statistics; 0 for one and no more
  void events(GlobalOptions global, String id, long intervalMillis, Consumer<String> out);

  void pause(GlobalOptions global, String id);

  void resume(GlobalOptions global, String id);

  /// Checkpoints a running container, and ends it unless the options leave it running.
  void checkpoint(CheckpointOptions options);

  /// Returns the exit status of the restored container's process, or 0 once it is detached.
  int restore(RestoreOptions options);

  void sandboxRun(SandboxOptions options);

  /// @param seconds that containers have to end by themselves
  void sandboxStop(GlobalOptions global, String name, int seconds);

  void sandboxRemove(GlobalOptions global, String name, boolean force);

  List<SandboxSummary> sandboxes(GlobalOptions global);

  /// Archives and images, for the caller.
  RootfsTools rootfsTools();

  /// The store of images in that directory; the caller's own where it is empty.
  Images images(String store);

  BundleCreation bundleCreation(String store);

  /// The bundles of containers that run an image.
  ContainerBundles containerBundles(Images images);

  /// What a container's config says where neither an image nor the user does.
  Config baseConfig();

  /// The capabilities that the caller can give to a container of an image.
  List<String> capabilities();

  /// Whether there is a container of that id, if only a half-made one, and not just its directory.
  ///
  /// @param stateRoot a directory of containers' state
  boolean hasContainer(String stateRoot, String id);

  /// The directory of the containers' state.
  String stateRoot(GlobalOptions global);

  /// The features document as JSON text.
  String features();

  /// A JSON object about the resident engine; empty where none runs.
  Optional<String> engineStatus();

  void engineStop();

  /// Replaces the engines of this installation, also under running pods.
  void engineRestart();

  /// Performs a `cni` command and returns what to print.
  String cni(CniLine line);
}
