/* The pause process: holds the namespaces of a sandbox, reaps what is orphaned to it where it is the
 * first process of a pid namespace, and ends when it is asked to. */
#include "helper.h"

_Noreturn void pause_until_told(void) {
  unsigned long all = ~0UL;
  int status;
  /* blocked signals reach even the first process of a pid namespace, which has no handlers */
  syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  syscall3(SYS_close_range, 0, ~0U, 0); /* a pipe or lock of the caller's would never be let go */
  syscall3(SYS_madvise, ARENA_BASE, ARENA_SIZE, MADV_DONTNEED);
  for (;;) {
    while (syscall4(SYS_wait4, -1, &status, WNOHANG, 0) > 0) {}
    long signal = syscall4(SYS_rt_sigtimedwait, &all, 0, 0, 8);
    if (signal == SIGINT || signal == SIGTERM) quit(0);
  }
}
