package io.jrun.runtime.engine;

import io.jrun.cni.command.CniLine;
import io.jrun.image.commands.BundleCreation;
import io.jrun.image.commands.ContainerBundles;
import io.jrun.image.commands.Images;
import io.jrun.image.commands.RootfsTools;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.wire.Hello;
import io.jrun.rootfs.CallerFiles;
import io.jrun.runtime.cli.Caller;
import io.jrun.runtime.cli.CheckpointOptions;
import io.jrun.runtime.cli.ContainerSummary;
import io.jrun.runtime.cli.CreateOptions;
import io.jrun.runtime.cli.ExecOptions;
import io.jrun.runtime.cli.GlobalOptions;
import io.jrun.runtime.cli.Log;
import io.jrun.runtime.cli.Operations;
import io.jrun.runtime.cli.RestoreOptions;
import io.jrun.runtime.cli.RunOptions;
import io.jrun.runtime.cli.SandboxOptions;
import io.jrun.runtime.cli.SandboxSummary;
import io.jrun.runtime.cli.UpdateOptions;
import io.jrun.runtime.container.ContainerOperations;
import io.jrun.runtime.container.Containers;
import io.jrun.specs.runtime.Config;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/// What the command line of one client may ask for: of containers, and of the engine itself.
record EngineOperations(
    Engine engine, Containers containers, HelperKernel client, Hello hello, Caller caller)
    implements Operations {
  private <R> R with(GlobalOptions global, Function<ContainerOperations, R> operation) {
    Log log = new Log(global, caller);
    return global.trace()
        ? containers.traced(client, hello, log, operation)
        : operation.apply(containers.operations(client, hello, log));
  }

  private void perform(GlobalOptions global, Consumer<ContainerOperations> operation) {
    with(
        global,
        operations -> {
          operation.accept(operations);
          return 0;
        });
  }

  @Override
  public String cni(CniLine line) {
    return engine.networks().command(client, hello).perform(line);
  }

  @Override
  public void spec(GlobalOptions global, String bundle, boolean rootless) {
    perform(global, o -> o.spec(bundle, rootless));
  }

  @Override
  public void create(CreateOptions options) {
    perform(options.global(), o -> o.create(options));
  }

  @Override
  public void start(GlobalOptions global, String id) {
    perform(global, o -> o.start(global, id));
  }

  @Override
  public int run(RunOptions options) {
    return with(options.create().global(), o -> o.run(options));
  }

  @Override
  public void plan(CreateOptions options) {
    Log log = new Log(options.global(), caller);
    containers.plan(client, hello, log, new RunOptions(options, false, false, false), caller::out);
  }

  @Override
  public int exec(ExecOptions options) {
    return with(options.global(), o -> o.exec(options));
  }

  @Override
  public String state(GlobalOptions global, String id) {
    return with(global, o -> o.state(global, id));
  }

  @Override
  public void kill(GlobalOptions global, String id, int signal, boolean all) {
    perform(global, o -> o.kill(global, id, signal, all));
  }

  @Override
  public void delete(GlobalOptions global, String id, boolean force, boolean unfinished) {
    perform(global, o -> o.delete(global, id, force, unfinished));
  }

  @Override
  public List<ContainerSummary> list(GlobalOptions global, boolean mayBeMissing) {
    return with(global, o -> o.list(global, mayBeMissing));
  }

  @Override
  public List<Integer> pids(GlobalOptions global, String id) {
    return with(global, o -> o.pids(global, id));
  }

  @Override
  public void update(UpdateOptions options) {
    perform(options.global(), o -> o.update(options));
  }

  @Override
  public void events(GlobalOptions global, String id, long intervalMillis, Consumer<String> out) {
    perform(global, o -> o.events(global, id, intervalMillis, out));
  }

  @Override
  public void pause(GlobalOptions global, String id) {
    perform(global, o -> o.pause(global, id));
  }

  @Override
  public void resume(GlobalOptions global, String id) {
    perform(global, o -> o.resume(global, id));
  }

  @Override
  public void checkpoint(CheckpointOptions options) {
    perform(options.global(), o -> o.checkpoint(options));
  }

  @Override
  public int restore(RestoreOptions options) {
    return with(options.create().global(), o -> o.restore(options));
  }

  @Override
  public void sandboxRun(SandboxOptions options) {
    perform(options.global(), o -> o.sandboxes(options.global()).run(options));
  }

  @Override
  public void sandboxStop(GlobalOptions global, String name, int seconds) {
    perform(global, o -> o.sandboxes(global).stop(name, seconds));
  }

  @Override
  public void sandboxRemove(GlobalOptions global, String name, boolean force) {
    perform(global, o -> o.sandboxes(global).remove(name, force));
  }

  @Override
  public List<SandboxSummary> sandboxes(GlobalOptions global) {
    return with(global, o -> o.sandboxes(global).list());
  }

  private CallerFiles files() {
    return new CallerFiles(engine.kernel(), client, hello.env());
  }

  @Override
  public RootfsTools rootfsTools() {
    return new RootfsTools(files());
  }

  @Override
  public Images images(String store) {
    return with(GlobalOptions.DEFAULTS, o -> o.images(store));
  }

  @Override
  public BundleCreation bundleCreation(String store) {
    return new BundleCreation(
        files(), images(store), with(GlobalOptions.DEFAULTS, ContainerOperations::bundleConfig));
  }

  @Override
  public ContainerBundles containerBundles(Images images) {
    return with(GlobalOptions.DEFAULTS, o -> o.bundles(images));
  }

  @Override
  public Config baseConfig() {
    return with(GlobalOptions.DEFAULTS, ContainerOperations::baseConfig);
  }

  @Override
  public List<String> capabilities() {
    return with(GlobalOptions.DEFAULTS, ContainerOperations::capabilities);
  }

  @Override
  public boolean hasContainer(String stateRoot, String id) {
    return with(GlobalOptions.DEFAULTS, o -> o.hasContainer(stateRoot, id));
  }

  @Override
  public String stateRoot(GlobalOptions global) {
    return with(global, o -> o.stateRoot(global));
  }

  @Override
  public String features() {
    return RuntimeFeatures.describe();
  }

  @Override
  public Optional<String> engineStatus() {
    return engine.status();
  }

  @Override
  public void engineRestart() {
    engine.restart(client);
  }

  @Override
  public void engineStop() {
    engine.stop();
  }
}
