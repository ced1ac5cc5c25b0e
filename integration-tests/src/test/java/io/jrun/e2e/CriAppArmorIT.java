package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/// Profiles of AppArmor for pods: containerd's own, and none.
@Tag("vm")
@EnabledIf(
    value = "io.jrun.e2e.AppArmorIT#isPossible",
    disabledReason = "needs a kernel with AppArmor, and apparmor_parser (make vm-test)")
class CriAppArmorIT extends CriTest {
  private static final String PROFILE = "/linux/security_context/apparmor";

  @Test
  void theDefaultProfileIsEnforced() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("confined", "sleep", "1000")
                .set(PROFILE, "{profile_type:'RuntimeDefault'}"));
    assertThat(container.sh("cat /proc/1/attr/current; cat /proc/self/attr/current"))
        .isEqualTo("cri-containerd.apparmor.d (enforce)\ncri-containerd.apparmor.d (enforce)");
  }

  @Test
  void anUnconfinedContainerHasNone() {
    Pod pod = run(podConfig());
    Container container =
        pod.start(
            pod.containerConfig("free", "sleep", "1000")
                .set(PROFILE, "{profile_type:'Unconfined'}"));
    assertThat(container.sh("cat /proc/self/attr/current")).isEqualTo("unconfined");
  }
}
