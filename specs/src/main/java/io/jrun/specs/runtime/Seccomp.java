package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The filter of system calls (seccomp(2)), in libseccomp's names.
public record Seccomp(
    String defaultAction,
    @Nullable Long defaultErrnoRet,
    List<String> architectures,
    List<String> flags,
    @Nullable String listenerPath,
    @Nullable String listenerMetadata,
    List<Syscall> syscalls,
    Json.JsonObject unknown) {
  public Seccomp {
    architectures = List.copyOf(architectures);
    flags = List.copyOf(flags);
    syscalls = List.copyOf(syscalls);
  }

  /// Whether nothing is said of flags, which runc and jrun take for other than an empty list.
  public boolean leavesFlagsOpen() {
    return flags.isEmpty() && !(unknown.members().get("flags") instanceof Json.JsonArray);
  }

  static Seccomp read(JsonReader r) {
    return new Seccomp(
        r.string("defaultAction"),
        r.optionalUint32("defaultErrnoRet"),
        r.strings("architectures"),
        r.strings("flags"),
        r.optionalString("listenerPath"),
        r.optionalString("listenerMetadata"),
        r.objects("syscalls", Syscall::read),
        r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown)
        .string("defaultAction", defaultAction)
        .optionalNumber("defaultErrnoRet", defaultErrnoRet)
        .strings("architectures", architectures)
        .strings("flags", flags)
        .string("listenerPath", listenerPath)
        .string("listenerMetadata", listenerMetadata)
        .objects("syscalls", syscalls, Syscall::toJson)
        .object();
  }

  /// What is done for some system calls, if all args match.
  public record Syscall(
      List<String> names,
      String action,
      @Nullable Long errnoRet,
      List<Arg> args,
      Json.JsonObject unknown) {
    public Syscall {
      names = List.copyOf(names);
      args = List.copyOf(args);
    }

    static Syscall read(JsonReader r) {
      return new Syscall(
          r.strings("names"),
          r.string("action"),
          r.optionalUint32("errnoRet"),
          r.objects("args", Arg::read),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .strings("names", names)
          .string("action", action)
          .optionalNumber("errnoRet", errnoRet)
          .objects("args", args, Arg::toJson)
          .object();
    }
  }

  /// A comparison of one argument, `index` 0 to 5; values are uint64 in a long.
  public record Arg(long index, long value, long valueTwo, String op, Json.JsonObject unknown) {
    static Arg read(JsonReader r) {
      return new Arg(
          r.requiredUint32("index"),
          r.requiredUint64("value"),
          r.uint64("valueTwo"),
          r.string("op"),
          r.unknown());
    }

    public Json.JsonObject toJson() {
      return new JsonWriter(unknown)
          .optionalNumber("index", index)
          .optionalUnsigned("value", value)
          .unsigned("valueTwo", valueTwo)
          .string("op", op)
          .object();
    }
  }
}
