package io.jrun.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.jrun.kernel.Batch;
import io.jrun.runtime.Golden;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.DefaultConfig;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.User;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// The calls that make a container's program who it is, compared with files under
/// `golden/identity`.
class IdentityPlanTest {
  private static final Process PROCESS =
      Objects.requireNonNull(DefaultConfig.create(false, 0, 0).process());
  private static final byte[] FILTER = new byte[8];

  private final Batch batch = new Batch();

  private List<String> names() {
    return batch.entries().stream().map(entry -> entry.call().text()).toList();
  }

  private int indexOf(String prefix) {
    List<String> names = names();
    for (int i = 0; i < names.size(); i++) if (names.get(i).startsWith(prefix)) return i;
    return -1;
  }

  @Test
  void theDefaultProcess() {
    IdentityPlan.oomScore(batch, PROCESS);
    IdentityPlan.add(batch, PROCESS, null, 0, "_ses.c1", false);
    Golden.assertCalls(batch, "identity/default.txt");
  }

  @Test
  void aUserWithGroupsAndAScore() {
    User user = new User(1000, 1001, 0077L, List.of(4L, 4294967294L), Json.JsonObject.EMPTY);
    Process process =
        PROCESS
            .withUser(user)
            .withOomScoreAdj(-5)
            .withNoNewPrivileges(false)
            .withCapabilities(null);
    IdentityPlan.oomScore(batch, process);
    IdentityPlan.add(batch, process, FILTER, 0, null, false);
    Golden.assertCalls(batch, "identity/user.txt");
  }

  @Test
  void seccompComesBeforeTheDropOnlyWithoutNoNewPrivileges() {
    IdentityPlan.add(batch, PROCESS.withNoNewPrivileges(false), FILTER, 0, null, false);
    assertThat(indexOf("seccomp(")).isBetween(0, indexOf("setresuid(") - 1);
    assertThat(indexOf("prctl(PR_SET_NO_NEW_PRIVS")).isEqualTo(-1);
  }

  @Test
  void usersChangeBetweenTheBoundingSetAndTheFinalSets() {
    IdentityPlan.add(batch, PROCESS, null, 0, null, false);
    assertThat(
            List.of(
                indexOf("prctl(PR_CAPBSET_DROP"),
                indexOf("setgroups("),
                indexOf("setresgid("),
                indexOf("setresuid("),
                indexOf("capset(")))
        .doesNotContain(-1)
        .isSorted();
  }

  @Test
  void unknownCapabilitiesArePassedOver() {
    List<String> names = List.of("CAP_CHOWN", "CAP_KILL", "chown", "cap_fowner", "CAP_NO_SUCH");
    assertThat(Capabilities.mask(names)).isEqualTo(1 | 1 << 5);
    assertThat(Capabilities.mask(List.of("CAP_CHECKPOINT_RESTORE"))).isEqualTo(1L << 40);
  }
}
