package io.jrun.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.Batch;
import io.jrun.specs.runtime.Config;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The calls for scheduler, ioPriority, personality, memoryPolicy and CPU lists.
class SchedulingPlanTest {
  private static List<String> calls(String process, String linux) {
    String json =
        "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},\"process\":{\"cwd\":\"/\",\"args\":[\"a\"]"
            + process
            + "},\"linux\":{"
            + linux
            + "}}";
    Config config = Config.read(json.getBytes(StandardCharsets.UTF_8));
    Batch batch = new Batch();
    SchedulingPlan.add(batch, Objects.requireNonNull(config.process()), config.linux());
    return batch.entries().stream().map(entry -> entry.call().text()).toList();
  }

  @Test
  void nothingAskedIsNoCall() {
    assertThat(calls("", "")).isEmpty();
  }

  @Test
  void schedulersAndPriorities() {
    assertThat(
            calls(
                ",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"flags\":[\"SCHED_FLAG_RECLAIM\"],\"runtime\":1,\"deadline\":2,\"period\":3},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":4}",
                ""))
        .containsExactly(
            "sched_setattr(0, {size=48, policy=SCHED_DEADLINE, flags=2, nice=0, priority=0, runtime=1, deadline=2, period=3}, 0)",
            "ioprio_set(1, 0, 24580)");
  }

  @Test
  void personalityAndMemoryPolicy() {
    assertThat(
            calls(
                "",
                "\"personality\":{\"domain\":\"LINUX32\"},\"memoryPolicy\":{\"mode\":\"MPOL_INTERLEAVE\",\"nodes\":\"0-1\",\"flags\":[\"MPOL_F_RELATIVE_NODES\"]}"))
        .containsExactly("personality(8)", "set_mempolicy(16387, <8 bytes>, 65)");
  }

  @Test
  void listsBecomeMasks() {
    assertThat(SchedulingPlan.mask("0-2, 5")).containsExactly(0x27, 0, 0, 0, 0, 0, 0, 0);
    assertThat(SchedulingPlan.mask("64")).hasSize(16);
    assertThat(SchedulingPlan.mask("")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"3-1", "0-", "-", "1-2-3", "x", "99999999"})
  void invalidListsAreNamed(String list) {
    assertThatThrownBy(() -> SchedulingPlan.mask(list))
        .hasMessageContaining("invalid list \"" + list);
  }
}
