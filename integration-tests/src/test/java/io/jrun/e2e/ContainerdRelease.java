package io.jrun.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;

/// The containerd that the tests run, and its configuration in the form that it reads.
///
/// @param daemon by default the one on the PATH; with `-Djrun.containerd=PATH` another release,
///   with its `ctr` beside it
record ContainerdRelease(String daemon, String ctr) {
  static final String TESTED = System.getProperty("jrun.containerd", "");

  static ContainerdRelease underTest() {
    return TESTED.isEmpty()
        ? new ContainerdRelease("containerd", "ctr")
        : new ContainerdRelease(TESTED, Path.of(TESTED).resolveSibling("ctr").toString());
  }

  /// A runtime of the CRI plugin, which pods name as their handler.
  ///
  /// @param path of the shim; empty where the type tells its name
  /// @param options as TOML, a line each; empty for no options at all
  /// @param sandboxer who makes the pod's sandbox; empty for containerd, from a pause image
  record Handler(String name, String type, String path, String options, String sandboxer) {
    private String text(String table) {
      StringBuilder text = new StringBuilder();
      text.append("[plugins.").append(table).append(".containerd.runtimes.").append(name);
      text.append("]\nruntime_type = \"").append(type).append("\"\n");
      if (!path.isEmpty()) text.append("runtime_path = \"").append(path).append("\"\n");
      text.append("privileged_without_host_devices = false\n");
      if (!sandboxer.isEmpty()) text.append("sandboxer = \"").append(sandboxer).append("\"\n");
      if (!options.isEmpty()) {
        text.append("[plugins.").append(table).append(".containerd.runtimes.").append(name);
        text.append(".options]\n").append(options).append("\n");
      }
      return text.toString();
    }
  }

  /// @param temp of the daemon's own files
  /// @param labels whether containers get labels of SELinux
  /// @param handlers of which the first is the default
  String configuration(Path temp, String pauseImage, boolean labels, List<Handler> handlers) {
    boolean major2 = isMajor2();
    String table = major2 ? "'io.containerd.cri.v1.runtime'" : "\"io.containerd.grpc.v1.cri\"";
    StringBuilder text = new StringBuilder(major2 ? VERSION_3 : VERSION_2);
    for (Handler handler : handlers) text.append(handler.text(table));
    if (hasBlockfile()) text.append(BLOCKFILE);
    return text.toString()
        .replace("@DIR@", temp.toString())
        .replace("@NO_APPARMOR@", String.valueOf(!hasAppArmor()))
        .replace("@LABELS@", String.valueOf(labels))
        .replace("@PAUSE@", pauseImage)
        .replace("@DEFAULT@", handlers.getFirst().name());
  }

  private static boolean hasAppArmor() {
    try {
      return AppArmorIT.isPossible();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isMajor2() {
    return version().matches("(?s).* v?2\\.\\d.*");
  }

  /// Whether it dies of a pod in the host's network whose sandbox the shim makes: it writes down a
  /// config that there is not (core/runtime/v2/bundle.go).
  boolean isBefore23() {
    return !version().matches("(?s).* v?2\\.([3-9]|\\d\\d).*");
  }

  /// Whether it knows neither `runtime_path` nor a way to send the options of another runtime's
  /// type to it.
  boolean isBefore17() {
    return version().matches("(?s).* v?1\\.6\\..*");
  }

  /// Whether there is a snapshotter whose root file systems are images for loop devices.
  boolean hasBlockfile() {
    return !isBefore17();
  }

  private String version() {
    return Command.of(daemon, "--version").run().succeeds().text();
  }

  private static final String BLOCKFILE =
      """
      [plugins.'io.containerd.snapshotter.v1.blockfile']
        root_path = "@DIR@/blockfile"
        scratch_file = "@DIR@/scratch"
        fs_type = "ext4"
        mount_options = []
        recreate_scratch = true
      """;

  // of a task whose state is not told in 2 s, the default, containerd takes the pid for 0, and one
  // whose shim does not answer in 5 s when containerd starts it takes for dead: on a machine as
  // busy
  // as with these tests a new engine may take longer
  private static final String VERSION_2 =
      """
      version = 2
      root = "@DIR@/root"
      state = "@DIR@/state"
      disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
        "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
      [timeouts]
        "io.containerd.timeout.task.state" = "20s"
        "io.containerd.timeout.shim.load" = "20s"
      [debug]
        level = "debug"
      [grpc]
        address = "@DIR@/containerd.sock"
      [plugins."io.containerd.grpc.v1.cri"]
        restrict_oom_score_adj = true
        disable_apparmor = @NO_APPARMOR@
        enable_selinux = @LABELS@
        disable_hugetlb_controller = false
        netns_mounts_under_state_dir = true
        enable_cdi = true
        cdi_spec_dirs = ["@DIR@/cdi"]
        sandbox_image = "@PAUSE@"
        [plugins."io.containerd.grpc.v1.cri".cni]
          bin_dir = "@DIR@/bin"
          conf_dir = "@DIR@/net.d"
        [plugins."io.containerd.grpc.v1.cri".containerd]
          default_runtime_name = "@DEFAULT@"
      """;

  private static final String VERSION_3 =
      """
      version = 3
      root = "@DIR@/root"
      state = "@DIR@/state"
      disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
        "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]
      [timeouts]
        "io.containerd.timeout.task.state" = "20s"
        "io.containerd.timeout.shim.load" = "20s"
      [debug]
        level = "debug"
      [grpc]
        address = "@DIR@/containerd.sock"
      [plugins.'io.containerd.cri.v1.images'.pinned_images]
        sandbox = "@PAUSE@"
      [plugins.'io.containerd.cri.v1.runtime']
        restrict_oom_score_adj = true
        disable_apparmor = @NO_APPARMOR@
        enable_selinux = @LABELS@
        disable_hugetlb_controller = false
        netns_mounts_under_state_dir = true
        cdi_spec_dirs = ["@DIR@/cdi"]
        [plugins.'io.containerd.cri.v1.runtime'.cni]
          bin_dirs = ["@DIR@/bin"]
          conf_dir = "@DIR@/net.d"
        [plugins.'io.containerd.cri.v1.runtime'.containerd]
          default_runtime_name = "@DEFAULT@"
      """;
}
