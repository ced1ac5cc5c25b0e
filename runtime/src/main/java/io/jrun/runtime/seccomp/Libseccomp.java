package io.jrun.runtime.seccomp;

import io.jrun.kernel.host.NativeLibrary;

/// The functions of libseccomp.so.2 that compile a filter, by their own names (seccomp_init(3) and
/// others). Those that return an int return 0 or a negative errno. A filter and what it is given
/// are addresses.
final class Libseccomp {
  /// Bytes of a struct scmp_arg_cmp: u32 arg, u32 op, u64 datum_a, u64 datum_b.
  static final int ARG_CMP_SIZE = 24;

  /// What seccomp_syscall_resolve_name returns for a name that it does not know (__NR_SCMP_ERROR).
  static final int UNKNOWN_SYSCALL = -1;

  private final NativeLibrary library;

  private Libseccomp(NativeLibrary library) {
    this.library = library;
  }

  /// Loads the library; a SeccompException names the package that is missing.
  static Libseccomp load() {
    return NativeLibrary.open(
            "libseccomp.so.2",
            "seccomp_init",
            "seccomp_release",
            "seccomp_arch_native",
            "seccomp_arch_resolve_name",
            "seccomp_arch_add",
            "seccomp_syscall_resolve_name",
            "seccomp_syscall_resolve_name_arch",
            "seccomp_rule_add_array",
            "seccomp_export_bpf")
        .map(Libseccomp::new)
        .orElseThrow(() ->
            new SeccompException(
                "seccomp: libseccomp.so.2 cannot be loaded; install the package libseccomp2"));
  }

  /// 0 where there is none for that action.
  long init(int defaultAction) {
    return library.call("seccomp_init", defaultAction);
  }

  void release(long filter) {
    library.call("seccomp_release", filter);
  }

  /// The token of the architecture that libseccomp runs on.
  int archNative() {
    return library.callInt("seccomp_arch_native");
  }

  /// The token of an architecture such as `x86_64`; 0 when there is none.
  int archResolveName(String name) {
    return library.callInt("seccomp_arch_resolve_name", name);
  }

  int archAdd(long filter, int arch) {
    return library.callInt("seccomp_arch_add", filter, arch);
  }

  int syscallResolveName(String name) {
    return library.callInt("seccomp_syscall_resolve_name", name);
  }

  /// The number on one architecture; a pseudo-number below -1 when it is known but not there.
  int syscallResolveNameArch(int arch, String name) {
    return library.callInt("seccomp_syscall_resolve_name_arch", name, arch);
  }

  int ruleAddArray(long filter, int action, int syscall, int argCount, long args) {
    return library.callInt("seccomp_rule_add_array", filter, action, syscall, argCount, args);
  }

  int exportBpf(long filter, int fd) {
    return library.callInt("seccomp_export_bpf", filter, fd);
  }
}
