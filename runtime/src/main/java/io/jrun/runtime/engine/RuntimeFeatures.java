package io.jrun.runtime.engine;

import io.jrun.runtime.process.Capabilities;
import io.jrun.specs.json.Json;
import io.jrun.specs.runtime.Features;
import io.jrun.specs.runtime.LinuxFeatures;
import io.jrun.specs.runtime.LinuxFeatures.Enabled;
import io.jrun.specs.runtime.MemoryPolicy;
import java.util.List;
import java.util.Map;

/// The features document (features.md): what this build supports.
final class RuntimeFeatures {
  private static final List<String> MOUNT_OPTIONS =
      List.of(
          "async",
          "atime",
          "bind",
          "defaults",
          "dev",
          "diratime",
          "dirsync",
          "exec",
          "idmap",
          "iversion",
          "lazytime",
          "loud",
          "mand",
          "noatime",
          "nodev",
          "nodiratime",
          "noexec",
          "noiversion",
          "nolazytime",
          "nomand",
          "norelatime",
          "nostrictatime",
          "nosuid",
          "nosymfollow",
          "private",
          "ratime",
          "rbind",
          "rdev",
          "rdiratime",
          "relatime",
          "rexec",
          "ridmap",
          "rnoatime",
          "rnodev",
          "rnodiratime",
          "rnoexec",
          "rnorelatime",
          "rnostrictatime",
          "rnosuid",
          "rnosymfollow",
          "ro",
          "rprivate",
          "rrelatime",
          "rro",
          "rrw",
          "rshared",
          "rslave",
          "rstrictatime",
          "rsuid",
          "rsymfollow",
          "runbindable",
          "rw",
          "shared",
          "silent",
          "slave",
          "strictatime",
          "suid",
          "symfollow",
          "sync",
          "tmpcopyup",
          "unbindable");

  /// What changes more than a note would; one that ends with a dot is a prefix.
  private static final List<String> UNSAFE_ANNOTATIONS =
      List.of("io.jrun.", "org.criu.config", "org.systemd.property.");

  private RuntimeFeatures() {}

  static String describe() {
    LinuxFeatures linux =
        new LinuxFeatures(
            List.of("cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"),
            Capabilities.NAMES,
            new LinuxFeatures.Cgroup(true, true, true, true, true, Json.JsonObject.EMPTY),
            new LinuxFeatures.SeccompFeatures(
                true,
                List.of(
                    "SCMP_ACT_ALLOW",
                    "SCMP_ACT_ERRNO",
                    "SCMP_ACT_KILL",
                    "SCMP_ACT_KILL_PROCESS",
                    "SCMP_ACT_KILL_THREAD",
                    "SCMP_ACT_LOG",
                    "SCMP_ACT_NOTIFY",
                    "SCMP_ACT_TRACE",
                    "SCMP_ACT_TRAP"),
                List.of(
                    "SCMP_CMP_EQ",
                    "SCMP_CMP_GE",
                    "SCMP_CMP_GT",
                    "SCMP_CMP_LE",
                    "SCMP_CMP_LT",
                    "SCMP_CMP_MASKED_EQ",
                    "SCMP_CMP_NE"),
                // of all that libseccomp knows, those of the same byte order can be in one filter
                List.of(
                    "SCMP_ARCH_AARCH64",
                    "SCMP_ARCH_ARM",
                    "SCMP_ARCH_MIPSEL",
                    "SCMP_ARCH_MIPSEL64",
                    "SCMP_ARCH_MIPSEL64N32",
                    "SCMP_ARCH_PPC64LE",
                    "SCMP_ARCH_RISCV64",
                    "SCMP_ARCH_X32",
                    "SCMP_ARCH_X86",
                    "SCMP_ARCH_X86_64"),
                List.of(
                    "SECCOMP_FILTER_FLAG_LOG",
                    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                    "SECCOMP_FILTER_FLAG_TSYNC",
                    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"),
                List.of(
                    "SECCOMP_FILTER_FLAG_LOG",
                    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                    "SECCOMP_FILTER_FLAG_TSYNC"),
                Json.JsonObject.EMPTY),
            Enabled.of(true),
            Enabled.of(true),
            new Enabled(
                true,
                Json.JsonObject.EMPTY
                    .with("schemata", Json.of(true))
                    .with("monitoring", Json.of(true))),
            new LinuxFeatures.MountExtensions(Enabled.of(true), Json.JsonObject.EMPTY),
            Enabled.of(true),
            new LinuxFeatures.MemoryPolicyFeatures(
                MemoryPolicy.MODES.stream().sorted().toList(),
                MemoryPolicy.FLAGS,
                Json.JsonObject.EMPTY),
            Json.JsonObject.EMPTY);
    return new Features(
            "1.0.0",
            "1.3.0",
            List.of(
                "prestart",
                "createRuntime",
                "createContainer",
                "startContainer",
                "poststart",
                "poststop"),
            MOUNT_OPTIONS,
            linux,
            Map.of(),
            UNSAFE_ANNOTATIONS,
            Json.JsonObject.EMPTY)
        .toJson()
        .toText("  ");
  }
}
