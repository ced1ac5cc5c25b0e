/* Finds the engine that serves this user, these namespaces, root and build; starts it when there is
 * none. The socket is bound here, before the JVM runs, so a client can connect at once. */
#include "helper.h"

static char library[PATH_LENGTH];  /* PREFIX/lib/jrun, from /proc/self/exe */
static char base[PATH_LENGTH];     /* the directory and the key, to which .sock, .lock, .log are added */

enum { KEY_DIGITS = 16, SUFFIX_LENGTH = 8 };

const char *variable(char **env, const char *name) {
  size n = length(name);
  for (; *env; env++) {
    size i = 0;
    while (i < n && (*env)[i] == name[i]) i++;
    if (i == n && (*env)[n] == '=') return *env + n + 1;
  }
  return 0;
}

static int installed;

void prefer_installed(void) { installed = 1; }

static unsigned long mix(unsigned long hash, unsigned long value) {
  for (int i = 0; i < 8; i++) hash = (hash ^ (value >> (8 * i) & 0xff)) * 0x100000001b3UL;
  return hash;
}

static struct statx stat_or_quit(const char *path, const char *complaint) {
  struct statx s;
  memset(&s, 0, sizeof s);
  long error = syscall5(SYS_statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, &s);
  if (error < 0) {
    complain(complaint, path, error);
    quit(1);
  }
  return s;
}

static unsigned long mix_file(unsigned long hash, const char *path) {
  struct statx s = stat_or_quit(path, "cannot stat ");
  return mix(mix(mix(hash, s.ino), s.dev_major), s.dev_minor);
}

static unsigned long mix_build(unsigned long hash, const char *path) {
  struct statx s = stat_or_quit(path, "not installed: cannot stat ");
  return mix(mix(mix(mix(hash, s.ino), s.size), (unsigned long)s.mtime.seconds), s.mtime.nanoseconds);
}

static void find_library(void) {
  long n = syscall4(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", library, sizeof library - 32);
  int slashes = 0;
  if (n <= 0) {
    complain("cannot read /proc/self/exe", "", n);
    quit(1);
  }
  while (n > 0 && slashes < 2) slashes += library[--n] == '/';
  append(library + n, library + sizeof library, "/lib/jrun");
}

/* The directory must be this user's alone: whoever owns it could pose as the engine. */
static void private_directory(const char *path) {
  struct statx s;
  memset(&s, 0, sizeof s);
  syscall3(SYS_mkdirat, AT_FDCWD, path, 0700);
  long error = syscall5(SYS_statx, AT_FDCWD, path, 0x100, STATX_BASIC_STATS, &s);
  if (error < 0 || (s.mode & 0170077) != 0040000 || s.uid != (unsigned)syscall0(SYS_geteuid)) {
    complain("not a private directory of this user: ", path, error);
    quit(1);
  }
}

/* Whether this root is an ordinary user's, in a user namespace, whose /run is somebody else's; as runc tells it. */
static int is_users_root(char **env) {
  const char *user = variable(env, "USER");
  struct statx s;
  memset(&s, 0, sizeof s);
  return syscall5(SYS_statx, AT_FDCWD, "/proc/self/ns/user", 0, STATX_BASIC_STATS, &s) == 0 &&
         s.ino != FIRST_USER_NAMESPACE && !(user && same(user, "root"));
}

static void find_base(char **env) {
  unsigned long hash = 0xcbf29ce484222325UL;
  unsigned uid = (unsigned)syscall0(SYS_geteuid);
  char *p = base, *end = base + sizeof base - KEY_DIGITS - SUFFIX_LENGTH, build[PATH_LENGTH];
  const char *run = variable(env, "XDG_RUNTIME_DIR");
  if (run && *run && (uid != 0 || is_users_root(env))) {
    p = append(append(p, end, run), end, "/jrun-engine");
  } else if (uid == 0) {
    p = append(p, end, "/run/jrun-engine");
  } else {
    char digits[12], *d = digits + 11;
    unsigned n = uid;
    *d = 0;
    do *--d = (char)('0' + n % 10); while (n /= 10);
    p = append(append(p, end, "/tmp/jrun-engine-"), end, d);
  }
  private_directory(base);
  append(append(build, build + sizeof build, library), build + sizeof build, "/jrun.jar");
  hash = mix_build(hash, build);
  if (installed) append(append(build, build + sizeof build, library), build + sizeof build, "/../../bin/jrun");
  hash = mix_build(hash, installed ? build : "/proc/self/exe"); /* the engine seals this very binary */
  hash = mix_file(hash, "/proc/self/ns/mnt");
  hash = mix_file(hash, "/proc/self/ns/user");
  hash = mix_file(hash, "/proc/self/ns/pid");
  hash = mix_file(hash, "/proc/self/ns/net");
  hash = mix_file(mix(hash, uid), "/");
  p = append(p, end, "/");
  for (int i = 4 * (KEY_DIGITS - 1); i >= 0; i -= 4) *p++ = "0123456789abcdef"[hash >> i & 15];
  *p = 0;
}

static const char *named(const char *suffix) {
  static char path[PATH_LENGTH];
  char *end = path + sizeof path;
  append(append(path, end, base), end, suffix);
  return path;
}

static int address(struct sockaddr_un *to, const char *path) {
  size n = length(path) + 1;
  if (n > sizeof to->path) {
    complain("path too long for a socket: ", path, 0);
    quit(1);
  }
  to->family = AF_UNIX;
  copy(to->path, path, n);
  return (int)(sizeof to->family + n);
}

static int connected(const char *path) {
  struct sockaddr_un to;
  int n = address(&to, path);
  int socket = (int)syscall3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || syscall3(SYS_connect, socket, &to, n) == 0) return socket;
  syscall1(SYS_close, socket);
  return -1;
}

