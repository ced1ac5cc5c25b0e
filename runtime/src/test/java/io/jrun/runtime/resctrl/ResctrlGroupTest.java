package io.jrun.runtime.resctrl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.jrun.kernel.Kernel;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.HostCall;
import io.jrun.kernel.host.HostKernel;
import io.jrun.specs.runtime.IntelRdt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The rules of linux.intelRdt on a directory tree that looks as resctrl does, since machines with
/// that hardware are rare: a new directory has its files, and one that is removed takes them along.
class ResctrlGroupTest {
  private static final String DEFAULT = "    L3:0=7ff;1=7ff\n    MB:0=100;1=100\n";

  @TempDir Path top;
  private Resctrl resctrl = new Resctrl(new HostKernel(), "");
  private Kernel kernel = new HostKernel();

  @BeforeEach
  void makeTree() throws IOException {
    populate(top);
    for (String resource : List.of("L3", "MB"))
      Files.createDirectories(top.resolve("info").resolve(resource));
    Files.writeString(top.resolve("info/last_cmd_status"), "ok\n");
    kernel =
        new Kernel() {
          private final HostKernel real = new HostKernel();

          @Override
          public <R> R call(HostCall<R> call) {
            if (call instanceof FileCall.Unlinkat removal) empty(Path.of(removal.path()));
            R result = real.call(call);
            if (call instanceof FileCall.Mkdirat made) populate(Path.of(made.path()));
            return result;
          }
        };
    resctrl = new Resctrl(kernel, top.toString());
  }

  private static void populate(Path group) {
    try {
      Files.writeString(group.resolve("tasks"), "");
      if (group.resolveSibling("").endsWith("mon_groups")) return;
      Files.writeString(group.resolve("schemata"), DEFAULT);
      Files.createDirectory(group.resolve("mon_groups"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void empty(Path group) {
    try {
      for (String name : List.of("tasks", "schemata", "mon_groups"))
        Files.deleteIfExists(group.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ResctrlGroup group(String rdt) {
    return resctrl.group(IntelRdt.parse(rdt.getBytes(StandardCharsets.UTF_8)), "c1");
  }

  private String schemata(String name) throws IOException {
    return Files.readString(top.resolve(name).resolve("schemata"));
  }

  @Test
  void withoutAClassTheContainersIdIsItsOwnGroup() throws IOException {
    ResctrlGroup group =
        group(
            """
            {"l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=20","schemata":["L2:0=3","L3:1=1"]}
            """);
    assertThat(group.ownDirectories()).containsExactly(top + "/c1");
    group.make();
    assertThat(schemata("c1")).startsWith("L3:0=f\nMB:0=20\nL2:0=3\nL3:1=1\n");
    group.add(77);
    assertThat(top.resolve("c1/tasks")).hasContent("77");
    group.update(List.of("L3:0=ff"));
    assertThat(schemata("c1")).startsWith("L3:0=ff\n");
    Resctrl.remove(kernel, group.ownDirectories());
    assertThat(top.resolve("c1")).doesNotExist();
    Resctrl.remove(kernel, List.of(top + "/c1"));
  }

  @Test
  void aDirectoryThatWasThereStays() {
    group("{}").make();
    ResctrlGroup second = group("{}");
    assertThat(second.ownDirectories()).isEmpty();
  }

  @Test
  void withoutSchemataNoneAreWritten() throws IOException {
    group("{}").make();
    assertThat(schemata("c1")).isEqualTo(DEFAULT);
  }

  @Test
  void aNamedClassIsMadeAndStays() throws IOException {
    ResctrlGroup group = group("{\"closID\":\"gold\",\"l3CacheSchema\":\"L3:0=f;1=f\"}");
    group.make();
    assertThat(schemata("gold")).startsWith("L3:0=f;1=f\n");
    assertThat(group.ownDirectories()).isEmpty();
  }

  @Test
  void aPreparedClassMustHaveTheSameShare() throws IOException {
    group("{\"closID\":\"gold\",\"schemata\":[\"L3:0=7ff\"]}").make();
    Files.writeString(top.resolve("gold/schemata"), "    L3:0=07f;1=7ff\n    MB:0=50;1=100\n");
    group("{\"closID\":\"gold\",\"l3CacheSchema\":\"L3:0=7f\",\"memBwSchema\":\"MB:1=100;0=50\"}")
        .make();
    group("{\"closID\":\"gold\"}").make();
    assertThat(schemata("gold")).as("never written").startsWith("    L3:0=07f");
    assertThatThrownBy(() -> group("{\"closID\":\"gold\",\"memBwSchema\":\"MB:0=60\"}").make())
        .isInstanceOf(ResctrlException.class)
        .hasMessageContaining("does not say \"MB:0=60\"");
    assertThatThrownBy(() -> group("{\"closID\":\"gold\",\"schemata\":[\"L4:0=1\"]}").make())
        .hasMessageContaining("L4:0=1");
  }

  @Test
  void aClassThatIsNotThereNeedsSchemata() {
    assertThatThrownBy(() -> group("{\"closID\":\"none\"}").make())
        .hasMessageContaining("/none does not exist");
    assertThat(top.resolve("none")).doesNotExist();
  }

  @Test
  void theDefaultClassIsTheTop() {
    ResctrlGroup group = group("{\"closID\":\"/\"}");
    group.make();
    group.add(5);
    assertThat(top.resolve("tasks")).hasContent("5");
    assertThat(group.ownDirectories()).isEmpty();
  }

  @Test
  void monitoringHasAGroupOfItsOwn() {
    ResctrlGroup group = group("{\"closID\":\"/\",\"enableMonitoring\":true}");
    group.make();
    group.add(5);
    assertThat(top.resolve("mon_groups/c1/tasks")).hasContent("5");
    assertThat(group.ownDirectories()).containsExactly(top + "/mon_groups/c1");
    Resctrl.remove(kernel, group.ownDirectories());
    assertThat(top.resolve("mon_groups/c1")).doesNotExist();
    assertThat(top.resolve("tasks")).exists();
  }

  @Test
  void aFailureHasWhatTheKernelSays() throws IOException {
    Files.writeString(top.resolve("info/last_cmd_status"), "Mask out of range\n");
    ResctrlGroup group = group("{\"schemata\":[\"L3:0=f\"]}");
    group.make();
    Files.delete(top.resolve("c1/tasks"));
    assertThatThrownBy(() -> group.add(5))
        .hasMessageContaining("c1/tasks")
        .hasMessageContaining("ENOENT")
        .hasMessageContaining("(Mask out of range)");
  }
}
