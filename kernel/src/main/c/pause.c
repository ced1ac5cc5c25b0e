/* The pause process: holds the namespaces of a sandbox, reaps what is orphaned to it where it is the
 * first process of a pid namespace, and ends when it is asked to. */
#include "helper.h"

/* Before anybody is told that there is a pause: blocked signals wait for it, even those of the first process of a
 * pid namespace, which has no handlers. */
long begin_pause(void) {
  unsigned long all = ~0UL;
  syscall5(SYS_prctl, PR_SET_NAME, "jrun-pause", 0, 0, 0);
  return syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
}

_Noreturn void pause_until_told(void) {
  unsigned long all = ~0UL;
  int status;
  syscall3(SYS_close_range, 0, ~0U, 0); /* a pipe or lock of the caller's would never be let go */
  syscall3(SYS_madvise, ARENA_BASE, ARENA_SIZE, MADV_DONTNEED);
  for (;;) {
    while (syscall4(SYS_wait4, -1, &status, WNOHANG, 0) > 0) {}
    long signal = syscall4(SYS_rt_sigtimedwait, &all, 0, 0, 8);
    if (signal == SIGINT || signal == SIGTERM) quit(0);
  }
}
