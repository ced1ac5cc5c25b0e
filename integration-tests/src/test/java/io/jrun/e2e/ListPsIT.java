package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// `list` and `ps`.
class ListPsIT extends EndToEnd {

  @Test
  void anEmptyListHasOnlyItsHeading() throws IOException {
    Files.createDirectories(root); // runc wants a directory that it is told of
    assertThat(runtime("list").succeeds().lines())
        .hasSize(1)
        .first()
        .asString()
        .matches("ID\\s+PID\\s+STATUS\\s+BUNDLE\\s+CREATED\\s+OWNER\\s*");
    assertThat(runtime("list", "-q").succeeds().out()).isBlank();
    assertThat(runtime("list", "-f", "json").succeeds().text()).isIn("null", "[]");
  }

  @Test
  void listShowsEachContainer() throws IOException {
    long pid = startSleeper();
    String first = id;
    id = newId();
    create();
    assertThat(runtime("list", "-q").succeeds().lines()).containsExactlyInAnyOrder(first, id);
    assertThat(runtime("list").succeeds().lines())
        .hasSize(3)
        .anyMatch(line ->
            line.matches(
                first + "\\s+" + pid + "\\s+running\\s+" + bundle.path() + "\\s+\\S+Z\\s+root\\s*"))
        .anyMatch(line -> line.matches(id + "\\s+\\d+\\s+created\\s+.*"));
    JsonNode list = Config.json(runtime("list", "--format", "json").succeeds().out());
    assertThat(list.size()).isEqualTo(2);
    for (JsonNode entry : list) {
      assertThat(entry.get("bundle").asString()).isEqualTo(bundle.path().toString());
      assertThat(entry.get("rootfs").asString()).isEqualTo(bundle.rootfs().toString());
      assertThat(entry.get("owner").asString()).isEqualTo("root");
      assertThat(entry.get("created").asString()).isNotBlank();
      if (entry.get("id").asString().equals(first)) {
        assertThat(entry.get("pid").asLong()).isEqualTo(pid);
        assertThat(entry.get("status").asString()).isEqualTo("running");
      }
    }
  }

  /// Others are shown beside one whose state cannot be read; who asks for that one is told its
  /// file.
  @Test
  @JrunOnly
  void aStateThatCannotBeReadHidesNoOther() throws IOException {
    create();
    Path broken = Files.createDirectories(root.resolve("broken"));
    Path state = broken.resolve("state");
    Files.writeString(state, "garbage\n");
    Outcome list = runtime("list", "-q").succeeds();
    assertThat(list.lines()).containsExactly(id);
    assertThat(list.err()).contains("container broken");
    assertThat(runtime("state", "broken").failsInOneLine().err()).contains(state.toString());
    Files.delete(state);
    Files.delete(broken);
    runtime("delete", "--force", id).succeeds();
  }

  @Test
  void psShowsTheContainersProcesses() throws IOException {
    config.sh("sleep 1001 & wait");
    long pid = createAndStart();
    assertThat(eventually(() -> processes().size() == 2)).isTrue();
    assertThat(runtime("ps", id).succeeds().lines())
        .hasSize(3)
        .anyMatch(line -> line.matches("\\S+\\s+" + pid + "\\s.*"))
        .anyMatch(line -> line.contains("sleep 1001"));
    JsonNode pids = Config.json(runtime("ps", "--format", "json", id).succeeds().out());
    assertThat(pids.size()).isEqualTo(2);
    assertThat(pids.toString()).contains(String.valueOf(pid));
    assertThat(runtime("ps", id, "-o", "pid,comm").succeeds().lines()).hasSize(3);
    killAndDelete();
  }

  @Test
  void psOfNothingFails() {
    runtime("ps", id).failsInOneLine("does not exist");
  }

  @Test
  void aRootThatIsMissingIsAnError() {
    runtime("list").failsInOneLine(root.toString(), "no such file or directory");
  }
}
