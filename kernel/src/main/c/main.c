/* jrun: tells the engine what was asked and then does what the engine directs. */
#include "helper.h"

START;

enum { ATTEMPTS = 9 }; /* the pauses between them make half a second */
static struct session session;

/* The strings lie in one block, as the kernel lays out argv and env at the program's start. */
int greet(int socket, const struct greeting *g) {
  struct hello hello = {PROTOCOL_MAGIC, PROTOCOL_VERSION, (unsigned)g->size, g->argc, g->envc, 0};
  struct iovec iov[2] = {{&hello, sizeof hello}, {(void *)g->strings, g->size}};
  struct msghdr message = {0, 0, iov, 2, 0, 0, 0};
  return send_all(socket, &message);
}

static int ends_with(const char *s, const char *end) {
  size n = length(s), m = length(end);
  return n >= m && same(s + n - m, end);
}

static void open_standard_descriptors(void) {
  for (int fd = 0; fd < 3; fd++)
    if (syscall2(SYS_fcntl, fd, F_GETFD) < 0) syscall3(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
}

/* Asks an engine, and again where it goes before it has done anything: one that is dying can still
 * be found for a moment. A one-shot engine that dies would do so each time. */
static void ask(char **env, int first, const struct greeting *greeting) {
  const char *choice = variable(env, "JRUN_ENGINE");
  int attempts = choice && same(choice, "off") ? 1 : ATTEMPTS;
  session.began = 0;
  for (int i = 0; i < attempts && !session.began; i++) {
    long pause[2] = {0, 1000000L << i};
    if (i > 1) syscall5(SYS_ppoll, 0, 0, pause, 0, 8);
    session.socket = engine_connect(env, first + i);
    if (greet(session.socket, greeting)) serve(&session);
  }
}

/* The engine died in the middle: runs what it left for that case, in a new engine. */
static void fall_back(char **env) {
  unsigned count = session.fallback_count;
  if (!count && session.ended) quit(session.fallback_status);
  if (!count) {
    complain("the engine closed the connection", "", 0);
    quit(1);
  }
  session.fallback_count = 0;
  session.status = session.fallback_status;
  if (!session.ended) complain("the engine closed the connection, what was begun is undone", "", 0);
  ask(env, 1, &(struct greeting){count, 0, session.fallback, session.fallback_size});
  quit(session.status);
}

/* A keeper's worker that was made anew from this program: it serves the descriptor that it was given. */
static _Noreturn void be_worker(void) {
  syscall3(SYS_fcntl, WORKER_SOCKET, F_SETFD, 1);
  session.socket = WORKER_SOCKET;
  session.is_child = 1;
  serve(&session);
  quit(1);
}

__attribute__((used)) _Noreturn void start(long *stack) {
  unsigned argc = (unsigned)stack[0], envc = 0;
  char **argv = (char **)(stack + 1), **env = argv + argc + 1;
  const char *last;
  if (!argc) quit(1); /* before Linux 5.18 execve(2) takes an empty argv */
  while (env[envc]) envc++;
  last = envc ? env[envc - 1] : argv[argc - 1];
  struct greeting greeting = {argc, envc, argv[0], (size)(last + length(last) + 1 - argv[0])};

  open_standard_descriptors();
  long mapped = syscall6(SYS_mmap, ARENA_BASE, ARENA_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped != ARENA_BASE) {
    complain("cannot map the arena", "", mapped);
    quit(1);
  }
  session.listener = -1;
  session.status = -1;
  if (same(argv[0], WORKER_NAME)) be_worker();
  if (ends_with(argv[0], "containerd-shim-jrun-v2")) shim(argv, env, &greeting);
  ask(env, 0, &greeting);
  if (session.began) fall_back(env);
  complain("the engine closed the connection before it did anything", "", 0);
  quit(1);
}
