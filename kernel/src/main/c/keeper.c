/* The keeper of a pod: it listens for containerd, is the parent of the pod's processes and of what
 * else must not end with an engine, and relays between containerd and whichever engine there is.
 * What a frame says is the engine's to know; the keeper looks at sizes and stream numbers only. */
#include "helper.h"

enum {
  CONNECTIONS = 256, SMALL = 640, SMALLS = 96, WORKERS = 64,
  MANY_BYTES = 1 << 18,           /* of memory for answers that a client does not read: it is heard no more */
  MANY_REQUESTS = 1024,           /* of a client that are not answered: likewise */
  MOST_BYTES = 64 << 20,          /* of memory for kept frames: nobody is heard any more */
  FIRST_PAUSE = 10, LAST_PAUSE = 1000, /* milliseconds between attempts to reach an engine */
  FIRST_HOME = KEEPER_FIRST_PLACE + KEEPER_PLACES, MOST_FILES = FIRST_HOME + KEEPER_HOMES + 64, OUTGOING = 0, TAKEN = 1, WRITES_PER_TURN = 64
};

struct frame {
  struct frame *next;
  size room;
  int seen; /* some of it was sent to an engine */
  struct keeper_message head;
  char data[];
};

struct queue { struct frame *first, *last; size bytes; };

struct connection {
  int used, fd;
  unsigned number;
  unsigned unanswered;
  unsigned header_got, got, skip; /* of the frame that arrives; skip: of one that is too long */
  struct frame *in;
  struct queue out;
  size written;
  unsigned char header[TTRPC_HEADER];
};

static struct connection connections[CONNECTIONS];
static int places;                 /* of them that may be used: few are, and they are gone through all the time */
static char small[SMALLS][SMALL] __attribute__((aligned(16)));
static unsigned char small_used[SMALLS];
static int workers[WORKERS], worker_count;

static struct queue kept;          /* for the engine, in the order of arrival */
static struct frame *unsent;       /* the first of them that this engine has not got */
static size sent_bytes;            /* of it */
static int listener, engine, connector, exits, leaving, tries;
static int cannot_accept, cannot_reap; /* for now: descriptors, memory or room in the file are short */
static size exits_bytes;
static unsigned next_number, out_sent, out_released;
static unsigned long exit_sequence;
static const char *socket_name;
static struct { struct keeper_message head; size got; struct frame *frame; int fd; } from_engine;
static int welcome;
static struct rlimit given_files;

/* Memory: small frames from a pool, larger ones from the kernel. */

static struct frame *allocate(size data) {
  size want = sizeof(struct frame) + data;
  struct frame *frame = 0;
  if (want <= SMALL)
    for (int i = 0; i < SMALLS && !frame; i++)
      if (!small_used[i]) {
        small_used[i] = 1;
        frame = (struct frame *)small[i];
        want = 0;
      }
  if (!frame) {
    long at = syscall6(SYS_mmap, 0, (long)want, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096) return 0;
    frame = (struct frame *)at;
  }
  frame->next = 0;
  frame->room = want;
  frame->seen = 0;
  return frame;
}

static void release(struct frame *frame) {
  if (frame->room) syscall2(SYS_munmap, frame, frame->room);
  else small_used[((char *)frame - small[0]) / SMALL] = 0;
}

static size footprint(const struct frame *frame) { return frame->room ? (frame->room + 4095) & ~4095UL : SMALL; }

static void put(struct queue *queue, struct frame *frame) {
  if (queue->last) queue->last->next = frame;
  else queue->first = frame;
  queue->last = frame;
  queue->bytes += footprint(frame);
}

static void take_out(struct queue *queue, struct frame *frame) {
  struct frame *before = 0, *f = queue->first;
  while (f != frame) before = f, f = f->next;
  if (before) before->next = f->next;
  else queue->first = f->next;
  if (queue->last == f) queue->last = before;
  queue->bytes -= footprint(f);
}

static void clear(struct queue *queue) {
  while (queue->first) {
    struct frame *f = queue->first;
    take_out(queue, f);
    release(f);
  }
}

