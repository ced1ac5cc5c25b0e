/* jrun: tells the engine what was asked and then does what the engine directs. */
#include "helper.h"

START;

enum { ATTEMPTS = 9 }; /* the pauses between them make half a second */
static struct session session;

/* The strings lie in one block, as the kernel lays out argv and env at the program's start. */
static int greet(int socket, unsigned argc, unsigned envc, const char *first, size strings) {
  struct hello hello = {PROTOCOL_MAGIC, PROTOCOL_VERSION, (unsigned)strings, argc, envc, 0};
  struct iovec iov[2] = {{&hello, sizeof hello}, {(void *)first, strings}};
  struct msghdr message = {0, 0, iov, 2, 0, 0, 0};
  return send_all(socket, &message);
}

static void open_standard_descriptors(void) {
  for (int fd = 0; fd < 3; fd++)
    if (syscall2(SYS_fcntl, fd, F_GETFD) < 0) syscall3(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
}

/* Asks an engine, and again where it goes before it has done anything: one that is dying can still
 * be found for a moment. A one-shot engine that dies would do so each time. */
static void ask(char **env, int first, unsigned argc, unsigned envc, const char *strings, size n) {
  const char *choice = variable(env, "JRUN_ENGINE");
  int attempts = choice && same(choice, "off") ? 1 : ATTEMPTS;
  session.began = 0;
  for (int i = 0; i < attempts && !session.began; i++) {
    long pause[2] = {0, 1000000L << i};
    if (i > 1) syscall5(SYS_ppoll, 0, 0, pause, 0, 8);
    session.socket = engine_connect(env, first + i);
    if (greet(session.socket, argc, envc, strings, n)) serve(&session);
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
  ask(env, 1, count, 0, session.fallback, session.fallback_size);
  quit(session.status);
}

__attribute__((used)) _Noreturn void start(long *stack) {
  unsigned argc = (unsigned)stack[0], envc = 0;
  char **argv = (char **)(stack + 1), **env = argv + argc + 1;
  const char *last;
  while (env[envc]) envc++;
  last = envc ? env[envc - 1] : argv[argc - 1];
  size strings = (size)(last + length(last) + 1 - argv[0]);

  open_standard_descriptors();
  long mapped = syscall6(SYS_mmap, ARENA_BASE, ARENA_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (mapped != ARENA_BASE) {
    complain("cannot map the arena", "", mapped);
    quit(1);
  }
  session.listener = -1;
  session.status = -1;
  ask(env, 0, argc, envc, argv[0], strings);
  if (session.began) fall_back(env);
  complain("the engine closed the connection before it did anything", "", 0);
  quit(1);
}
