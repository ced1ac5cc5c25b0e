package io.jrun.runtime.process;

import static io.jrun.kernel.call.CredentialCall.*;

import io.jrun.kernel.Batch;
import io.jrun.kernel.call.CredentialCall;
import io.jrun.kernel.call.Descriptor;
import io.jrun.kernel.call.Errno;
import io.jrun.kernel.call.FileCall;
import io.jrun.kernel.call.ProcessCall;
import io.jrun.kernel.call.SecurityCall;
import io.jrun.runtime.seccomp.Notify;
import io.jrun.specs.runtime.Process;
import io.jrun.specs.runtime.Rlimit;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// Who the container's program is: limits, users, capabilities. The order is the kernel's demand:
/// the bounding set while CAP_SETPCAP is there, users before the final sets, seccomp before the
/// drop only where no_new_privs does not allow it later.
public final class IdentityPlan {
  private static final int DEFAULT_UMASK = 022;

  private IdentityPlan() {}

  /// @param seccomp the filter, or null
  /// @param keyring the session keyring's name, or null to keep the caller's
  /// @param keepsGroups whether the caller's groups stay where the config names none, as a caller
  ///   without privileges may not change them
  public static void add(
      Batch batch,
      Process process,
      byte @Nullable [] seccomp,
      int seccompFlags,
      @Nullable String keyring,
      boolean keepsGroups) {
    if (keyring != null) {
      batch.add(
          new SecurityCall.JoinSessionKeyring(keyring), Errno.ENOSYS, Errno.EPERM, Errno.EDQUOT);
    }
    for (Rlimit limit : process.rlimits()) {
      int resource = Rlimit.TYPES.indexOf(limit.type());
      batch.during(
          "setting " + limit.type(),
          () -> batch.add(new ProcessCall.Prlimit(resource, limit.soft(), limit.hard())));
    }
    if (process.noNewPrivileges()) {
      batch.add(new CredentialCall.Prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    } else if (seccomp != null) {
      batch.add(new SecurityCall.Seccomp(seccompFlags, seccomp, Notify.hasListener(seccompFlags)));
    }
    // as runc: no capabilities object means none, not all
    io.jrun.specs.runtime.Capabilities granted =
        process.capabilities() == null
            ? io.jrun.specs.runtime.Capabilities.NONE
            : process.capabilities();
    long bounding = Capabilities.mask(granted.bounding());
    for (int bit = 0; bit < Capabilities.NAMES.size(); bit++) {
      if ((bounding & 1L << bit) == 0)
        batch.add(new CredentialCall.Prctl(PR_CAPBSET_DROP, bit, 0, 0, 0), Errno.EINVAL);
    }
    batch.add(
        new CredentialCall.Umask(
            process.user().umask() == null ? DEFAULT_UMASK : process.user().umask().intValue()));
    batch.add(new CredentialCall.Prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    if (!keepsGroups || !process.user().additionalGids().isEmpty()) {
      batch.add(
          new CredentialCall.Setgroups(
              process.user().additionalGids().stream().map(Long::intValue).toList()));
    }
    batch.add(new CredentialCall.Setresgid((int) process.user().gid()));
    batch.add(new CredentialCall.Setresuid((int) process.user().uid()));
    batch.add(new CredentialCall.Prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0));
    long inheritable = Capabilities.mask(granted.inheritable());
    batch.add(
        new CredentialCall.Capset(
            Capabilities.mask(granted.effective()),
            Capabilities.mask(granted.permitted()),
            inheritable));
    batch.add(
        new CredentialCall.Prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), Errno.EINVAL);
    long ambient = Capabilities.mask(granted.ambient());
    for (int bit = 0; bit < Capabilities.NAMES.size(); bit++) {
      // as runc: what cannot be ambient (not permitted or not inheritable) is left out
      if ((ambient & 1L << bit) != 0) {
        batch.add(
            new CredentialCall.Prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, bit, 0, 0), Errno.EPERM);
      }
    }
  }

  /// Writes the score before the process gives its privileges up.
  public static void oomScore(Batch batch, Process process) {
    if (process.oomScoreAdj() == null) return;
    Descriptor file =
        batch
            .add(FileCall.Openat.existing("/proc/self/oom_score_adj", FileCall.O_WRONLY))
            .descriptor();
    batch.add(
        new FileCall.Write(
            file, Integer.toString(process.oomScoreAdj()).getBytes(StandardCharsets.UTF_8)));
    batch.add(new FileCall.Close(file));
  }
}