/* To the engine */

static void tell(struct frame *frame, unsigned short kind, unsigned connection, unsigned stream, size n) {
  frame->head = (struct keeper_message){(unsigned)n, kind, 0, connection, stream};
  put(&kept, frame);
  if (!unsent) {
    unsent = frame;
    sent_bytes = 0;
  }
}

static void note(unsigned short kind, unsigned connection, const void *data, size n) {
  struct frame *frame = allocate(n);
  if (!frame) return; /* exits are in their file too */
  copy(frame->data, data, n);
  tell(frame, kind, connection, 0, n);
}

static void forget_engine(void) {
  if (engine >= 0) syscall1(SYS_close, engine);
  engine = -1;
  welcome = 0;
  if (from_engine.frame) release(from_engine.frame);
  if (from_engine.fd >= 0) syscall1(SYS_close, from_engine.fd);
  memset(&from_engine, 0, sizeof from_engine);
  from_engine.fd = -1;
  /* what their engine had begun it will not end: a new one begins with what is on disk */
  for (int i = 0; i < worker_count; i++) syscall2(SYS_kill, workers[i], SIGKILL);
  for (struct frame *f = kept.first, *next; f; f = next) {
    next = f->next;
    if (f->head.kind == KEEPER_FRAME) continue;
    take_out(&kept, f); /* news; what is still of interest the new engine reads or asks */
    release(f);
  }
  unsent = 0;
  sent_bytes = 0;
}

static void send_unsent(void) {
  while (engine >= 0 && welcome && unsent) {
    struct frame *f = unsent;
    size whole = sizeof f->head + f->head.size;
    if (!sent_bytes && f->seen) f->head.flags |= KEEPER_REPLAYED;
    f->seen = 1;
    long n = syscall6(SYS_sendmsg, engine, (long)&(struct msghdr){0, 0,
        &(struct iovec){(char *)&f->head + sent_bytes, whole - sent_bytes}, 1, 0, 0, 0},
        MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0, 0);
    if (n == -EINTR) continue;
    if (n == -EAGAIN) return;
    if (n < 0) {
      forget_engine();
      return;
    }
    sent_bytes += (size)n;
    if (sent_bytes < whole) continue;
    unsent = f->next;
    sent_bytes = 0;
    if (f->head.kind == KEEPER_FRAME) continue;
    take_out(&kept, f);
    release(f);
  }
}

static struct connection *connection_of(unsigned number) {
  for (int i = 0; i < places; i++)
    if (connections[i].used && connections[i].number == number) return &connections[i];
  return 0;
}

static void done_with(unsigned connection, unsigned stream) {
  for (struct frame *f = kept.first; f; f = f->next) {
    if (f->head.kind != KEEPER_FRAME || f->head.connection != connection || f->head.stream != stream) continue;
    if (f == unsent && sent_bytes) continue; /* not that one: the engine has not got it yet */
    struct connection *c = connection_of(connection);
    if (f == unsent) unsent = f->next;
    take_out(&kept, f);
    release(f);
    if (c && c->unanswered) c->unanswered--;
    break;
  }
  if (connection == OUTGOING) out_released = stream;
}

/* Connections */

static void end_connection(struct connection *c) {
  unsigned number = c->number;
  syscall1(SYS_close, c->fd);
  if (c->in) release(c->in);
  clear(&c->out);
  c->used = 0;
  while (places && !connections[places - 1].used) places--;
  for (struct frame *f = kept.first, *next; f; f = next) {
    next = f->next;
    /* one half sent has to be sent on; an answer that came stays until it is released */
    if (f->head.connection != number || f->head.kind != KEEPER_FRAME || number == OUTGOING) continue;
    if (f == unsent && sent_bytes) continue;
    if (f == unsent) unsent = next;
    take_out(&kept, f);
    release(f);
  }
  note(KEEPER_CLOSED, number, "", 0);
}

static int has_room(void) {
  for (int i = 0; i < CONNECTIONS; i++)
    if (!connections[i].used) return 1;
  return 0;
}

