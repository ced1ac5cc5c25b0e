package io.jrun.runtime.shim;

import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.wire.Keeper;
import io.jrun.kernel.wire.KeeperState;

/// Makes a keeper's workers. A process of a container runs from a sealed copy of the engine's own
/// helper, laid over the text that it was running, so both have to be of one build: where the
/// keeper is of another, as after an upgrade, its workers begin anew.
final class Workers {
  private final Keeper keeper;
  private final ShimProgram program;
  private final boolean isSameBuild;

  Workers(Keeper keeper, KeeperState state, ShimProgram program) {
    this.keeper = keeper;
    this.program = program;
    this.isSameBuild = program.is(state);
  }

  HelperKernel fork() {
    return isSameBuild ? keeper.fork() : keeper.fork(program.file());
  }

  /// A worker that sees what the keeper keeps, and is good for nothing but that.
  HelperKernel forkSeeing() {
    return keeper.forkSeeingPlaces();
  }
}
