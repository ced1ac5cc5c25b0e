package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// `spec`.
class SpecIT extends EndToEnd {

  @Test
  void writesTheTemplateIntoTheWorkingDirectory() throws IOException {
    Path directory = Files.createDirectory(temp.resolve("here"));
    command("spec").in(directory).run().succeeds();
    Config spec = Config.read(directory.resolve("config.json"));
    assertThat(spec.at("/ociVersion").asString()).startsWith("1.");
    assertThat(spec.at("/process/terminal").asBoolean()).isTrue();
    assertThat(spec.at("/process/args/0").asString()).isEqualTo("sh");
    assertThat(spec.at("/process/cwd").asString()).isEqualTo("/");
    assertThat(spec.at("/process/noNewPrivileges").asBoolean()).isTrue();
    assertThat(spec.at("/root/path").asString()).isEqualTo("rootfs");
    assertThat(spec.at("/root/readonly").asBoolean()).isTrue();
    List<String> targets = new ArrayList<>();
    spec.at("/mounts").forEach(mount -> targets.add(mount.get("destination").asString()));
    assertThat(targets)
        .containsExactly(
            "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup");
    assertThat(spec.at("/linux/maskedPaths").toString()).contains("/proc/kcore");
    assertThat(spec.at("/linux/readonlyPaths").toString()).contains("/proc/sys");
  }

  @Test
  void refusesToOverwrite() throws IOException {
    String before = Files.readString(bundle.path().resolve("config.json"));
    Outcome refused = runtime("spec", "-b", bundle.path().toString()).exits(1);
    assertThat(refused.err()).containsIgnoringCase("remove");
    assertThat(Files.readString(bundle.path().resolve("config.json"))).isEqualTo(before);
  }

  @Test
  void rootlessAddsUserNamespaceWithMappings() throws IOException {
    Path directory = Files.createDirectory(temp.resolve("rootless"));
    runtime("spec", "--rootless", "-b", directory.toString()).succeeds();
    Config spec = Config.read(directory.resolve("config.json"));
    assertThat(spec.at("/linux/namespaces").toString()).contains("\"user\"");
    assertThat(spec.at("/linux/uidMappings/0/containerID").asInt()).isZero();
    assertThat(spec.at("/linux/uidMappings/0/size").asInt()).isEqualTo(1);
    assertThat(spec.at("/linux/gidMappings/0/size").asInt()).isEqualTo(1);
  }

  @Test
  void theTemplateRuns() throws IOException {
    run().succeeds();
  }
}
