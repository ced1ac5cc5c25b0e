package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Writes down what it is asked; answers, or fails, as its fields say.
final class RecordingOperations implements Operations {
  final List<Object> calls = new ArrayList<>();
  List<ContainerSummary> containers = List.of();
  List<SandboxSummary> sandboxes = List.of();
  List<Integer> pids = List.of();
  int status;
  @Nullable RuntimeException failure;

  private void record(Object call) {
    calls.add(call);
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void spec(GlobalOptions global, String bundle, boolean rootless) {
    record("spec [" + bundle + "] " + rootless);
  }

  @Override
  public void create(CreateOptions options) {
    record(options);
  }

  @Override
  public void start(GlobalOptions global, String id) {
    record("start " + id);
  }

  @Override
  public int run(RunOptions options) {
    record(options);
    return status;
  }

  @Override
  public void plan(CreateOptions options) {
    record("plan " + options.id() + " [" + options.bundle() + "]");
  }

  @Override
  public int exec(ExecOptions options) {
    record(options);
    return status;
  }

  @Override
  public String state(GlobalOptions global, String id) {
    record("state " + id + " root=" + global.root());
    return "{}";
  }

  @Override
  public void kill(GlobalOptions global, String id, int signal, boolean all) {
    record("kill " + id + " " + signal + " " + all);
  }

  @Override
  public void delete(GlobalOptions global, String id, boolean force, boolean unfinished) {
    record("delete " + id + " " + force + (unfinished ? " unfinished" : ""));
  }

  @Override
  public void sandboxRun(SandboxOptions options) {
    record(options);
  }

  @Override
  public void sandboxStop(GlobalOptions global, String name, int seconds) {
    record("sandbox stop " + name + " " + seconds);
  }

  @Override
  public void sandboxRemove(GlobalOptions global, String name, boolean force) {
    record("sandbox rm " + name + " " + force);
  }

  @Override
  public List<SandboxSummary> sandboxes(GlobalOptions global) {
    record(global);
    return sandboxes;
  }

  @Override
  public List<ContainerSummary> list(GlobalOptions global, boolean mayBeMissing) {
    record(global);
    return containers;
  }

  @Override
  public List<Integer> pids(GlobalOptions global, String id) {
    record("pids " + id);
    return pids;
  }

  @Override
  public void update(UpdateOptions options) {
    record(options);
  }

  @Override
  public void events(
      GlobalOptions global,
      String id,
      long intervalMillis,
      java.util.function.Consumer<String> out) {
    record("events " + id + " " + intervalMillis);
  }

  @Override
  public void pause(GlobalOptions global, String id) {
    record("pause " + id);
  }

  @Override
  public void resume(GlobalOptions global, String id) {
    record("resume " + id);
  }

  @Override
  public void checkpoint(CheckpointOptions options) {
    record(options);
  }

  @Override
  public int restore(RestoreOptions options) {
    record(options);
    return status;
  }

  @Override
  public String features() {
    record("features");
    return "{\"ociVersionMax\":\"1.3.0\"}";
  }

  @Override
  public Optional<String> engineStatus() {
    record("engineStatus");
    return Optional.of("{\"pid\":7,\"socket\":\"/run/x\"}");
  }

  @Override
  public void engineRestart() {
    record("engineRestart");
  }

  @Override
  public void engineStop() {
    record("engineStop");
  }

  @Override
  public io.jrun.image.commands.RootfsTools rootfsTools() {
    throw new UnsupportedOperationException();
  }

  @Override
  public io.jrun.image.commands.Images images(String store) {
    throw new UnsupportedOperationException();
  }

  @Override
  public io.jrun.image.commands.BundleCreation bundleCreation(String store) {
    throw new UnsupportedOperationException();
  }

  @Override
  public io.jrun.image.commands.ContainerBundles containerBundles(
      io.jrun.image.commands.Images images) {
    throw new UnsupportedOperationException();
  }

  @Override
  public io.jrun.specs.runtime.Config baseConfig() {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<String> capabilities() {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean hasContainer(String stateRoot, String id) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String stateRoot(GlobalOptions global) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String cni(io.jrun.cni.command.CniLine line) {
    record(line);
    return "{}\n";
  }
}
