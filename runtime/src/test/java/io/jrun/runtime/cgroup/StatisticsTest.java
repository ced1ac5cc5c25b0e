package io.jrun.runtime.cgroup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Members that runc's events have beside those that a machine of cgroup v1 or v2 alone shows.
class StatisticsTest {
  private static String statistics(boolean isV2, Map<String, String> files) {
    return new Statistics(
            new CgroupValues(isV2, (controller, file) -> files.getOrDefault(file, ""), List.of()))
        .read()
        .toText("");
  }

  @Test
  void v1CountsTimeOfTheKernelAndOfProgramsOnEachCpu() {
    String cpu = "cpu user system\n0 22 50\n1 23 55\n";
    assertThat(statistics(false, Map.of("cpuacct.usage_all", cpu)))
        .contains("\"percpu_kernel\":[50,55],\"percpu_user\":[22,23]");
    assertThat(statistics(false, Map.of())).doesNotContain("percpu");
  }

  @Test
  void v2TellsThePressure() {
    String cpu =
        "some avg10=53.64 avg60=0.50 avg300=0.00 total=177\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
    String told =
        statistics(true, Map.of("cpu.pressure", cpu, "memory.pressure", cpu, "io.pressure", cpu));
    String psi =
        "\"psi\":{\"some\":{\"avg10\":53.64,\"avg60\":0.5,\"avg300\":0,\"total\":177},"
            + "\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}}";
    assertThat(told.split(Pattern.quote(psi), -1)).as(told).hasSize(4);
    assertThat(statistics(true, Map.of())).doesNotContain("psi");
  }
}
