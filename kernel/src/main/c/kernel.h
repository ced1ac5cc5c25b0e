/* The kernel's constants and structures that the helper itself uses (see the man pages). */
#ifndef JRUN_KERNEL_H
#define JRUN_KERNEL_H

typedef unsigned long size;

enum {
  ENOENT = 2, EINTR = 4, EIO = 5, EAGAIN = 11, ENOMEM = 12, EEXIST = 17, EINVAL = 22, ENFILE = 23, EMFILE = 24, EADDRINUSE = 98, ENOBUFS = 105,
  O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_TRUNC = 01000, O_APPEND = 02000,
  O_NONBLOCK = 04000, O_CLOEXEC = 02000000, AT_FDCWD = -100, AT_EMPTY_PATH = 0x1000,
  AF_UNIX = 1, SOCK_STREAM = 1, SOCK_CLOEXEC = 02000000, SOL_SOCKET = 1, SCM_RIGHTS = 1,
  MSG_CMSG_CLOEXEC = 0x40000000, MSG_NOSIGNAL = 0x4000, MSG_DONTWAIT = 0x40,
  LOCK_EX = 2, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, RLIMIT_NOFILE = 7,
  PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000,
  MAP_FIXED_NOREPLACE = 0x100000, MADV_DONTNEED = 4,
  SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGKILL = 9, SIGPIPE = 13, SIGTERM = 15, SIGCHLD = 17, SIGSTOP = 19, SIGURG = 23, SIGWINCH = 28,
  SIG_BLOCK = 0, SIG_SETMASK = 2, WNOHANG = 1, WEXITED = 4, WNOWAIT = 0x1000000, PF_FORKNOEXEC = 0x40,
  CLD_EXITED = 1, CLD_DUMPED = 3,
  PR_SET_CHILD_SUBREAPER = 36, PR_SET_NAME = 15,
  TCSETS = 0x5402, TIOCGWINSZ = 0x5413, TIOCSWINSZ = 0x5414,
  POLLIN = 1, POLLOUT = 4, POLLERR = 8, POLLHUP = 16,
  STATX_BASIC_STATS = 0x7ff, PATH_LENGTH = 4096
};
#define FIRST_USER_NAMESPACE 0xeffffffdUL /* the inode of the one that the kernel begins with (PROC_USER_INIT_INO) */

struct iovec { void *base; size length; };
struct msghdr {
  void *name; int name_length; struct iovec *iov; size iov_length;
  void *control; size control_length; int flags;
};
struct cmsghdr { size length; int level; int type; };
struct sockaddr_un { unsigned short family; char path[108]; };
struct pollfd { int fd; short events; short revents; };
struct statx_time { long seconds; unsigned nanoseconds; int pad; };
struct statx {
  unsigned mask, blksize; unsigned long attributes; unsigned nlink, uid, gid;
  unsigned short mode, pad; unsigned long ino, size, blocks, attributes_mask;
  struct statx_time atime, btime, ctime, mtime;
  unsigned rdev_major, rdev_minor, dev_major, dev_minor; unsigned long rest[14];
};
struct clone_args { unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, rest[6]; };
struct rlimit { unsigned long soft, hard; };
struct timespec { long seconds, nanoseconds; };
/* siginfo_t, as waitid(2) fills it */
struct ended { int signal, error, code, pad, pid; unsigned uid; int status; int rest[25]; };

#endif
