package io.jrun.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Containers without a mount namespace of their own: their mounts are the host's, below their root
/// file system. runc leaves them there, and takes the host's mounts out of their peer groups, so
/// the host is a namespace that goes with the test.
class ChrootIT extends EndToEnd {
  private static final String MOUNTS = "grep -F \"$ROOTFS\" /proc/self/mountinfo || true; ";

  /// The host's root, with its peer group, and what is mounted below the container's.
  private static final String SEEN = "grep -E \" / / |$ROOTFS\" /proc/self/mountinfo ";

  @BeforeEach
  void withoutMountNamespace() {
    config
        .namespaces("pid", "network", "ipc", "uts")
        .writableRoot()
        .remove("/linux", "maskedPaths")
        .remove("/linux", "readonlyPaths");
  }

  /// Runs a script on a host, where `$RUNTIME` is the runtime's command line, `$BUNDLE` and `$ID`
  /// are what it needs.
  private Outcome onHost(String script) throws IOException {
    bundle.write(config);
    String names =
        "RUNTIME='%s' BUNDLE=%s ROOTFS=%s ID=%s; "
            .formatted(String.join(" ", command().words()), bundle.path(), bundle.rootfs(), id);
    return SharedHost.sh(names + script, List.of());
  }

  private Outcome runOnHost(String script) throws IOException {
    config.sh(script);
    return onHost("$RUNTIME run --bundle $BUNDLE $ID");
  }

  @Test
  void theConfigsMountsAreMade() throws IOException {
    config
        .mount("{destination:'/mnt',type:'tmpfs',source:'tmpfs',options:['nosuid','size=64k']}")
        .mount("{destination:'/opt',type:'bind',source:'/etc',options:['bind','ro']}");
    assertThat(
            runOnHost(
                    "cat /etc/hostname; cat /opt/passwd | grep -c root; echo $$; test -c /dev/null;"
                        + " grep -E ' / /(mnt|proc|dev) ' /proc/self/mountinfo | wc -l;"
                        + " touch /opt/x 2>&1; touch /mnt/x && echo written")
                .succeeds()
                .lines())
        .containsExactly(
            "busybox", "1", "1", "3", "touch: /opt/x: Read-only file system", "written");
  }

  @Test
  void theyShowOnTheHostWhileTheContainerIsThere() throws IOException {
    config.args("sleep", "1000");
    String mounted =
        onHost(
                "$RUNTIME create --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1; "
                    + MOUNTS
                    + "$RUNTIME delete --force $ID")
            .succeeds()
            .out();
    assertThat(mounted).contains(bundle.rootfs() + "/proc ", bundle.rootfs() + "/dev ");
  }

  /// runc's is in the host's root.
  @JrunOnly
  @Test
  void execIsInTheSameRoot() throws IOException {
    config.args("sleep", "1000");
    Outcome outcome =
        onHost(
            "$RUNTIME run --detach --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1; "
                + "$RUNTIME exec $ID sh -c 'cat /etc/hostname; cat /proc/1/comm; ls /proc/1/root/etc/hostname';"
                + "$RUNTIME delete --force $ID");
    assertThat(outcome.succeeds().lines())
        .containsExactly("busybox", "sleep", "/proc/1/root/etc/hostname");
  }

  @Test
  void pathsCannotBeMasked() throws IOException {
    config.set("/linux/maskedPaths", "['/proc/kcore']");
    assertThat(run().exits(1).err()).containsIgnoringCase("namespace");
    config.remove("/linux", "maskedPaths").set("/linux/readonlyPaths", "['/proc/sys']");
    assertThat(run().exits(1).err()).containsIgnoringCase("namespace");
  }

  /// Neither runc nor crun can: the new user namespace has no right over the host's mounts.
  @Test
  void aUserNamespaceIsRefused() throws IOException {
    config.namespaces("pid", "ipc", "user");
    for (String ids : List.of("uidMappings", "gidMappings"))
      config.set("/linux/" + ids, "[{containerID:0,hostID:0,size:65536}]");
    config.remove("", "hostname");
    assertThat(onHost("$RUNTIME run --bundle $BUNDLE $ID 2>&1").exits(1).out())
        .containsAnyOf("a user namespace without a mount namespace", "operation not permitted");
  }

  /// What jrun does better than runc: the host is as before.
  @JrunOnly
  @Test
  void nothingIsLeftOnTheHost() throws IOException {
    config.args("true");
    Outcome outcome =
        onHost(
            SEEN
                + "> $BUNDLE/before;"
                + "$RUNTIME run --bundle $BUNDLE $ID;"
                + SEEN
                + "| cmp - $BUNDLE/before;"
                + "$RUNTIME create --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1;"
                + "$RUNTIME delete $ID;"
                + SEEN
                + "| cmp - $BUNDLE/before");
    assertThat(outcome.succeeds().out()).isEmpty();
  }

