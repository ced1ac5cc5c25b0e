/* jrun: tells the engine what was asked and then does what the engine directs. */
#include "helper.h"

START;

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
  session.began = 0;
  session.socket = engine_connect(env, 1);
  if (greet(session.socket, count, 0, session.fallback, session.fallback_size)) serve(&session);
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
  for (int again = 0; again < 2; again++) {
    session.socket = engine_connect(env, again);
    if (greet(session.socket, argc, envc, argv[0], strings)) serve(&session);
    if (session.began) break;
  }
  if (session.began) fall_back(env);
  complain("the engine closed the connection before it did anything", "", 0);
  quit(1);
}
