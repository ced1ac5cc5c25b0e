package io.jrun.runtime.container;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.runtime.process.PrivateProc;
import io.jrun.specs.runtime.SysctlName;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// Writes sysctls through a procfs of jrun's own, which nothing in the container can redirect
/// (CVE-2025-52881).
final class Sysctls {
  private Sysctls() {}

  static void addTo(Batch batch, Map<String, String> sysctls) {
    Descriptor proc = PrivateProc.open(batch);
    sysctls.forEach((name, value) ->
        batch.during("setting the sysctl " + name, () -> add(batch, proc, name, value)));
    batch.add(new FileCall.Close(proc));
  }

  private static void add(Batch batch, Descriptor proc, String name, String value) {
    String path = "sys/" + new SysctlName(name).path();
    Descriptor file =
        batch
            .add(
                new FileCall.Openat2(
                    proc,
                    path,
                    O_WRONLY | O_CLOEXEC,
                    0,
                    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
                    false))
            .descriptor();
    batch.add(new FileCall.Write(file, value.getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
  }
}
