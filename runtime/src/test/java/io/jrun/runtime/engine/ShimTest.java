package io.jrun.runtime.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.specs.task.TaskStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// The shim by itself: containerd's part is played by a client of the task service and a server of
/// events. A test leaves nothing of its pod.
abstract class ShimTest {
  Sandbox sandbox;
  EventSink sink;
  Fifos fifos;

  /// What the test itself makes, last.
  @SuppressWarnings("NullAway.Init")
  ShimPod pod;

  @BeforeEach
  final void prepare() throws IOException {
    sandbox = new Sandbox();
    fifos = new Fifos(sandbox.top());
    sink = new EventSink(ShimPod.events(sandbox.top()));
  }

  /// Ends what a test has besides, when its pod is gone.
  void podIsGone() {}

  @AfterEach
  final void end() throws IOException {
    if (pod != null) pod.close();
    if (sink != null) sink.close();
    if (sandbox == null) return;
    podIsGone();
    if (fifos != null) fifos.close();
    List<String> left = sandbox.leftSoon(sandbox.tag());
    sandbox.close();
    assertThat(left).isEmpty();
  }

  Path program() {
    return sandbox.install().resolve("bin/containerd-shim-jrun-v2");
  }

  /// A shim for the container that the config says.
  final ShimPod shim() throws IOException {
    pod = new ShimPod(program(), sandbox.bundle(), sandbox.top(), sandbox.tag());
    return pod;
  }

  /// What `State` says of the init process, or of that of an exec.
  final TaskStatus status(String execId) {
    int number = pod.ok("State", pod.request().string(2, execId)).int32(4);
    return Stream.of(TaskStatus.values())
        .filter(status -> status.number() == number)
        .findFirst()
        .orElseThrow();
  }
}
