package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// linux.rootfsPropagation, on a host whose mounts are shared: the runtime runs in a mount
/// namespace of the test's own that is made so.
class RootfsPropagationIT extends EndToEnd {
  /// The optional fields of the container's root in its mountinfo, such as `shared:5`.
  private String rootOf(String propagation, String... flags) throws IOException {
    config
        .setText("/linux/rootfsPropagation", propagation)
        .sh("grep ' / / ' /proc/self/mountinfo || grep ' / ' /proc/self/mountinfo");
    return onSharedHost(onBundle("run", flags)).succeeds().text();
  }

  private Outcome onSharedHost(Command command) {
    return SharedHost.sh(
        "before=$(wc -l < /proc/self/mountinfo); \"$@\";"
            + " test $(wc -l < /proc/self/mountinfo) -le $before || echo leaked",
        command.words());
  }

  @ParameterizedTest
  @ValueSource(strings = {"shared", "rshared"})
  void theRootIsShared(String propagation) throws IOException {
    RUNTIME.assumeRecent("rootfsPropagation after the pivot");
    assertThat(rootOf(propagation)).contains(" shared:").doesNotContain("leaked");
  }

  @ParameterizedTest
  @ValueSource(strings = {"slave", "rslave"})
  void theRootIsASlaveOfTheHosts(String propagation) throws IOException {
    assertThat(rootOf(propagation)).doesNotContain(" shared:", " unbindable", "leaked");
  }

  @ParameterizedTest
  @ValueSource(strings = {"private", "rprivate"})
  void theRootIsPrivate(String propagation) throws IOException {
    assertThat(rootOf(propagation)).doesNotContain(" shared:", " unbindable", "leaked");
  }

  @Test
  void theRootIsUnbindable() throws IOException {
    RUNTIME.assumeRecent("rootfsPropagation after the pivot");
    assertThat(rootOf("unbindable")).contains(" unbindable").doesNotContain("leaked");
  }

  @Test
  void withoutPivotToo() throws IOException {
    RUNTIME.assumeRecent("rootfsPropagation after the pivot");
    assertThat(rootOf("shared", "--no-pivot")).contains(" shared:").doesNotContain("leaked");
  }

  @Test
  void anUnknownOneIsRefused() throws IOException {
    config.setText("/linux/rootfsPropagation", "sideways");
    assertThat(run().exits(1).err()).contains("ropagation");
  }

  private void mountBelowABind(String options, String mappings) throws IOException {
    Path source = Files.createDirectories(temp.resolve("source/below"));
    Command.of("chown", "-R", "200000:200000", bundle.rootfs().toString()).run().succeeds();
    config
        .mount(
            "{destination:'/mnt',type:'bind',source:'%s',options:['rbind'%s]%s}"
                .formatted(source.getParent(), options, mappings))
        .capabilities("CAP_SYS_ADMIN")
        .sh("mount -t tmpfs none /mnt/below && echo mounted");
    assertThat(onSharedHost(onBundle("run")).succeeds().text()).isEqualTo("mounted");
  }

  @Test
  void whatIsMountedBelowABindStaysInside() throws IOException {
    mountBelowABind("", "");
  }

  @Test
  void whatIsMountedBelowAMappedBindStaysInside() throws IOException {
    RUNTIME.assumeRecent("id-mapped mounts");
    mountBelowABind(
        ",'ridmap'",
        ",uidMappings:[{containerID:0,hostID:5000,size:9}],gidMappings:[{containerID:0,hostID:5000,size:9}]");
  }

  @Test
  void whatAUserNamespaceMountsBelowABindStaysInside() throws IOException {
    config.set("/linux/namespaces/-", "{type:'user'}");
    for (String ids : List.of("uidMappings", "gidMappings"))
      config.set("/linux/" + ids, "[{containerID:0,hostID:200000,size:65536}]");
    mountBelowABind("", "");
  }
}
