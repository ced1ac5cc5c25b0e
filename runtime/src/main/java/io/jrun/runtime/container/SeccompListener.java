package io.jrun.runtime.container;

import io.jrun.kernel.Batch;
import io.jrun.kernel.HelperKernel;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.Results;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.Config;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Seccomp;
import io.jrun.specs.runtime.State;
import io.jrun.specs.runtime.Status;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Hands the descriptor of a seccomp filter's notifications to the agent at listenerPath, with the
/// container process state of the specification.
record SeccompListener(HelperKernel client, Config config, StoredState state) {
  /// Loads a filter that has a listener, for a process that may load it as its last act before its
  /// program.
  ///
  /// @return the filter that is still to be loaded; null where there is none
  byte @Nullable [] load(
      HelperKernel helper,
      Process process,
      byte @Nullable [] filter,
      int flags,
      Status status,
      int pid) {
    if (filter == null || !Notify.hasListener(flags) || !process.noNewPrivileges()) return filter;
    Batch batch = new Batch();
    batch.add(new SecurityCall.Seccomp(flags, filter, true));
    send(helper.run(batch), status, pid);
    return null;
  }

  /// @param results of the batch that loaded the filter
  void send(Results results, Status status, int pid) {
    Seccomp profile = Objects.requireNonNull(config.linux().seccomp());
    try (OwnedDescriptor listener = results.descriptors().getFirst()) {
      DescriptorSocket.pass(
          client,
          Objects.requireNonNull(profile.listenerPath()),
          message(profile, status, pid).toText(""),
          listener);
    } catch (RuntimeException e) {
      throw new ContainerException("failed to connect with seccomp agent", e);
    }
  }

  private JsonObject message(Seccomp profile, Status status, int pid) {
    JsonObject message =
        JsonObject.EMPTY
            .with("ociVersion", Json.of(Config.OCI_VERSION))
            .with("fds", Json.ofStrings(List.of("seccompFd")))
            .with("pid", Json.of(pid));
    String metadata = profile.listenerMetadata();
    if (metadata != null && !metadata.isEmpty())
      message = message.with("metadata", Json.of(metadata));
    return message.with(
        "state",
        new State(
                config.ociVersion(),
                state.id(),
                status,
                state.initPid(),
                state.bundle(),
                config.annotations(),
                JsonObject.EMPTY)
            .toJson());
  }
}