/* Reads the engine's command line: an argument per line, % stands for the library. */
static char **command_line(const char *mode) {
  static char file[8192], text[32768], *argv[64];
  char *end = text + sizeof text, *p = text;
  int n = 0;
  char name[PATH_LENGTH];
  append(append(name, name + sizeof name, library), name + sizeof name, "/engine.argv");
  int fd = (int)syscall3(SYS_openat, AT_FDCWD, name, O_RDONLY | O_CLOEXEC);
  long got = fd < 0 ? fd : syscall3(SYS_read, fd, file, sizeof file - 1);
  if (got <= 0) {
    complain("cannot read ", name, got);
    return 0;
  }
  file[got] = 0;
  for (char *c = file; *c && n < 60;) {
    argv[n++] = p;
    for (; *c && *c != '\n'; c++) {
      char one[2] = {*c, 0};
      p = append(p, end, *c == '%' ? library : one);
    }
    if (++p >= end) {
      complain("too long: ", name, 0);
      return 0;
    }
    if (*c) c++;
  }
  argv[n++] = (char *)mode;
  argv[n++] = base;
  argv[n] = 0;
  return argv;
}

/* Becomes the JVM, with the socket as descriptor 3 and nothing of the caller's. */
static _Noreturn void become_engine(int socket, const char *mode, int keep_stderr) {
  /* What the JVM's compiler takes for a moment is in blocks of 32 KiB: mapped each by itself, they go back to the machine.
   * So do the stacks of threads that have ended, of which glibc would keep 40 MB. */
  const char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
                       "MALLOC_ARENA_MAX=1", "MALLOC_MMAP_THRESHOLD_=32000", "GLIBC_TUNABLES=glibc.pthread.stack_cache_size=0", 0};
  unsigned long action[SIGACTION_WORDS], mask = 0;
  struct rlimit files;
  char **argv = command_line(mode);
  if (!argv) quit(1);
  memset(action, 0, sizeof action);
  for (long signal = 1; signal <= 64; signal++) syscall4(SYS_rt_sigaction, signal, action, 0, 8);
  syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
  syscall0(SYS_setsid);
  syscall1(SYS_umask, 022);
  syscall1(SYS_chdir, "/");
  if (syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &files) == 0) {
    files.soft = files.hard;
    syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, 0);
  }
  int null = (int)syscall3(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  int log = keep_stderr ? 2 : (int)syscall4(SYS_openat, AT_FDCWD, named(".log"),
                                            O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) log = null;
  if (socket == 3) syscall3(SYS_fcntl, socket, F_SETFD, 0);
  else syscall3(SYS_dup3, socket, 3, 0);
  syscall3(SYS_dup3, null, 0, 0);
  syscall3(SYS_dup3, log, 1, 0);
  if (log != 2) syscall3(SYS_dup3, log, 2, 0);
  syscall3(SYS_close_range, 4, ~0U, 0);
  long error = syscall3(SYS_execve, argv[0], argv, env);
  complain("cannot run ", argv[0], error);
  quit(1);
}

