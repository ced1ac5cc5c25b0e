package io.jrun.specs.runtime;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The name of a sysctl. As sysctl(8) has it, names are separated by `.` or `/`, whichever comes
/// first; the other one then stands for itself: `net.ipv4.conf.eno2/100.rp_filter` is
/// `net/ipv4/conf/eno2.100/rp_filter`.
public record SysctlName(String text) {
  private static final Set<String> IPC =
      Set.of(
          "kernel.msgmax",
          "kernel.msgmnb",
          "kernel.msgmni",
          "kernel.sem",
          "kernel.shmall",
          "kernel.shmmax",
          "kernel.shmmni",
          "kernel.shm_rmid_forced");

  /// With `.` between names.
  public String key() {
    int dot = text.indexOf('.');
    int slash = text.indexOf('/');
    return slash < 0 || (dot >= 0 && dot < slash) ? text : swapped(text);
  }

  /// Below `/proc/sys`.
  public String path() {
    return swapped(key());
  }

  /// Whether it leads from name to name: one that goes up (`net/../kernel/panic`), or ends for the
  /// kernel before its end, would name something else than it seems to.
  public boolean isPlain() {
    return text.indexOf('\0') < 0
        && List.of(path().split("/", -1)).stream()
            .noneMatch(name -> name.isEmpty() || name.equals(".") || name.equals(".."));
  }

  /// Whose value it is; empty where the kernel has one for all.
  public Optional<NamespaceType> namespace() {
    String key = key();
    if (IPC.contains(key) || key.startsWith("fs.mqueue.")) return Optional.of(NamespaceType.IPC);
    if (key.startsWith("net.")) return Optional.of(NamespaceType.NETWORK);
    if (key.startsWith("user.")) return Optional.of(NamespaceType.USER);
    if (key.equals("kernel.domainname") || key.equals("kernel.hostname"))
      return Optional.of(NamespaceType.UTS);
    return Optional.empty();
  }

  /// What is to be said where that namespace is the host's.
  public String refused(NamespaceType type) {
    return "sysctl \"" + key() + "\" is not allowed in the host's " + type.text() + " namespace";
  }

  private static String swapped(String name) {
    StringBuilder swapped = new StringBuilder();
    name.chars().forEach(c -> swapped.append(c == '/' ? '.' : c == '.' ? '/' : (char) c));
    return swapped.toString();
  }
}
