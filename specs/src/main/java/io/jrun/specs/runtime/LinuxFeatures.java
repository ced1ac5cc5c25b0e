package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a runtime can do on Linux: features-linux.md; a null boolean means unknown.
public record LinuxFeatures(
    List<String> namespaces,
    List<String> capabilities,
    @Nullable Cgroup cgroup,
    @Nullable SeccompFeatures seccomp,
    @Nullable Enabled apparmor,
    @Nullable Enabled selinux,
    @Nullable Enabled intelRdt,
    @Nullable MountExtensions mountExtensions,
    @Nullable Enabled netDevices,
    @Nullable MemoryPolicyFeatures memoryPolicy,
    Json.JsonObject unknown) {
  public LinuxFeatures {
    namespaces = List.copyOf(namespaces);
    capabilities = List.copyOf(capabilities);
  }

  static LinuxFeatures read(JsonReader r) {
    return new LinuxFeatures(
        r.strings("namespaces"),
        r.strings("capabilities"),
        r.object("cgroup", Cgroup::read),
        r.object("seccomp", SeccompFeatures::read),
        r.object("apparmor", Enabled::read),
        r.object("selinux", Enabled::read),
        r.object("intelRdt", Enabled::read),
        r.object("mountExtensions", MountExtensions::read),
        r.object("netDevices", Enabled::read),
        r.object("memoryPolicy", MemoryPolicyFeatures::read),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .strings("namespaces", namespaces)
        .strings("capabilities", capabilities)
        .member("cgroup", cgroup == null ? null : cgroup.toJson())
        .member("seccomp", seccomp == null ? null : seccomp.toJson())
        .member("apparmor", apparmor == null ? null : apparmor.toJson())
        .member("selinux", selinux == null ? null : selinux.toJson())
        .member("intelRdt", intelRdt == null ? null : intelRdt.toJson())
        .member("mountExtensions", mountExtensions == null ? null : mountExtensions.toJson())
        .member("netDevices", netDevices == null ? null : netDevices.toJson())
        .member("memoryPolicy", memoryPolicy == null ? null : memoryPolicy.toJson())
        .object();
  }

  /// The cgroup managers.
  public record Cgroup(
      @Nullable Boolean v1,
      @Nullable Boolean v2,
      @Nullable Boolean systemd,
      @Nullable Boolean systemdUser,
      @Nullable Boolean rdma,
      Json.JsonObject unknown) {
    static Cgroup read(JsonReader r) {
      return new Cgroup(
          r.optionalBool("v1"),
          r.optionalBool("v2"),
          r.optionalBool("systemd"),
          r.optionalBool("systemdUser"),
          r.optionalBool("rdma"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalBool("v1", v1)
          .optionalBool("v2", v2)
          .optionalBool("systemd", systemd)
          .optionalBool("systemdUser", systemdUser)
          .optionalBool("rdma", rdma)
          .object();
    }
  }

  /// The names that [Seccomp] may use.
  public record SeccompFeatures(
      @Nullable Boolean enabled,
      List<String> actions,
      List<String> operators,
      List<String> archs,
      List<String> knownFlags,
      List<String> supportedFlags,
      Json.JsonObject unknown) {
    public SeccompFeatures {
      actions = List.copyOf(actions);
      operators = List.copyOf(operators);
      archs = List.copyOf(archs);
      knownFlags = List.copyOf(knownFlags);
      supportedFlags = List.copyOf(supportedFlags);
    }

    static SeccompFeatures read(JsonReader r) {
      return new SeccompFeatures(
          r.optionalBool("enabled"),
          r.strings("actions"),
          r.strings("operators"),
          r.strings("archs"),
          r.strings("knownFlags"),
          r.strings("supportedFlags"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalBool("enabled", enabled)
          .strings("actions", actions)
          .strings("operators", operators)
          .strings("archs", archs)
          .strings("knownFlags", knownFlags)
          .strings("supportedFlags", supportedFlags)
          .object();
    }
  }

  /// The names that [MemoryPolicy] may use.
  public record MemoryPolicyFeatures(
      List<String> modes, List<String> flags, Json.JsonObject unknown) {
    public MemoryPolicyFeatures {
      modes = List.copyOf(modes);
      flags = List.copyOf(flags);
    }

    static MemoryPolicyFeatures read(JsonReader r) {
      return new MemoryPolicyFeatures(r.strings("modes"), r.strings("flags"), r.unknown());
    }

    Json.JsonObject toJson() {
      return new JsonWriter(unknown).strings("modes", modes).strings("flags", flags).object();
    }
  }

  /// What mounts can do beyond mount(8).
  public record MountExtensions(@Nullable Enabled idmap, Json.JsonObject unknown) {
    static MountExtensions read(JsonReader r) {
      return new MountExtensions(r.object("idmap", Enabled::read), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .member("idmap", idmap == null ? null : idmap.toJson())
          .object();
    }
  }

  /// A feature that is there or not.
  public record Enabled(@Nullable Boolean enabled, Json.JsonObject unknown) {
    public static Enabled of(boolean enabled) {
      return new Enabled(enabled, Json.JsonObject.EMPTY);
    }

    static Enabled read(JsonReader r) {
      return new Enabled(r.optionalBool("enabled"), r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown).optionalBool("enabled", enabled).object();
    }
  }
}
