/* The syscall proxy: performs the calls of a batch, answers with their results, decides nothing. */
#include "helper.h"

static int passed[MAX_PASSED];

struct fds {
  struct cmsghdr header;
  int fd[MAX_PASSED];
};

static char *arena(void) { return (char *)ARENA_BASE; }

/* Reads one batch into the arena; 0 at end of file or on a message that makes no sense. */
static int receive(int socket) {
  size got = 0, want = sizeof(struct batch);
  struct batch *batch = (struct batch *)arena();
  struct fds fds;
  while (got < want) {
    struct iovec iov = {arena() + got, want - got};
    struct msghdr message = {0, 0, &iov, 1, &fds, sizeof fds, 0};
    long n = syscall3(SYS_recvmsg, socket, &message, MSG_CMSG_CLOEXEC);
    if (n == -EINTR) continue;
    if (n <= 0) return 0;
    if (message.control_length > sizeof fds.header && fds.header.level == SOL_SOCKET &&
        fds.header.type == SCM_RIGHTS)
      copy(passed, fds.fd, fds.header.length - sizeof fds.header);
    got += (size)n;
    if (got >= sizeof *batch) {
      want = batch->size;
      if (batch->calls > MAX_CALLS || want < sizeof *batch + batch->calls * sizeof(struct call) ||
          want > ARENA_SIZE / 2 || batch->out_size > ARENA_SIZE / 4)
        return 0;
    }
  }
  return got == want;
}

/* Sends the whole message, its descriptors with the first part; 0 when nobody is there to take it. */
int send_all(int socket, struct msghdr *message) {
  while (message->iov_length) {
    long n = syscall3(SYS_sendmsg, socket, message, MSG_NOSIGNAL);
    if (n == -EINTR) continue;
    if (n < 0) return 0;
    message->control = 0;
    message->control_length = 0;
    while (message->iov_length && (size)n >= message->iov->length) {
      n -= (long)message->iov->length;
      message->iov++;
      message->iov_length--;
    }
    if (message->iov_length) {
      message->iov->base = (char *)message->iov->base + n;
      message->iov->length -= (size)n;
    }
  }
  return 1;
}

static int answer(int socket, struct reply *reply, char *out, size out_size, struct fds *fds,
                  unsigned descriptors) {
  struct iovec iov[2] = {{reply, reply->size - out_size}, {out, out_size}};
  struct msghdr message = {0, 0, iov, 2, 0, 0, 0};
  if (descriptors) {
    fds->header.length = sizeof fds->header + descriptors * sizeof(int);
    fds->header.level = SOL_SOCKET;
    fds->header.type = SCM_RIGHTS;
    message.control = fds;
    message.control_length = (fds->header.length + 7) & ~7UL;
  }
  return send_all(socket, &message);
}

static long reset_signals(void) {
  unsigned long action[SIGACTION_WORDS], mask = 0;
  memset(action, 0, sizeof action);
  for (long signal = 1; signal <= 64; signal++)
    syscall4(SYS_rt_sigaction, signal, action, 0, 8);
  return syscall4(SYS_rt_sigprocmask, SIG_SETMASK, &mask, 0, 8);
}

static void end_by(int signal) {
  quit(128 + signal);
}

/* The first process of a pid namespace gets only those signals that it handles: these end it while it
 * waits, as they would end another. Its program has the default action again (execve(2)). */
static void end_by_signals(void) {
  static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
  unsigned long action[SIGACTION_WORDS];
  if (syscall0(SYS_getpid) != 1) return;
  memset(action, 0, sizeof action);
  action[0] = (unsigned long)end_by;
#ifdef SA_RESTORER
  action[1] = SA_RESTORER;
  action[2] = (unsigned long)end_by; /* nobody returns to it */
#endif
  for (unsigned i = 0; i < sizeof ending / sizeof *ending; i++)
    syscall4(SYS_rt_sigaction, ending[i], action, 0, 8);
}

static long close_from(const struct session *session, unsigned first) {
  unsigned socket = (unsigned)session->socket;
  if (socket < first) return syscall3(SYS_close_range, first, ~0U, 0);
  if (socket > first) syscall3(SYS_close_range, first, socket - 1, 0);
  return syscall3(SYS_close_range, socket + 1, ~0U, 0);
}

/* The child of a clone goes on with its own socket and must not hold its parent's. */
static long born(struct session *session, int socket) {
  syscall1(SYS_close, session->socket);
  session->socket = socket;
  session->is_child = 1;
  session->fallback_count = 0;
  session->status = -1;
  return 0;
}

