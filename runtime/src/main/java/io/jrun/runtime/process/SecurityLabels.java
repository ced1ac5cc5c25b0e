package io.jrun.runtime.process;

import static io.jrun.kernel.call.FileCall.*;
import static io.jrun.kernel.call.MountCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.Kernel;
import io.jrun.kernel.KernelException;
import io.jrun.kernel.OwnedDescriptor;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.FileCall;
import io.jrun.specs.runtime.Process;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The labels of a security module that the program gets at its start, written through a procfs of
/// jrun's own (CVE-2019-16884, CVE-2025-52881). A label for a module that the kernel lacks is
/// refused.
public final class SecurityLabels {
  private static final String APPARMOR = "/sys/module/apparmor/parameters/enabled";
  private static final String PROFILES = "/sys/kernel/security/apparmor/profiles";
  private static final int CHUNK = 32768;
  private static final String SELINUX = "/sys/fs/selinux/status";

  private SecurityLabels() {}

  /// Refuses what this kernel cannot do.
  public static void check(Kernel kernel, @Nullable Process process, @Nullable String mountLabel) {
    if (process != null && given(process.apparmorProfile()) && !reads(kernel, APPARMOR, "Y"))
      throw new IllegalArgumentException(
          "/process/apparmorProfile: apparmor is not supported by this kernel or not enabled");
    if (process != null && given(process.apparmorProfile()))
      checkLoaded(kernel, Objects.requireNonNull(process.apparmorProfile()));
    boolean selinux = process != null && given(process.selinuxLabel());
    if ((selinux || given(mountLabel)) && !reads(kernel, SELINUX, ""))
      throw new IllegalArgumentException(
          (selinux ? "/process/selinuxLabel" : "/linux/mountLabel")
              + ": selinux is not supported by this kernel or disabled");
  }

  /// Names a profile that is not loaded, which the kernel's answer would not. Where the list may
  /// not be read, and for stacked profiles and those of a namespace, the kernel is left to answer.
  private static void checkLoaded(Kernel kernel, String profile) {
    if (profile.equals("unconfined") || profile.startsWith(":") || profile.contains("//&")) return;
    StringBuilder loaded = new StringBuilder();
    try (OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.existing(PROFILES, O_RDONLY))) {
      for (byte[] chunk;
          (chunk = kernel.call(new FileCall.Read(file.descriptor(), CHUNK))).length > 0; )
        loaded.append(new String(chunk, StandardCharsets.UTF_8));
    } catch (KernelException e) {
      return;
    }
    // each line is a name and its mode in parentheses
    if (loaded.toString().lines().noneMatch(line -> line.startsWith(profile + " (")))
      throw new IllegalArgumentException(
          "/process/apparmorProfile: no profile of apparmor named " + profile + " is loaded");
  }

  private static boolean given(@Nullable String label) {
    return label != null && !label.isEmpty();
  }

  private static boolean reads(Kernel kernel, String path, String start) {
    try (OwnedDescriptor file =
        OwnedDescriptor.open(kernel, FileCall.Openat.existing(path, O_RDONLY))) {
      byte[] bytes = kernel.call(new FileCall.Read(file.descriptor(), 64));
      return new String(bytes, StandardCharsets.UTF_8).startsWith(start);
    } catch (KernelException e) {
      return false;
    }
  }

  /// The labels take effect when the program is executed.
  public static void addTo(Batch batch, Process process) {
    if (!given(process.apparmorProfile()) && !given(process.selinuxLabel())) return;
    Descriptor proc = PrivateProc.open(batch);
    if (given(process.apparmorProfile()))
      write(batch, proc, "attr/apparmor/exec", "exec " + process.apparmorProfile());
    if (given(process.selinuxLabel()))
      write(batch, proc, "attr/exec", Objects.requireNonNull(process.selinuxLabel()));
    batch.add(new FileCall.Close(proc));
  }

  /// /proc/self is a link of the kernel's to the process's own directory.
  private static void write(Batch batch, Descriptor proc, String name, String label) {
    Descriptor file =
        batch
            .add(
                new FileCall.Openat2(
                    proc,
                    "self/" + name,
                    O_WRONLY | O_CLOEXEC,
                    0,
                    RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
                    false))
            .descriptor();
    batch.add(new FileCall.Write(file, label.getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
  }
}
