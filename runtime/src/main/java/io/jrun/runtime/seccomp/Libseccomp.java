package io.jrun.runtime.seccomp;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/// The functions of libseccomp.so.2 that compile a filter, by their own names (seccomp_init(3) and
/// others). Those that return an int return 0 or a negative errno.
public interface Libseccomp {
  /// Bytes of a struct scmp_arg_cmp: u32 arg, u32 op, u64 datum_a, u64 datum_b.
  int ARG_CMP_SIZE = 24;

  /// What seccomp_syscall_resolve_name returns for a name that it does not know (__NR_SCMP_ERROR).
  int UNKNOWN_SYSCALL = -1;

  @Nullable Pointer seccomp_init(int defaultAction);

  void seccomp_release(Pointer filter);

  /// The token of the architecture that libseccomp runs on.
  int seccomp_arch_native();

  /// The token of an architecture such as `x86_64`; 0 when there is none.
  int seccomp_arch_resolve_name(String name);

  int seccomp_arch_add(Pointer filter, int arch);

  int seccomp_syscall_resolve_name(String name);

  /// The number on one architecture; a pseudo-number below -1 when it is known but not there.
  int seccomp_syscall_resolve_name_arch(int arch, String name);

  int seccomp_rule_add_array(
      Pointer filter, int action, int syscall, int argCount, @Nullable Pointer args);

  int seccomp_export_bpf(Pointer filter, int fd);

  /// Loads the library; a SeccompException names the package that is missing.
  static Libseccomp load() {
    try {
      return LibraryLoader.create(Libseccomp.class).failImmediately().load("libseccomp.so.2");
    } catch (LinkageError e) {
      throw new SeccompException(
          "seccomp: libseccomp.so.2 cannot be loaded; install the package libseccomp2", e);
    }
  }
}
