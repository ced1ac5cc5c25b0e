/* What differs between architectures: how a syscall is made, its numbers, how a program starts. */
#ifndef JRUN_ARCH_H
#define JRUN_ARCH_H

#if defined(__x86_64__)

static inline long syscall6(long n, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#define START                                                     \
  __asm__(".globl _start\n_start:\n"                              \
          "  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n" \
          "  call start\n  hlt\n")

enum {
  SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_rt_sigaction = 13,
  SYS_rt_sigprocmask = 14, SYS_rt_sigtimedwait = 128, SYS_ioctl = 16, SYS_madvise = 28, SYS_getpid = 39, SYS_socket = 41,
  SYS_connect = 42, SYS_sendmsg = 46, SYS_recvmsg = 47, SYS_bind = 49, SYS_listen = 50,
  SYS_socketpair = 53, SYS_execve = 59, SYS_wait4 = 61, SYS_kill = 62, SYS_fcntl = 72,
  SYS_flock = 73, SYS_chdir = 80, SYS_umask = 95, SYS_geteuid = 107, SYS_setsid = 112,
  SYS_exit_group = 231, SYS_openat = 257, SYS_mkdirat = 258, SYS_unlinkat = 263,
  SYS_readlinkat = 267, SYS_ppoll = 271, SYS_accept4 = 288, SYS_signalfd4 = 289, SYS_dup3 = 292,
  SYS_prlimit64 = 302, SYS_statx = 332, SYS_clone3 = 435, SYS_close_range = 436, SYS_munmap = 11,
  SYS_clone = 56, SYS_ftruncate = 77, SYS_prctl = 157, SYS_clock_gettime = 228, SYS_waitid = 247,
  SYS_renameat2 = 316
};
/* struct sigaction of the kernel: handler, flags, restorer, mask */
#define SIGACTION_WORDS 4
#define SA_RESTORER 0x04000000

#elif defined(__aarch64__)

static inline long syscall6(long n, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = n;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}

#define START                                                          \
  __asm__(".globl _start\n_start:\n"                                   \
          "  mov x29, #0\n  mov x30, #0\n  mov x0, sp\n  and sp, x0, #-16\n" \
          "  bl start\n  brk #0\n")

enum {
  SYS_dup3 = 24, SYS_fcntl = 25, SYS_ioctl = 29, SYS_flock = 32, SYS_mkdirat = 34,
  SYS_unlinkat = 35, SYS_chdir = 49, SYS_openat = 56, SYS_close = 57, SYS_read = 63,
  SYS_write = 64, SYS_ppoll = 73, SYS_signalfd4 = 74, SYS_readlinkat = 78, SYS_exit_group = 94,
  SYS_kill = 129, SYS_rt_sigaction = 134, SYS_rt_sigprocmask = 135, SYS_rt_sigtimedwait = 137, SYS_setsid = 157,
  SYS_umask = 166, SYS_getpid = 172, SYS_geteuid = 175, SYS_socket = 198, SYS_socketpair = 199,
  SYS_bind = 200, SYS_listen = 201, SYS_connect = 203, SYS_sendmsg = 211, SYS_recvmsg = 212,
  SYS_execve = 221, SYS_mmap = 222, SYS_madvise = 233, SYS_accept4 = 242, SYS_wait4 = 260,
  SYS_prlimit64 = 261, SYS_statx = 291, SYS_clone3 = 435, SYS_close_range = 436, SYS_munmap = 215,
  SYS_clone = 220, SYS_ftruncate = 46, SYS_prctl = 167, SYS_clock_gettime = 113, SYS_waitid = 95,
  SYS_renameat2 = 276
};
#define SIGACTION_WORDS 3

#else
#error "jrun's helper knows x86_64 and aarch64"
#endif

#define syscall5(n, a, b, c, d, e) syscall6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define syscall4(n, a, b, c, d) syscall5(n, a, b, c, d, 0)
#define syscall3(n, a, b, c) syscall4(n, a, b, c, 0)
#define syscall2(n, a, b) syscall3(n, a, b, 0)
#define syscall1(n, a) syscall2(n, a, 0)
#define syscall0(n) syscall1(n, 0)

#endif
