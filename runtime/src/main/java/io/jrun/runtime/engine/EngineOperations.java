package io.jrun.runtime.engine;

import io.jrun.rootfs.CallerFiles;
import io.jrun.image.BundleCreation;
import io.jrun.image.RootfsTools;
import io.jrun.image.store.Images;
import io.jrun.runtime.cli.ContainerSummary;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.Operations;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.runtime.container.ContainerOperations;
import java.util.List;

/// What a command line may ask for: of containers, and of the engine itself.
record EngineOperations(Engine engine, ContainerOperations containers, CallerFiles caller)
    implements Operations {
  @Override
  public void spec(GlobalOptions global, String bundle, boolean rootless) {
    containers.spec(bundle, rootless);
  }

  @Override
  public void create(CreateOptions options) {
    containers.create(options);
  }

  @Override
  public void start(GlobalOptions global, String id) {
    containers.start(global, id);
  }

  @Override
  public int run(RunOptions options) {
    return containers.run(options);
  }

  @Override
  public int exec(ExecOptions options) {
    return containers.exec(options);
  }

  @Override
  public String state(GlobalOptions global, String id) {
    return containers.state(global, id);
  }

  @Override
  public void kill(GlobalOptions global, String id, int signal, boolean all) {
    containers.kill(global, id, signal, all);
  }

  @Override
  public void delete(GlobalOptions global, String id, boolean force) {
    containers.delete(global, id, force);
  }

  @Override
  public List<ContainerSummary> list(GlobalOptions global) {
    return containers.list(global);
  }

  @Override
  public List<Integer> pids(GlobalOptions global, String id) {
    return containers.pids(global, id);
  }

  @Override
  public void pause(GlobalOptions global, String id) {
    containers.pause(global, id);
  }

  @Override
  public void resume(GlobalOptions global, String id) {
    containers.resume(global, id);
  }

  @Override
  public RootfsTools rootfsTools() {
    return new RootfsTools(caller);
  }

  @Override
  public Images images(String store) {
    return Images.open(caller, store, engine.uid());
  }

  @Override
  public BundleCreation bundleCreation(String store) {
    return new BundleCreation(caller, images(store));
  }

  @Override
  public String features() {
    return RuntimeFeatures.describe();
  }

  @Override
  public String engineStatus() {
    return engine.status();
  }

  @Override
  public void engineStop() {
    engine.stop();
  }
}
