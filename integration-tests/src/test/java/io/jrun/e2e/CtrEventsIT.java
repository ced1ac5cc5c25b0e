package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The events that containerd publishes for the shim: each once, in the order of the runc shim.
class CtrEventsIT extends ContainerdTest {

  /// One line of `ctr events`: time, time zone, namespace, topic, JSON.
  record Event(String topic, JsonNode body) {
    String container() {
      return body.at("/container_id").asString("");
    }

    /// Such as `exit:e1`, where the event names an id of its own that is not the container's.
    String shortly() {
      String process = body.at("/exec_id").asString(body.at("/id").asString(""));
      String name = topic.substring("/tasks/".length());
      return process.isEmpty() || process.equals(container()) ? name : name + ":" + process;
    }
  }

  @SuppressWarnings("NullAway.Init")
  private Command.Running listener;

  @BeforeEach
  void listen() throws IOException {
    listener = containerd.ctr("events").start();
    // it says nothing when it is ready; an event of our own shows it
    assertThat(
            EndToEnd.eventually(() -> {
              ctr("namespaces", "label", containerd.tag(), "heard=" + System.nanoTime());
              return output().contains("/namespaces/update");
            }))
        .isTrue();
  }

  @AfterEach
  void stopListening() throws IOException {
    listener.process().destroy();
    listener.finish();
  }

  private String output() {
    try {
      return listener.outputSoFar();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<Event> events(String container) {
    List<Event> found = new ArrayList<>();
    String text = output();
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
      int topic = line.indexOf(" /tasks/");
      if (topic < 0) continue;
      int json = line.indexOf(" {", topic);
      Event event =
          new Event(line.substring(topic + 1, json).strip(), Config.json(line.substring(json)));
      if (event.container().equals(container)) found.add(event);
    }
    return found;
  }

  private List<String> namesUntil(String container, String last) {
    EndToEnd.eventually(() -> names(container).contains(last));
    return names(container);
  }

  private List<String> names(String container) {
    return events(container).stream().map(Event::shortly).toList();
  }

  @Test
  void aLifeInOrder() {
    String id = newId();
    run(List.of("--detach", "--null-io"), id, "sleep", "1000").run().succeeds();
    long pid = taskPid(id);
    exec(id, "e1", "sh", "-c", "exit 3").run().exits(3);
    ctr("tasks", "pause", id).succeeds();
    ctr("tasks", "resume", id).succeeds();
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    awaitStatus(id, "STOPPED");
    ctr("tasks", "delete", id).succeeds();
    assertThat(namesUntil(id, "delete"))
        .containsExactly(
            "create",
            "start",
            "exec-added:e1",
            "exec-started:e1",
            "exit:e1",
            "paused",
            "resumed",
            "exit",
            "delete");
    List<Event> events = events(id);
    assertThat(events.getFirst().body().at("/pid").asLong()).isEqualTo(pid);
    assertThat(events.get(1).body().at("/pid").asLong()).isEqualTo(pid);
    assertThat(events.get(4).body().at("/exit_status").asInt()).isEqualTo(3);
    assertThat(events.get(7).body().at("/exit_status").asInt()).isEqualTo(137);
    JsonNode exitedAt = events.get(7).body().at("/exited_at"); // a text until containerd 1.6
    assertThat(exitedAt.at("/seconds").asString(exitedAt.asString(""))).isNotEmpty();
    assertThat(events.get(8).body().at("/exit_status").asInt()).isEqualTo(137);
  }

  @Test
  void theStartComesBeforeTheExitHoweverShortTheLife() {
    for (int i = 0; i < 10; i++) {
      String id = newId();
      run(List.of("--rm"), id, "true").run().succeeds();
      assertThat(namesUntil(id, "delete")).containsExactly("create", "start", "exit", "delete");
    }
  }

  @Test
  void initsExitIsTheLast() {
    String id = sleeper();
    ctr("tasks", "exec", "--detach", "--exec-id", "e1", id, "sleep", "1000").succeeds();
    ctr("tasks", "exec", "--detach", "--exec-id", "e2", id, "sleep", "1000").succeeds();
    ctr("tasks", "kill", "--signal", "KILL", id).succeeds();
    List<String> exits =
        namesUntil(id, "exit").stream().filter(name -> name.startsWith("exit")).toList();
    assertThat(exits).hasSize(3).endsWith("exit").contains("exit:e1", "exit:e2");
  }

  @Test
  void whoRunsOutOfMemoryIsReported() throws IOException {
    String id = newId();
    Outcome outcome =
        run(
                List.of("--rm", "--memory-limit", "16777216"),
                id,
                "dd",
                "if=/dev/zero",
                "of=/dev/null",
                "bs=64M")
            .run();
    assertThat(outcome.status()).isEqualTo(137);
    boolean reported = EndToEnd.eventually(() -> names(id).contains("oom"));
    assumeTrue(
        reported || Containerd.isJrun(), "runc's shim wants every v1 controller to be mounted");
    assertThat(namesUntil(id, "delete")).contains("oom", "exit");
  }
}