long split(void) {
  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.exit_signal = SIGCHLD;
  return syscall2(SYS_clone3, &args, sizeof args);
}

long split_or_quit(void) {
  long child = split();
  if (child >= 0) return child;
  complain("cannot fork", "", child);
  quit(1);
}

/* The lock of who starts the engine. An engine that leaves removes the files of dead ones, under their
 * locks: whoever waited for one looks whether it still is the file of that name. */
static int lock_start(void) {
  for (;;) {
    struct statx held, found;
    int lock = (int)syscall4(SYS_openat, AT_FDCWD, named(".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0) {
      complain("cannot open ", named(".lock"), lock);
      quit(1);
    }
    while (syscall2(SYS_flock, lock, LOCK_EX) == -EINTR) {}
    memset(&held, 0, sizeof held);
    memset(&found, 0, sizeof found);
    syscall5(SYS_statx, lock, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &held);
    syscall5(SYS_statx, AT_FDCWD, named(".lock"), 0, STATX_BASIC_STATS, &found);
    if (held.ino == found.ino) return lock;
    syscall1(SYS_close, lock);
  }
}

static int start_engine(void) {
  int lock = lock_start();
  int socket = connected(named(".sock"));
  if (socket < 0) {
    struct sockaddr_un at;
    int n = address(&at, named(".sock")), status;
    int listener = (int)syscall3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    syscall3(SYS_unlinkat, AT_FDCWD, at.path, 0);
    long error = syscall3(SYS_bind, listener, &at, n);
    if (error == 0) error = syscall2(SYS_listen, listener, 4096);
    if (error < 0) {
      complain("cannot listen on ", at.path, error);
      quit(1);
    }
    long child = split_or_quit();
    if (child == 0) {
      if (split_or_quit() != 0) quit(0); /* an orphan: the engine is nobody's child */
      become_engine(listener, "serve", 0);
    }
    syscall4(SYS_wait4, child, &status, 0, 0);
    socket = connected(named(".sock"));
    syscall1(SYS_close, listener);
  }
  syscall1(SYS_close, lock);
  if (socket < 0) {
    complain("the engine did not start, see ", named(".log"), 0);
    quit(1);
  }
  return socket;
}

static int start_one_shot(void) {
  int pair[2];
  long error = syscall4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  if (error < 0) {
    complain("cannot make a socket pair", "", error);
    quit(1);
  }
  if (split_or_quit() == 0) become_engine(pair[1], "once", 1);
  syscall1(SYS_close, pair[1]);
  return pair[0];
}

/* The engine that listens at this path, and no other. */
static int given_engine(const char *path) {
  int socket = connected(path);
  if (socket >= 0) return socket;
  complain("no engine listens at JRUN_ENGINE: ", path, 0);
  quit(1);
}

/* A socket to an engine; again: the last one closed it before it did anything. */
int engine_connect(char **env, int again) {
  const char *choice = variable(env, "JRUN_ENGINE");
  if (choice && *choice == '/') return given_engine(choice);
  if (choice && *choice && !same(choice, "off")) {
    complain("JRUN_ENGINE is neither off nor an absolute path: ", choice, 0);
    quit(1);
  }
  if (!*library) find_library();
  if (choice && same(choice, "off")) return start_one_shot();
  if (!*base) find_base(env);
  if (!again) {
    int socket = connected(named(".sock"));
    if (socket >= 0) return socket;
  }
  return start_engine();
}
