package io.jrun.runtime.container;

import io.jrun.kernel.Kernel;
import io.jrun.runtime.cli.UpdateOptions;
import io.jrun.runtime.resctrl.Resctrl;
import io.jrun.runtime.resctrl.ResctrlGroup;
import io.jrun.specs.json.Json;
import io.jrun.specs.json.Json.JsonObject;
import io.jrun.specs.runtime.IntelRdt;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A change of linux.intelRdt. A container that had none gets a group of its own, as with runc.
///
/// @param linux the config's part as it is then
record RdtUpdate(StoredState state, JsonObject linux) {
  /// What is to do it, looked for before anything is changed; null where nothing of it is asked.
  static @Nullable Resctrl find(Kernel kernel, UpdateOptions options) {
    if (options.l3CacheSchema() == null && options.memBwSchema() == null) return null;
    Resctrl resctrl = Resctrl.find(kernel);
    if (options.l3CacheSchema() != null && !resctrl.controls("L3"))
      throw new ContainerException("Intel RDT/CAT: l3 cache schema is not enabled");
    if (options.memBwSchema() != null && !resctrl.controls("MB"))
      throw new ContainerException("Intel RDT/MBA: memory bandwidth schema is not enabled");
    return resctrl;
  }

  static RdtUpdate perform(
      Resctrl resctrl, StoredState state, JsonObject linux, UpdateOptions options) {
    List<String> schemata = new ArrayList<>();
    JsonObject rdt =
        linux.member("intelRdt") instanceof JsonObject object ? object : JsonObject.EMPTY;
    boolean had = linux.member("intelRdt") instanceof JsonObject;
    if (options.l3CacheSchema() != null) {
      schemata.add(options.l3CacheSchema());
      rdt = rdt.with("l3CacheSchema", Json.of(options.l3CacheSchema()));
    }
    if (options.memBwSchema() != null) {
      schemata.add(options.memBwSchema());
      rdt = rdt.with("memBwSchema", Json.of(options.memBwSchema()));
    }
    ResctrlGroup group =
        resctrl.group(IntelRdt.parse(rdt.toText().getBytes(StandardCharsets.UTF_8)), state.id());
    StoredState changed = state;
    if (had) {
      group.update(schemata);
    } else {
      changed = state.withResctrl(group.ownDirectories());
      group.make();
      group.add(state.initPid());
    }
    return new RdtUpdate(changed, linux.with("intelRdt", rdt));
  }
}