static struct connection *add_connection(int fd, unsigned number) {
  for (int i = 0; i < CONNECTIONS; i++) {
    struct connection *c = &connections[i];
    if (c->used) continue;
    memset(c, 0, sizeof *c);
    c->used = TAKEN;
    if (i >= places) places = i + 1;
    c->fd = fd;
    c->number = number;
    return c;
  }
  syscall1(SYS_close, fd);
  return 0;
}

static void write_out(struct connection *c) {
  while (c->out.first) {
    struct frame *f = c->out.first;
    long n = syscall6(SYS_sendmsg, c->fd, (long)&(struct msghdr){0, 0,
        &(struct iovec){f->data + c->written, f->head.size - c->written}, 1, 0, 0, 0},
        MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0, 0);
    if (n == -EINTR) continue;
    if (n == -EAGAIN) return;
    if (n < 0) {
      end_connection(c);
      return;
    }
    c->written += (size)n;
    if (c->written < f->head.size) continue;
    c->written = 0;
    take_out(&c->out, f);
    release(f);
  }
}

static unsigned big_endian(const unsigned char *b) {
  return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

static long receive_some(int fd, void *to, size n) {
  long got;
  do got = syscall6(SYS_recvmsg, fd, (long)&(struct msghdr){0, 0, &(struct iovec){to, n}, 1, 0, 0, 0},
                    MSG_DONTWAIT, 0, 0, 0);
  while (got == -EINTR);
  return got;
}

/* The header is whole: makes room for the rest. 0 where there is no memory. */
static int begin_frame(struct connection *c) {
  unsigned n = big_endian(c->header);
  int oversized = n > TTRPC_LIMIT;
  size data = TTRPC_HEADER + (oversized ? 0 : n);
  if (!(c->in = allocate(data))) return 0;
  copy(c->in->data, c->header, TTRPC_HEADER);
  c->in->head.size = (unsigned)data;
  c->got = TTRPC_HEADER;
  c->skip = oversized ? n : 0;
  return 1;
}

static void end_frame(struct connection *c, int oversized) {
  struct frame *f = c->in;
  c->in = 0;
  c->header_got = 0;
  c->unanswered++;
  tell(f, KEEPER_FRAME, c->number, big_endian(c->header + 4), f->head.size);
  if (oversized) f->head.flags |= KEEPER_OVERSIZED;
}

static void read_in(struct connection *c) {
  static char waste[4096];
  int ended = 0;
  for (int turns = 0; turns < 32 && !ended; turns++) {
    long n;
    if (c->header_got < TTRPC_HEADER) {
      n = receive_some(c->fd, c->header + c->header_got, TTRPC_HEADER - c->header_got);
      if (n > 0 && (c->header_got += (unsigned)n) == TTRPC_HEADER && !begin_frame(c)) n = 0;
    } else if (c->skip) {
      n = receive_some(c->fd, waste, c->skip < sizeof waste ? c->skip : sizeof waste);
      if (n > 0 && !(c->skip -= (unsigned)n)) {
        end_frame(c, 1);
        continue;
      }
    } else {
      n = receive_some(c->fd, c->in->data + c->got, c->in->head.size - c->got);
      if (n > 0) c->got += (unsigned)n;
    }
    if (n == -EAGAIN) return;
    ended = n <= 0;
    if (!ended && c->in && !c->skip && c->got == c->in->head.size) end_frame(c, 0);
  }
  if (ended) end_connection(c);
}

/* Children */

/* Whether the child has run a program since it was forked: proc_pid_stat(5), the field flags. */
static unsigned has_executed(int pid) {
  char text[512], path[32], digits[12], *d = digits + sizeof digits - 1, *end = path + sizeof path;
  unsigned n = (unsigned)pid;
  *d = 0;
  do *--d = (char)('0' + n % 10); while (n /= 10);
  append(append(append(path, end, "/proc/"), end, d), end, "/stat");
  int fd = (int)syscall3(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  long got = syscall3(SYS_read, fd, text, sizeof text - 1);
  syscall1(SYS_close, fd);
  if (got <= 0) return 0;
  while (got > 0 && text[got - 1] != ')') got--;
  text[sizeof text - 1] = 0;
  unsigned long flags = 0;
  char *p = text + got;
  for (int spaces = 0; *p && spaces < 7; p++) spaces += *p == ' ';
  while (*p >= '0' && *p <= '9') flags = flags * 10 + (unsigned long)(*p++ - '0');
  return !(flags & PF_FORKNOEXEC);
}

static int was_worker(int pid) {
  for (int i = 0; i < worker_count; i++)
    if (workers[i] == pid) {
      workers[i] = workers[--worker_count];
      return 1;
    }
  return 0;
}

/* As wait4 gives it. */
static int wait_status(const struct ended *ended) {
  return ended->code == CLD_EXITED ? (ended->status & 0xff) << 8 : ended->status | (ended->code == CLD_DUMPED ? 0x80 : 0);
}

/* The whole of it or nothing: half a record would shift those behind it. */
static int write_exit(const struct keeper_exit *e) {
  long n = syscall3(SYS_write, exits, e, sizeof *e);
  if (n == (long)sizeof *e) {
    exits_bytes += sizeof *e;
    return 1;
  }
  if (n > 0) syscall2(SYS_ftruncate, exits, exits_bytes);
  return 0;
}

/* An exit is written down before its process is reaped: where that fails, the kernel keeps it. */
static void reap(void) {
  cannot_reap = 0;
  for (;;) {
    struct ended ended;
    struct timespec now = {0, 0};
    struct keeper_exit e;
    memset(&ended, 0, sizeof ended);
    memset(&e, 0, sizeof e);
    if (syscall5(SYS_waitid, 0, 0, &ended, WNOHANG | WEXITED | WNOWAIT, 0) < 0 || !ended.pid) return;
    int news = !was_worker(ended.pid);
    if (news) {
      syscall2(SYS_clock_gettime, 0, &now);
      e.executed = has_executed(ended.pid);
      e.sequence = exit_sequence + 1;
      e.pid = ended.pid;
      e.status = wait_status(&ended);
      e.seconds = now.seconds;
      e.nanoseconds = (unsigned)now.nanoseconds;
      if (!write_exit(&e)) {
        cannot_reap = 1;
        return;
      }
      exit_sequence++;
    }
    syscall4(SYS_wait4, ended.pid, 0, WNOHANG, 0);
    if (news) note(KEEPER_EXITED, 0, &e, sizeof e);
  }
}

static void fork_worker(int socket, unsigned how) {
  int sees_all = how & KEEPER_SEES_PLACES;
  static struct session session;
  if (worker_count == WORKERS) { /* the engine finds it closed */
    syscall1(SYS_close, socket);
    return;
  }
  long child = split();
  if (child == 0) {
    session.socket = socket;
    /* out of the way of the numbers that a program may want, and of the placed ones */
    int own = WORKER_SOCKET + 1;
    syscall3(SYS_dup3, socket, own, O_CLOEXEC);
    syscall3(SYS_close_range, 3, own - 1, 0);
    syscall3(SYS_close_range, own + 1, sees_all ? KEEPER_FIRST_PLACE - 1 : ~0U, 0);
    session.socket = own;
    /* what it runs has the limit that the shim was given */
    syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, &given_files, 0);
    session.listener = -1;
    session.status = -1;
    session.is_child = 1;
    serve(&session);
    quit(1);
  }
  syscall1(SYS_close, socket);
  if (child > 0 && !(how & KEEPER_STAYS)) workers[worker_count++] = (int)child;
}

/* From the engine */

static void answer_to(unsigned number, struct frame *frame) {
  struct connection *c = connection_of(number);
  if (!c) {
    release(frame);
    return;
  }
  put(&c->out, frame);
  write_out(c);
}

static void stop_listening(void) {
  if (listener < 0) return;
  syscall3(SYS_unlinkat, AT_FDCWD, socket_name, 0);
  syscall1(SYS_close, listener);
  listener = -1;
}

/* Opened here and not handed over, so that there is no moment at which it would go with an engine. */
static void open_for_engine(const struct keeper_message *m, const struct frame *path, int placeable) {
  struct frame *reply = allocate(0);
  long fd = -EINVAL;
  if (placeable && path && m->size && !path->data[m->size - 1])
    fd = syscall3(SYS_openat, AT_FDCWD, path->data, m->connection | O_NONBLOCK | O_CLOEXEC);
  if (fd >= 0) {
    long error = syscall3(SYS_dup3, fd, m->stream, O_CLOEXEC);
    syscall1(SYS_close, fd);
    fd = error < 0 ? error : 0;
  }
  if (reply) tell(reply, KEEPER_OPENED, (unsigned)-fd, m->stream, 0);
}

static void obey(struct keeper_message *m, struct frame *data, int fd) {
  unsigned place = m->stream;
  int placeable = place >= KEEPER_FIRST_PLACE && place < KEEPER_FIRST_PLACE + KEEPER_PLACES;
  switch (m->kind) {
    case KEEPER_ANSWER: done_with(m->connection, m->stream); /* fall through */
    case KEEPER_SEND:
      if (m->connection == OUTGOING && m->kind == KEEPER_SEND) out_sent = m->stream;
      if (data) answer_to(m->connection, data);
      data = 0;
      break;
    case KEEPER_RELEASE: done_with(m->connection, m->stream); break;
    case KEEPER_FORK:
      if (fd >= 0) fork_worker(fd, m->stream);
      fd = -1;
      break;
    case KEEPER_PLACE:
      if (place >= FIRST_HOME && place < FIRST_HOME + KEEPER_HOMES) placeable = syscall3(SYS_fcntl, place, F_GETFD, 0) < 0;
      if (fd >= 0 && placeable) syscall3(SYS_dup3, fd, place, O_CLOEXEC);
      break;
    case KEEPER_OPEN: open_for_engine(m, data, placeable); break;
    case KEEPER_DROP:
      if (placeable) syscall1(SYS_close, place);
      break;
    case KEEPER_OUTGOING:
      if (connection_of(OUTGOING)) end_connection(connection_of(OUTGOING));
      if (fd >= 0) add_connection(fd, OUTGOING);
      fd = -1;
      break;
    case KEEPER_TRIM:
      if (data && m->size == 8 && *(unsigned long *)data->data == exit_sequence && syscall2(SYS_ftruncate, exits, 0) == 0)
        exits_bytes = 0;
      break;
    case KEEPER_QUIT:
      stop_listening();
      leaving = 1;
      break;
  }
  if (fd >= 0) syscall1(SYS_close, fd);
  if (data) release(data);
}

static void attach(void) {
  struct { struct keeper_state state; char path[PATH_LENGTH / 4]; } a;
  struct statx s;
  memset(&s, 0, sizeof s);
  memset(&a, 0, sizeof a);
  syscall5(SYS_statx, AT_FDCWD, "/proc/self/exe", 0, STATX_BASIC_STATS, &s);
  a.state.pid = (int)syscall0(SYS_getpid);
  a.state.sent = out_sent;
  a.state.released = out_released;
  a.state.outgoing = connection_of(OUTGOING) != 0;
  for (struct frame *f = kept.first; f; f = f->next)
    if (f->head.kind == KEEPER_FRAME) a.state.outgoing |= f->head.connection == OUTGOING ? 2 : 4;
  a.state.sequence = exit_sequence;
  a.state.exe_inode = s.ino;
  a.state.exe_size = s.size;
  a.state.exe_seconds = (unsigned long)s.mtime.seconds;
  char *end = append(a.path, a.path + sizeof a.path, socket_name);
  struct frame *frame = allocate((size)(end - (char *)&a));
  if (!frame) {
    forget_engine();
    return;
  }
  size n = (size)(end - (char *)&a);
  copy(frame->data, &a, n);
  frame->head = (struct keeper_message){(unsigned)n, KEEPER_ATTACH, 0, 0, 0};
  frame->next = kept.first;
  if (!kept.last) kept.last = frame;
  kept.first = frame;
  kept.bytes += footprint(frame);
  unsent = frame;
  sent_bytes = 0;
  welcome = 1;
  tries = 0;
}

/* One message of the engine's; 0 when there is nothing more for now. */
static int read_engine(void) {
  struct { struct cmsghdr header; int fd, pad; } control;
  struct keeper_message *head = &from_engine.head;
  size whole = from_engine.got < sizeof *head ? sizeof *head : sizeof *head + head->size;
  char *to = from_engine.got < sizeof *head ? (char *)head + from_engine.got
                                            : from_engine.frame->data + (from_engine.got - sizeof *head);
  struct iovec iov = {to, whole - from_engine.got};
  struct msghdr message = {0, 0, &iov, 1, &control, sizeof control, 0};
  long n = syscall3(SYS_recvmsg, engine, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n == -EINTR) return 1;
  if (n == -EAGAIN) return 0;
  if (n <= 0) {
    forget_engine();
    return 0;
  }
  if (message.control_length >= sizeof control.header + sizeof(int) && control.header.type == SCM_RIGHTS) {
    if (from_engine.fd >= 0) syscall1(SYS_close, from_engine.fd);
    from_engine.fd = control.fd;
  }
  from_engine.got += (size)n;
  if (from_engine.got < sizeof *head) return 1;
  if (from_engine.got == sizeof *head && head->size) {
    if (head->size > TTRPC_HEADER + TTRPC_LIMIT || !(from_engine.frame = allocate(head->size))) {
      forget_engine();
      return 0;
    }
    from_engine.frame->head = *head;
  }
  if (from_engine.got < sizeof *head + head->size) return 1;
  struct keeper_message m = *head;
  struct frame *data = from_engine.frame;
  int fd = from_engine.fd;
  memset(&from_engine, 0, sizeof from_engine);
  from_engine.fd = -1;
  if (m.kind == KEEPER_WELCOME && m.stream == KEEPER_VERSION && !welcome) attach();
  else obey(&m, data, fd);
  return 1;
}

/* An engine serves others too: it is not to end with this pod's cgroup, nor to be counted there. */
static void go_home(void) {
  for (int i = 0; i < KEEPER_HOMES; i++) syscall3(SYS_write, FIRST_HOME + i, "0", 1);
}

/* Finding an engine: a child does it, since that may take long, fail, or start one. */

static void begin_to_connect(char **env, const struct greeting *greeting) {
  int pair[2];
  if (syscall4(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return;
  long child = split();
  if (child == 0) {
    prefer_installed();
    go_home();
    int found = engine_connect(env, 0);
    if (!greet(found, greeting)) quit(1);
    struct { struct cmsghdr header; int fd, pad; } control = {{sizeof(struct cmsghdr) + sizeof(int), SOL_SOCKET, SCM_RIGHTS}, found, 0};
    struct iovec iov = {"", 1};
    struct msghdr message = {0, 0, &iov, 1, &control, sizeof control, 0};
    send_all(pair[1], &message);
    quit(0);
  }
  syscall1(SYS_close, pair[1]);
  connector = pair[0];
  if (child < 0) {
    syscall1(SYS_close, connector);
    connector = -1;
  } else if (worker_count < WORKERS) {
    workers[worker_count++] = (int)child; /* its end is nobody's news */
  }
}

static void end_to_connect(void) {
  struct { struct cmsghdr header; int fd, pad; } control;
  char byte;
  struct iovec iov = {&byte, 1};
  struct msghdr message = {0, 0, &iov, 1, &control, sizeof control, 0};
  long n = syscall3(SYS_recvmsg, connector, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n == -EAGAIN || n == -EINTR) return;
  syscall1(SYS_close, connector);
  connector = -1;
  if (n == 1 && message.control_length >= sizeof control.header + sizeof(int)) engine = control.fd;
}

static void allow_many_files(void) {
  struct rlimit files;
  if (syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &given_files) < 0) return;
  files = given_files;
  if (files.soft < MOST_FILES && files.hard >= MOST_FILES) {
    files.soft = MOST_FILES;
    syscall4(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, 0);
  }
}

static int is_flushed(void) {
  for (int i = 0; i < places; i++)
    if (connections[i].used && connections[i].number != OUTGOING && connections[i].out.first) return 0;
  return 1;
}

_Noreturn void keep(int listens, const char *socket_path, int exits_file, char **env, const struct greeting *greeting) {
  static struct pollfd fds[CONNECTIONS + 3];
  static struct connection *polled[CONNECTIONS];
  unsigned long all = ~0UL;
  listener = listens;
  exits = exits_file;
  socket_name = socket_path;
  engine = connector = from_engine.fd = -1;
  next_number = OUTGOING + 1;
  allow_many_files();
  syscall5(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  syscall5(SYS_prctl, PR_SET_NAME, "jrun-keeper", 0, 0, 0);
  syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  int signals = (int)syscall4(SYS_signalfd4, -1, &all, 8, O_CLOEXEC | O_NONBLOCK);
  for (;;) {
    int n = 3;
    struct timespec pause;
    if (leaving && is_flushed()) quit(0);
    send_unsent(); /* first, as it may find that the engine is gone */
    /* workers of the engine before are gone, so that nobody acts for it any more */
    if (engine < 0 && connector < 0 && !worker_count && !leaving) {
      long millis = tries < 2 ? 0 : tries < 9 ? (long)FIRST_PAUSE << (tries - 2) : LAST_PAUSE;
      if (millis) {
        pause = (struct timespec){millis / 1000, millis % 1000 * 1000000};
        syscall5(SYS_ppoll, 0, 0, &pause, 0, 8);
      }
      tries++;
      begin_to_connect(env, greeting);
    }
    /* where not even that could begin, nothing else would wake it */
    int looks_again = (engine < 0 && connector < 0 && !worker_count && !leaving) || cannot_accept || cannot_reap;
    pause = (struct timespec){LAST_PAUSE / 1000, LAST_PAUSE % 1000 * 1000000};
    fds[0] = (struct pollfd){signals, POLLIN, 0};
    /* whoever cannot be taken waits in the backlog: closed, containerd would take this pod for dead */
    fds[1] = (struct pollfd){kept.bytes < MOST_BYTES && !cannot_accept && has_room() ? listener : -1, POLLIN, 0};
    fds[2] = (struct pollfd){engine >= 0 ? engine : connector, (short)(POLLIN | (engine >= 0 && welcome && unsent ? POLLOUT : 0)), 0};
    for (int i = 0; i < places; i++) {
      struct connection *c = &connections[i];
      if (!c->used) continue;
      int hears = c->out.bytes < MANY_BYTES && c->unanswered < MANY_REQUESTS && kept.bytes < MOST_BYTES;
      polled[n - 3] = c;
      fds[n++] = (struct pollfd){c->fd, (short)((hears ? POLLIN : 0) | (c->out.first ? POLLOUT : 0)), 0};
    }
    cannot_accept = 0;
    if (syscall5(SYS_ppoll, fds, n, looks_again ? &pause : 0, 0, 8) < 0) continue;
    for (int i = 3; i < n; i++) {
      struct connection *c = polled[i - 3];
      if (fds[i].revents & POLLOUT) write_out(c);
      if (c->used && fds[i].revents & (POLLIN | POLLHUP | POLLERR)) read_in(c);
    }
    if (fds[0].revents || cannot_reap) {
      char info[128];
      while (syscall3(SYS_read, signals, info, sizeof info) > 0) {}
      reap();
    }
    if (fds[1].revents) {
      int fd = (int)syscall4(SYS_accept4, listener, 0, 0, SOCK_CLOEXEC);
      if (fd >= 0 && add_connection(fd, next_number)) next_number++;
      cannot_accept = fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM;
    }
    if (fds[2].revents) {
      if (engine < 0) end_to_connect();
      else
        for (int i = 0; i < WRITES_PER_TURN && engine >= 0 && read_engine(); i++) {}
    }
  }
}
