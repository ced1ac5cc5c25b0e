/* containerd-shim-jrun-v2: `start` finds the keeper of a pod, or becomes it; what else containerd
 * asks of the program is a command that the engine answers.
 *
 *   containerd ── start ──▶ this ── fork ──▶ keeper (listens already, finds the engine by itself)
 *              ◀─ address ── exit
 */
#include "helper.h"

enum { CONFIG_SIZE = 4 << 20, INPUT_SIZE = 1 << 16, BACKLOG = 128 };
#define SOCKETS "/run/containerd/s" /* of all shims, runc's too, unless containerd names another place */

struct request {
  const char *address, *name_space, *id, *action;
};

static char config[CONFIG_SIZE], input[INPUT_SIZE];

/* The value of a flag that may be written -name value, --name value and -name=value. */
static const char *flag(char ***arg, const char *name) {
  const char *given = **arg;
  size n = length(name);
  if (*given++ != '-') return 0;
  if (*given == '-') given++;
  for (size i = 0; i < n; i++)
    if (given[i] != name[i]) return 0;
  if (given[n] == '=') return given + n + 1;
  if (given[n] || !(*arg)[1]) return 0;
  return *++*arg;
}

static struct request parse(char **argv) {
  struct request r = {"", "", "", ""};
  for (char **arg = argv + 1; *arg; arg++) {
    const char *value;
    if ((value = flag(&arg, "namespace"))) r.name_space = value;
    else if ((value = flag(&arg, "address"))) r.address = value;
    else if ((value = flag(&arg, "id"))) r.id = value;
    else if (flag(&arg, "publish-binary") || flag(&arg, "bundle") || flag(&arg, "socket")) continue;
    else if (**arg != '-') r.action = *arg;
  }
  return r;
}

static size read_all(int fd, char *to, size room) {
  size got = 0;
  while (got < room) {
    long n = syscall3(SYS_read, fd, to + got, room - got);
    if (n == -EINTR) continue;
    if (n <= 0) break;
    got += (size)n;
  }
  return got;
}

/* Containers of one group are served by one keeper: those of a pod name its sandbox. Where there is no
 * config, containerd asks for the pod itself, by the sandbox service; this is what is returned. */
static int find_group(const struct request *r, char *group, size room) {
  int fd = (int)syscall3(SYS_openat, AT_FDCWD, "config.json", O_RDONLY | O_CLOEXEC);
  size n = fd < 0 ? 0 : read_all(fd, config, sizeof config);
  if (fd >= 0) syscall1(SYS_close, fd);
  if (annotation(config, n, "io.containerd.runc.v2.group", group, room)) return 0;
  if (annotation(config, n, "io.kubernetes.cri.sandbox-id", group, room)) return 0;
  append(group, group + room, r->id);
  return fd == -ENOENT;
}

/* From 2.3 on standard input is BootstrapParams, which has fields from 4 to 7, and may have the
 * directory of sockets as its field 9; before that it is an Any, with fields 1 and 2, or nothing. */
static int takes_bootstrap(char *socket_directory, size room) {
  size n = read_all(0, input, sizeof input), at = 0;
  int found = 0;
  while (at < n) {
    unsigned char tag = (unsigned char)input[at++];
    unsigned long value = 0;
    if (tag >> 3 >= 4 && tag >> 3 <= 7) found = 1;
    for (int shift = 0; at < n && shift < 64; shift += 7) {
      unsigned char byte = (unsigned char)input[at++];
      value |= (unsigned long)(byte & 0x7f) << shift;
      if (!(byte & 0x80)) break;
    }
    if ((tag & 7) == 2) {
      if (value > n - at) return found;
      if (tag >> 3 == 9) {
        if (value >= room) {
          complain("the directory of sockets has too long a name", "", 0);
          quit(1);
        }
        copy(socket_directory, input + at, value);
        socket_directory[value] = 0;
      }
      at += value;
    } else if ((tag & 7) != 0) {
      return found;
    }
  }
  return found;
}

static void report(const char *url, int bootstrap) {
  char text[512], *end = text + sizeof text, *p = text;
  if (bootstrap) p = append(p, end, "{\"version\":3,\"address\":\"");
  p = append(p, end, url);
  if (bootstrap) p = append(p, end, "\",\"protocol\":\"ttrpc\"}");
  syscall3(SYS_write, 1, text, p - text);
}