static long set_fallback(struct session *session, unsigned long *args) {
  if (args[1] > sizeof session->fallback) return -EINVAL;
  copy(session->fallback, (char *)args[0], args[1]);
  session->fallback_size = (unsigned)args[1];
  session->fallback_count = (unsigned)args[2];
  session->fallback_status = (int)args[3];
  return 0;
}

static long perform(struct session *session, struct call *call, unsigned long *a) {
  switch (call->number) {
    case CALL_LISTEN:
      session->listener = (int)a[0];
      session->leaves = 1;
      end_by_signals();
      return 0;
    case CALL_MONITOR: return monitor(session, (struct monitor *)a[0]);
    case CALL_RESET_SIGNALS: return reset_signals();
    case CALL_ON_EOF: return set_fallback(session, a);
    case CALL_PAUSE:
      session->pauses = 1;
      session->leaves = 1;
      return begin_pause();
    case CALL_RELAY:
      session->relays = (int)a[0];
      session->leaves = 1;
      return 0;
    case CALL_CLOSE_FROM: return close_from(session, (unsigned)a[0]);
    case SYS_exit_group:
      if (session->status >= 0) a[0] = (unsigned long)session->status;
  }
  return syscall6(call->number, (long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5]);
}

/* What is to be said of the guard: that it failed with that errno, or that it did not fail. */
static int guarded(const struct call *call, const long *results) {
  long result = results[call->guard - 1];
  return call->guard_errno ? result == -(long)call->guard_errno : result >= 0;
}

/* Fills in the arguments; 0 when the call is not to be made: its guard says so, or an argument is
 * the result of a call that failed. */
static int resolve(const struct call *call, const long *results, unsigned long *args) {
  if (call->guard && !guarded(call, results)) return 0;
  for (int i = 0; i < 6; i++) {
    unsigned long value = call->args[i];
    switch (call->kinds >> (2 * i) & 3) {
      case KIND_RESULT:
        if (results[value] < 0) return 0;
        value = (unsigned long)results[value];
        break;
      case KIND_PASSED: value = (unsigned long)passed[value]; break;
    }
    args[i] = value;
  }
  return 1;
}

static int tolerated(const struct call *call, long result) {
  for (int i = 0; i < 3; i++)
    if (call->tolerated[i] == TOLERATE_ANY || (call->tolerated[i] && call->tolerated[i] == -result))
      return 1;
  return 0;
}

/* Performs the batch in the arena and answers; 0 when nobody wants the answer. */
static int perform_batch(struct session *session) {
  struct batch *batch = (struct batch *)arena();
  struct call *calls = (struct call *)(batch + 1);
  char *out = arena() + ((batch->size + 15UL) & ~15UL);
  struct reply *reply = (struct reply *)(out + ((batch->out_size + 15UL) & ~15UL));
  long *results = (long *)(reply + 1);
  struct fds fds;
  unsigned descriptors = 0, i = 0;

  memset(out, 0, batch->out_size);
  if (!(batch->flags & BATCH_CHAINED)) session->broken = 0;
  while (i < batch->calls && !session->broken) {
    struct call *call = &calls[i];
    unsigned long args[6];
    long result = RESULT_SKIPPED;
    if (resolve(call, results, args)) {
      result = perform(session, call, args);
      if ((call->number == SYS_clone3 || call->number == SYS_clone) && result == 0) {
        born(session, (int)args[2]);
        return 1;
      }
      if (result >= 0 && call->flags & CALL_RETURNS_DESCRIPTOR && descriptors < MAX_PASSED)
        fds.fd[descriptors++] = (int)result;
    }
    results[i++] = result;
    if (result < 0 && result > -4096 && result != RESULT_SKIPPED && !tolerated(call, result))
      session->broken = 1;
  }
  reply->done = i;
  reply->size = (unsigned)(sizeof *reply + i * sizeof *results + batch->out_size);
  return answer(session->socket, reply, out, batch->out_size, &fds, descriptors);
}

/* A created container's init holds nothing but its listener while it waits to be started. */
static int accept_next(struct session *session) {
  syscall3(SYS_madvise, ARENA_BASE, ARENA_SIZE, MADV_DONTNEED);
  do session->socket = (int)syscall4(SYS_accept4, session->listener, 0, 0, SOCK_CLOEXEC);
  while (session->socket == -EINTR);
  return session->socket >= 0;
}

void serve(struct session *session) {
  for (;;) {
    if (receive(session->socket)) {
      session->began = 1;
      if (perform_batch(session) && !session->leaves) continue;
    }
    session->leaves = 0;
    syscall1(SYS_close, session->socket);
    if (session->pauses) pause_until_told();
    if (session->relays > 2) relay(session->relays);
    if (session->listener >= 0 && accept_next(session)) continue;
    if (session->is_child) quit(1);
    return;
  }
}