  @JrunOnly
  @Test
  void aFailureLeavesNothingOnTheHost() throws IOException {
    config.mount("{destination:'/mnt',type:'tmpfs',source:'tmpfs',options:['size=nonsense']}");
    Outcome outcome =
        onHost(
            SEEN
                + "> $BUNDLE/before;"
                + "! $RUNTIME run --bundle $BUNDLE $ID;"
                + SEEN
                + "| cmp - $BUNDLE/before");
    assertThat(outcome.succeeds().out()).isEmpty();
    assertThat(outcome.err()).contains("size");
  }

  /// Mounts that the container's program makes are in its root, and go with it.
  @JrunOnly
  @Test
  void whatTheProgramMountsGoesToo() throws IOException {
    config
        .capabilities("CAP_SYS_ADMIN")
        .sh("mkdir -p /mnt/own && mount -t tmpfs none /mnt/own && echo mounted");
    Outcome outcome = onHost("$RUNTIME run --bundle $BUNDLE $ID;" + MOUNTS);
    assertThat(outcome.succeeds().text()).isEqualTo("mounted");
  }

  /// Each lies on those before it, and goes when nothing lies on it any more.
  @JrunOnly
  @ParameterizedTest
  @ValueSource(strings = {"1 2 3", "3 2 1", "2 1 3", "1 3 2", "2 3 1", "3 1 2"})
  void severalOnOneRootGoInAnyOrder(String order) throws IOException {
    config.args("sleep", "1000");
    Outcome outcome =
        onHost(
            SEEN
                + "> $BUNDLE/before;"
                + "for i in 1 2 3; do"
                + " $RUNTIME create --bundle $BUNDLE $ID-$i </dev/null >/dev/null 2>&1;"
                + " $RUNTIME start $ID-$i; done;"
                + "for i in "
                + order
                + "; do $RUNTIME exec $ID-$i test -c /dev/null || echo broken $i;"
                + " $RUNTIME delete --force $ID-$i; done;"
                + SEEN
                + "| cmp - $BUNDLE/before");
    assertThat(outcome.succeeds().out()).isEmpty();
    assertThat(outcome.err()).isEmpty();
  }

  /// What somebody else has mounted over it meanwhile is not the container's.
  @JrunOnly
  @Test
  void aForeignMountStays() throws IOException {
    config.args("true");
    Outcome outcome =
        onHost(
            "$RUNTIME create --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1;"
                + "mount -t tmpfs foreign $ROOTFS;"
                + "$RUNTIME delete $ID;"
                + "grep -c ' tmpfs foreign ' /proc/self/mountinfo");
    assertThat(outcome.succeeds().text()).isEqualTo("1");
    assertThat(outcome.err())
        .contains("what is mounted at " + bundle.rootfs() + " is not the container's, and stays");
  }

  /// A namespace that the host shares its mounts with sees none of the container's.
  @JrunOnly
  @Test
  void othersDoNotSeeTheMounts() throws IOException {
    config.args("sleep", "1000");
    Outcome outcome =
        onHost(
            "unshare --mount --propagation unchanged sleep 1000 & peer=$!;"
                + "while ! grep -q sleep /proc/$peer/comm; do :; done;"
                + "$RUNTIME create --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1;"
                + "grep -F \"$ROOTFS/\" /proc/$peer/mountinfo || echo none;"
                + "$RUNTIME delete --force $ID;"
                + "grep -F \"$ROOTFS\" /proc/$peer/mountinfo || echo nothing;"
                + "kill $peer");
    assertThat(outcome.succeeds().lines()).containsExactly("none", "nothing");
  }

  /// runc ignores it here.
  @JrunOnly
  @Test
  void theRootIsReadOnly() throws IOException {
    config.set("/root/readonly", "true");
    assertThat(runOnHost("touch /x 2>&1; touch /dev/x && echo dev").succeeds().lines())
        .containsExactly("touch: /x: Read-only file system", "dev");
    assertThat(bundle.rootfs().resolve("x")).doesNotExist();
  }

  @JrunOnly
  @Test
  void theRootPropagationIsTheContainers() throws IOException {
    config.setText("/linux/rootfsPropagation", "shared");
    assertThat(runOnHost("grep ' / rw' /proc/self/mountinfo").succeeds().text())
        .contains(" shared:");
  }

  /// Mounts over the host's root would be no way for anybody, and the others the host's own.
  @JrunOnly
  @Test
  void theHostsRootTakesNoMounts() throws IOException {
    config.setText("/root/path", "/").args("true");
    assertThat(onHost("$RUNTIME run --bundle $BUNDLE $ID 2>&1").exits(1).out())
        .contains("is the root of the host");
  }

  /// Only the root changes; runc cannot start it without a /proc mount.
  @JrunOnly
  @Test
  void withoutMountsNothingIsMounted() throws IOException {
    config.set("/mounts", "[]").sh("cat /etc/hostname; pwd; echo $$");
    Outcome outcome =
        onHost(
            SEEN
                + "> $BUNDLE/before;"
                + "$RUNTIME create --bundle $BUNDLE $ID </dev/null >/dev/null 2>&1;"
                + SEEN
                + "| cmp - $BUNDLE/before;"
                + "$RUNTIME delete --force $ID;"
                + "$RUNTIME run --bundle $BUNDLE $ID");
    assertThat(outcome.succeeds().lines()).containsExactly("busybox", "/", "1");
  }
}