/* As runc's shim does: containerd 1.x finds the shim again by this file. */
static void note_address(const char *url) {
  int fd = (int)syscall4(SYS_openat, AT_FDCWD, ".address", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return;
  long n = syscall3(SYS_write, fd, url, length(url));
  syscall1(SYS_close, fd);
  if (n == (long)length(url)) syscall5(SYS_renameat2, AT_FDCWD, ".address", AT_FDCWD, "address", 0);
}

static int connects(struct sockaddr_un *to, int n) {
  int socket = (int)syscall3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  long error = syscall3(SYS_connect, socket, to, n);
  syscall1(SYS_close, socket);
  return error == 0;
}

static void fail(const char *what, const char *path, long error) {
  if (error >= 0) return;
  complain(what, path, error);
  quit(1);
}

/* A listener of its own, or -1 where a keeper listens there already. Without the lock, a socket that
 * another `start` has bound and does not listen on yet would look like one that a dead keeper left. */
static int listen_at(const char *directory, const char *path) {
  struct sockaddr_un at = {AF_UNIX, {0}};
  int n = (int)(sizeof at.family + length(path) + 1), listener = -1;
  append(at.path, at.path + sizeof at.path, path);
  int lock = (int)syscall3(SYS_openat, AT_FDCWD, directory, O_RDONLY | O_CLOEXEC);
  fail("cannot open ", directory, lock);
  while (syscall2(SYS_flock, lock, LOCK_EX) == -EINTR) {}
  if (!connects(&at, n)) {
    syscall3(SYS_unlinkat, AT_FDCWD, path, 0);
    listener = (int)syscall3(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fail("cannot make a socket for ", path, listener);
    long umask = syscall1(SYS_umask, 0177);
    fail("cannot bind ", path, syscall3(SYS_bind, listener, &at, n));
    syscall1(SYS_umask, umask);
    fail("cannot listen on ", path, syscall2(SYS_listen, listener, BACKLOG));
  }
  syscall1(SYS_close, lock);
  return listener;
}

/* Where exits are written down: a directory of the keeper's own, emptied of what one before it left. */
static int make_state(const char *key) {
  static const char *const names[] = {"/exits", "/journal", "/journal.new", 0};
  char path[PATH_LENGTH], *end = path + sizeof path, *p = append(path, end, "/run/jrun-shim");
  syscall3(SYS_mkdirat, AT_FDCWD, path, 0700);
  p = append(append(p, end, "/"), end, key);
  syscall3(SYS_mkdirat, AT_FDCWD, path, 0700);
  for (const char *const *name = names; *name; name++) {
    append(p, end, *name);
    syscall3(SYS_unlinkat, AT_FDCWD, path, 0);
  }
  append(p, end, names[0]);
  int fd = (int)syscall4(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  fail("cannot make ", path, fd);
  return fd;
}

/* Nothing of the caller's: whoever reads what `start` prints waits for its end. What goes wrong is
 * told where containerd collects the shims' logs. */
static void let_go(void) {
  int null = (int)syscall3(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC);
  int log = (int)syscall3(SYS_openat, AT_FDCWD, "log", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  syscall3(SYS_dup3, null, 0, 0);
  syscall3(SYS_dup3, null, 1, 0);
  syscall3(SYS_dup3, log < 0 ? null : log, 2, 0);
  syscall1(SYS_close, null);
  if (log >= 0) syscall1(SYS_close, log);
  syscall0(SYS_setsid);
  syscall1(SYS_chdir, "/");
}

/* containerd's own score and one more: of the two the shim's process goes first. */
static void raise_oom_score(void) {
  char text[16];
  int fd = (int)syscall3(SYS_openat, AT_FDCWD, "/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
  size n = fd < 0 ? 0 : read_all(fd, text, sizeof text - 1);
  int negative = n && text[0] == '-';
  long score = 0;
  for (size i = (size)negative; i < n && text[i] >= '0' && text[i] <= '9'; i++) score = score * 10 + text[i] - '0';
  score = (negative ? -score : score) + 1;
  if (fd >= 0 && score <= 1000) {
    char digits[8], *d = digits + sizeof digits;
    unsigned long left = (unsigned long)(score < 0 ? -score : score);
    do *--d = (char)('0' + left % 10); while (left /= 10);
    if (score < 0) *--d = '-';
    syscall3(SYS_write, fd, d, digits + sizeof digits - d);
  }
  if (fd >= 0) syscall1(SYS_close, fd);
}

static _Noreturn void begin(const struct request *r, char **env, const struct greeting *greeting) {
  char group[256], text[1024], *end = text + sizeof text, key[65], path[108], url[128], sockets[108 - 65] = "";
  if (!*r->id || !*r->name_space) {
    complain("start needs -namespace and -id", "", 0);
    quit(1);
  }
  int is_pod = find_group(r, group, sizeof group);
  char *p = append(append(append(append(append(text, end, r->address), end, "/"), end, r->name_space), end, "/"), end, group);
  sha256_hex(text, (size)(p - text), key);
  int bootstrap = takes_bootstrap(sockets, sizeof sockets);
  if (!bootstrap || !*sockets) {
    syscall3(SYS_mkdirat, AT_FDCWD, "/run/containerd", 0711);
    append(sockets, sockets + sizeof sockets, SOCKETS);
  }
  syscall3(SYS_mkdirat, AT_FDCWD, sockets, 0711);
  append(append(append(path, path + sizeof path, sockets), path + sizeof path, "/"), path + sizeof path, key);
  append(append(url, url + sizeof url, "unix://"), url + sizeof url, path);
  int listener = listen_at(sockets, path);
  note_address(url);
  if (listener >= 0) {
    int exits = make_state(key);
    if (split_or_quit() == 0) {
      raise_oom_score();
      let_go();
      keep(listener, path, exits, env, greeting);
    }
  }
  /* who has that service knows version 3, and with it asks no shim to start for the pod's containers */
  report(url, bootstrap || is_pod);
  quit(0);
}

void shim(char **argv, char **env, const struct greeting *greeting) {
  struct request r = parse(argv);
  if (same(r.action, "start")) begin(&r, env, greeting);
}
