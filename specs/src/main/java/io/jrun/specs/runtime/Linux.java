package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The part of config.json that is Linux's own: config-linux.md.
public record Linux(
    List<Namespace> namespaces,
    List<IdMapping> uidMappings,
    List<IdMapping> gidMappings,
    Map<String, TimeOffset> timeOffsets,
    List<Device> devices,
    Map<String, NetDevice> netDevices,
    @Nullable String cgroupsPath,
    Resources resources,
    @Nullable String rootfsPropagation,
    @Nullable Seccomp seccomp,
    Map<String, String> sysctl,
    List<String> maskedPaths,
    List<String> readonlyPaths,
    @Nullable String mountLabel,
    @Nullable IntelRdt intelRdt,
    @Nullable Personality personality,
    @Nullable MemoryPolicy memoryPolicy,
    Json.JsonObject unknown) {
  public static final Linux NONE =
      new Linux(
          List.of(),
          List.of(),
          List.of(),
          Map.of(),
          List.of(),
          Map.of(),
          null,
          Resources.NONE,
          null,
          null,
          Map.of(),
          List.of(),
          List.of(),
          null,
          null,
          null,
          null,
          Json.JsonObject.EMPTY);

  /// Whether the container has a new namespace of the type, of its own.
  public boolean makes(NamespaceType type) {
    Namespace namespace = namespace(type);
    return namespace != null && namespace.path() == null;
  }

  /// The first namespace of the type; null means the caller's own is kept.
  public @Nullable Namespace namespace(NamespaceType type) {
    for (Namespace namespace : namespaces) {
      if (namespace.type() == type) {
        return namespace;
      }
    }
    return null;
  }

  public Linux {
    namespaces = List.copyOf(namespaces);
    uidMappings = List.copyOf(uidMappings);
    gidMappings = List.copyOf(gidMappings);
    timeOffsets = Collections.unmodifiableMap(new LinkedHashMap<>(timeOffsets));
    devices = List.copyOf(devices);
    netDevices = Collections.unmodifiableMap(new LinkedHashMap<>(netDevices));
    sysctl = Collections.unmodifiableMap(new LinkedHashMap<>(sysctl));
    maskedPaths = List.copyOf(maskedPaths);
    readonlyPaths = List.copyOf(readonlyPaths);
  }

  static Linux read(JsonReader r) {
    return new Linux(
        r.objects("namespaces", Namespace::read),
        r.objects("uidMappings", IdMapping::read),
        r.objects("gidMappings", IdMapping::read),
        r.objectMap("timeOffsets", TimeOffset::read),
        r.objects("devices", Device::read),
        r.objectMap("netDevices", NetDevice::read),
        r.optionalString("cgroupsPath"),
        r.object("resources", Resources::read, Resources.NONE),
        r.optionalString("rootfsPropagation"),
        r.object("seccomp", Seccomp::read),
        r.stringMap("sysctl"),
        r.strings("maskedPaths"),
        r.strings("readonlyPaths"),
        r.optionalString("mountLabel"),
        r.object("intelRdt", IntelRdt::read),
        r.object("personality", Personality::read),
        r.object("memoryPolicy", MemoryPolicy::read),
        r.unknown());
  }

  public Linux withNamespaces(List<Namespace> namespaces) {
    return with(draft -> draft.namespaces = namespaces);
  }

  public Linux withUidMappings(List<IdMapping> uidMappings) {
    return with(draft -> draft.uidMappings = uidMappings);
  }

  public Linux withGidMappings(List<IdMapping> gidMappings) {
    return with(draft -> draft.gidMappings = gidMappings);
  }

  public Linux withDevices(List<Device> devices) {
    return with(draft -> draft.devices = devices);
  }

  public Linux withCgroupsPath(@Nullable String cgroupsPath) {
    return with(draft -> draft.cgroupsPath = cgroupsPath);
  }

  public Linux withResources(Resources resources) {
    return with(draft -> draft.resources = resources);
  }

  public Linux withSeccomp(@Nullable Seccomp seccomp) {
    return with(draft -> draft.seccomp = seccomp);
  }

  public Linux withSysctl(Map<String, String> sysctl) {
    return with(draft -> draft.sysctl = sysctl);
  }

  public Linux withMaskedPaths(List<String> maskedPaths) {
    return with(draft -> draft.maskedPaths = maskedPaths);
  }

  public Linux withReadonlyPaths(List<String> readonlyPaths) {
    return with(draft -> draft.readonlyPaths = readonlyPaths);
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .objects("uidMappings", uidMappings, IdMapping::toJson)
        .objects("gidMappings", gidMappings, IdMapping::toJson)
        .stringMap("sysctl", sysctl)
        .member("resources", resources.equals(Resources.NONE) ? null : resources.toJson())
        .string("cgroupsPath", cgroupsPath)
        .objects("namespaces", namespaces, Namespace::toJson)
        .objects("devices", devices, Device::toJson)
        .objectMap("netDevices", netDevices, NetDevice::toJson)
        .member("seccomp", seccomp == null ? null : seccomp.toJson())
        .string("rootfsPropagation", rootfsPropagation)
        .strings("maskedPaths", maskedPaths)
        .strings("readonlyPaths", readonlyPaths)
        .string("mountLabel", mountLabel)
        .member("intelRdt", intelRdt == null ? null : intelRdt.toJson())
        .member("memoryPolicy", memoryPolicy == null ? null : memoryPolicy.toJson())
        .member("personality", personality == null ? null : personality.toJson())
        .objectMap("timeOffsets", timeOffsets, TimeOffset::toJson)
        .object();
  }

  private Linux with(Consumer<Draft> change) {
    Draft draft = new Draft();
    change.accept(draft);
    return draft.finish();
  }

  /// What can be changed in a copy of this.
  private final class Draft {
    List<Namespace> namespaces = Linux.this.namespaces;
    List<IdMapping> uidMappings = Linux.this.uidMappings;
    List<IdMapping> gidMappings = Linux.this.gidMappings;
    List<Device> devices = Linux.this.devices;
    @Nullable String cgroupsPath = Linux.this.cgroupsPath;
    Resources resources = Linux.this.resources;
    @Nullable Seccomp seccomp = Linux.this.seccomp;
    Map<String, String> sysctl = Linux.this.sysctl;
    List<String> maskedPaths = Linux.this.maskedPaths;
    List<String> readonlyPaths = Linux.this.readonlyPaths;

    Linux finish() {
      return new Linux(
          namespaces,
          uidMappings,
          gidMappings,
          timeOffsets,
          devices,
          netDevices,
          cgroupsPath,
          resources,
          rootfsPropagation,
          seccomp,
          sysctl,
          maskedPaths,
          readonlyPaths,
          mountLabel,
          intelRdt,
          personality,
          memoryPolicy,
          unknown);
    }
  }
}
