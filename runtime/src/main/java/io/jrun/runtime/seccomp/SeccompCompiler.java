package io.jrun.runtime.seccomp;

import io.jrun.specs.runtime.Seccomp;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.jspecify.annotations.Nullable;

/// Compiles seccomp profiles as runc does, and remembers the last ones; libseccomp is loaded for
/// the first. Safe for use by several threads, one at a time.
public final class SeccompCompiler {
  private static final int REMEMBERED = 64;
  private static final int EEXIST = -17;
  private static final String ARCH_PREFIX = "SCMP_ARCH_";

  /// By use, the oldest first.
  private final LinkedHashMap<Seccomp, byte[]> programs = new LinkedHashMap<>(16, 0.75f, true);

  private @Nullable Libseccomp loaded;
  private Memfd.@Nullable Libc loadedLibc;

  /// The flags for seccomp(2) with a profile's program.
  public int flags(Seccomp profile) {
    int asked =
        profile.leavesFlagsOpen() ? FilterFlag.SPEC_ALLOW : FilterFlag.parse(profile.flags());
    return asked | (Notify.isUsed(profile) ? FilterFlag.NEW_LISTENER : 0);
  }

  /// A profile's program: struct sock_filter's in native byte order.
  public synchronized byte[] compile(Seccomp profile) {
    byte @Nullable [] known = programs.get(profile);
    if (known == null) {
      known = translate(profile);
      programs.put(profile, known);
      if (programs.size() > REMEMBERED) {
        programs.remove(programs.firstEntry().getKey());
      }
    }
    return known.clone();
  }

  synchronized int remembered() {
    return programs.size();
  }

  private byte[] translate(Seccomp profile) {
    Notify.check(profile);
    int defaultAction = Action.parse(profile.defaultAction(), profile.defaultErrnoRet());
    Libseccomp library = library();
    Pointer filter = library.seccomp_init(defaultAction);
    if (filter == null) {
      throw new SeccompException("seccomp: seccomp_init(" + profile.defaultAction() + ") failed");
    }
    try {
      Set<Integer> architectures = addArchitectures(filter, profile.architectures());
      for (Seccomp.Syscall rule : profile.syscalls()) {
        addRule(filter, defaultAction, rule);
      }
      byte[] program = export(filter);
      boolean isStubbed =
          !Action.isPermissive(defaultAction) && defaultAction != (Action.ERRNO | Action.ENOSYS);
      return isStubbed ? stub(architectures, profile).before(program) : program;
    } finally {
      library.seccomp_release(filter);
    }
  }

  /// The native one is always in a filter.
  private Set<Integer> addArchitectures(Pointer filter, List<String> names) {
    Set<Integer> tokens = new LinkedHashSet<>();
    tokens.add(library().seccomp_arch_native());
    for (String name : names) {
      int token =
          name.startsWith(ARCH_PREFIX)
              ? library()
                  .seccomp_arch_resolve_name(
                      name.substring(ARCH_PREFIX.length()).toLowerCase(Locale.ROOT))
              : 0;
      if (token == 0) {
        throw new SeccompException("seccomp: unknown architecture \"" + name + "\"");
      }
      int result = library().seccomp_arch_add(filter, token);
      if (result != 0 && result != EEXIST) {
        throw failed("seccomp_arch_add(" + name + ")", result);
      }
      tokens.add(token);
    }
    return tokens;
  }

  private void addRule(Pointer filter, int defaultAction, Seccomp.Syscall rule) {
    int action = Action.parse(rule.action(), rule.errnoRet());
    List<Seccomp.Arg> args = rule.args();
    args.forEach(SeccompCompiler::check);
    if (action == defaultAction) {
      // It changes nothing, and libseccomp refuses it.
      return;
    }
    // libseccomp compares each argument once in a rule; runc makes such comparisons alternatives.
    boolean isAlternatives =
        args.stream().mapToLong(Seccomp.Arg::index).distinct().count() < args.size();
    for (String name : rule.names()) {
      if (name.isEmpty()) {
        throw new SeccompException("seccomp: a system call without a name");
      }
      int syscall = library().seccomp_syscall_resolve_name(name);
      if (syscall == Libseccomp.UNKNOWN_SYSCALL) {
        // Profiles name calls that are newer than this libseccomp.
        continue;
      }
      if (isAlternatives) {
        args.forEach(arg -> addRule(filter, action, name, syscall, List.of(arg)));
      } else {
        addRule(filter, action, name, syscall, args);
      }
    }
  }

  private void addRule(
      Pointer filter, int action, String name, int syscall, List<Seccomp.Arg> args) {
    @Nullable Pointer array = args.isEmpty() ? null : array(args);
    int result = library().seccomp_rule_add_array(filter, action, syscall, args.size(), array);
    if (result != 0) {
      throw failed("seccomp_rule_add_array(" + name + ")", result);
    }
  }

  private Pointer array(List<Seccomp.Arg> args) {
    Pointer array =
        Memory.allocateDirect(
            Runtime.getRuntime(library()), args.size() * Libseccomp.ARG_CMP_SIZE, true);
    long at = 0;
    for (Seccomp.Arg arg : args) {
      array.putInt(at, (int) arg.index());
      array.putInt(at + 4, compare(arg.op()));
      array.putLongLong(at + 8, arg.value());
      array.putLongLong(at + 16, arg.valueTwo());
      at += Libseccomp.ARG_CMP_SIZE;
    }
    return array;
  }

  private static void check(Seccomp.Arg arg) {
    if (arg.index() > 5) {
      throw new SeccompException("seccomp: argument " + arg.index() + " is above 5");
    }
    compare(arg.op());
  }

  /// An enum scmp_compare.
  private static int compare(String op) {
    return switch (op) {
      case "SCMP_CMP_NE" -> 1;
      case "SCMP_CMP_LT" -> 2;
      case "SCMP_CMP_LE" -> 3;
      case "SCMP_CMP_EQ" -> 4;
      case "SCMP_CMP_GE" -> 5;
      case "SCMP_CMP_GT" -> 6;
      case "SCMP_CMP_MASKED_EQ" -> 7;
      default -> throw new SeccompException("seccomp: unknown operator \"" + op + "\"");
    };
  }

  private EnosysStub stub(Set<Integer> architectures, Seccomp profile) {
    EnosysStub stub = new EnosysStub();
    for (Seccomp.Syscall rule : profile.syscalls()) {
      for (String name : rule.names()) {
        for (int arch : architectures) {
          stub.add(arch, library().seccomp_syscall_resolve_name_arch(arch, name));
        }
      }
    }
    return stub;
  }

  private byte[] export(Pointer filter) {
    try (Memfd memfd = Memfd.create(libc())) {
      int result = library().seccomp_export_bpf(filter, memfd.fd());
      if (result != 0) {
        throw failed("seccomp_export_bpf", result);
      }
      return memfd.content();
    }
  }

  private static SeccompException failed(String call, int result) {
    return new SeccompException("seccomp: " + call + ": errno " + -result);
  }

  private Libseccomp library() {
    Libseccomp library = loaded;
    if (library == null) {
      library = Libseccomp.load();
      loaded = library;
    }
    return library;
  }

  private Memfd.Libc libc() {
    Memfd.Libc libc = loadedLibc;
    if (libc == null) {
      libc = Memfd.libc();
      loadedLibc = libc;
    }
    return libc;
  }
}
