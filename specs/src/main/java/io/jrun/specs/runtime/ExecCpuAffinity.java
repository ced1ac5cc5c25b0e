package io.jrun.specs.runtime;

import io.jrun.specs.json.Json;
import io.jrun.specs.json.JsonReader;
import io.jrun.specs.json.JsonWriter;
import org.jspecify.annotations.Nullable;

/// The CPUs, as lists of cpuset(7), of an exec'd process before and after it joins the cgroup.
public record ExecCpuAffinity(
    @Nullable String initial, @Nullable String finalCpus, Json.JsonObject unknown) {
  static ExecCpuAffinity read(JsonReader r) {
    return new ExecCpuAffinity(r.optionalString("initial"), r.optionalString("final"), r.unknown());
  }

  public Json.JsonObject toJson() {
    return new JsonWriter(unknown).string("initial", initial).string("final", finalCpus).object();
  }
}
