/* Watches a container in the foreground: forwards signals, relays its terminal, waits for its end. */
#include "helper.h"

/* What a terminal takes for the end of input, or of a line that is not complete. */
enum { END_OF_INPUT = 4 };

struct pipe {
  int from, to;
  int open;      /* may still be read */
  int typed;     /* what is written is a terminal's input */
  int in_line;   /* the last of it was no end of a line */
  size start, end;
  char buffer[4096];
};

static void want(struct pipe *pipe, struct pollfd *in, struct pollfd *out) {
  in->fd = pipe->open && pipe->start == pipe->end ? pipe->from : -1;
  in->events = POLLIN;
  out->fd = pipe->start < pipe->end ? pipe->to : -1;
  out->events = POLLOUT;
}

static int fill(struct pipe *pipe) {
  long n = syscall3(SYS_read, pipe->from, pipe->buffer, sizeof pipe->buffer);
  if (n == -EAGAIN || n == -EINTR) return 0;
  pipe->start = 0;
  pipe->end = n > 0 ? (size)n : 0;
  pipe->open = n > 0;
  if (n > 0) {
    pipe->in_line = pipe->buffer[n - 1] != '\n';
  } else if (pipe->typed && n == 0) {
    if (pipe->in_line) pipe->buffer[pipe->end++] = END_OF_INPUT;
    pipe->buffer[pipe->end++] = END_OF_INPUT;
  }
  return n > 0;
}

static void drain(struct pipe *pipe) {
  long n = syscall3(SYS_write, pipe->to, pipe->buffer + pipe->start, pipe->end - pipe->start);
  if (n == -EAGAIN || n == -EINTR) return;
  if (n < 0) {
    pipe->start = pipe->end;
    return;
  }
  pipe->start += (size)n;
}

static void move(struct pipe *pipe, const struct pollfd *in, const struct pollfd *out) {
  if (out->fd >= 0 && out->revents) drain(pipe);
  if (in->fd >= 0 && in->revents) fill(pipe);
}

static void resize(int master) {
  unsigned short size[4];
  if (syscall3(SYS_ioctl, 0, TIOCGWINSZ, size) == 0) syscall3(SYS_ioctl, master, TIOCSWINSZ, size);
}

/* Reaps every child that ended; 1 when the watched one is among them. */
static int reap(int pid, int *status) {
  int ended = 0, any;
  long child;
  while ((child = syscall4(SYS_wait4, -1, &any, WNOHANG, 0)) > 0)
    if (child == pid) {
      *status = any;
      ended = 1;
    }
  return ended;
}

/* The wait status of the container's init. */
long monitor(struct session *session, const struct monitor *arguments) {
  struct monitor m = *arguments;
  struct pipe input = {.from = 0, .to = m.master, .open = m.master >= 0, .typed = 1};
  struct pipe output = {.from = m.master, .to = 1, .open = m.master >= 0};
  unsigned long all = ~0UL;
  int status = 0, ended;

  syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  int signals = (int)syscall4(SYS_signalfd4, -1, &all, 8, O_CLOEXEC | O_NONBLOCK);
  if (signals < 0) return signals;
  if (m.master >= 0) {
    syscall3(SYS_fcntl, m.master, F_SETFL, O_RDWR | O_NONBLOCK);
    resize(m.master);
  }
  syscall3(SYS_madvise, ARENA_BASE + 0x1000, ARENA_SIZE - 0x1000, MADV_DONTNEED);

  ended = reap(m.pid, &status);
  while (!ended) {
    struct pollfd fds[5] = {{signals, POLLIN, 0}};
    want(&input, &fds[1], &fds[2]);
    want(&output, &fds[3], &fds[4]);
    if (syscall5(SYS_ppoll, fds, 5, 0, 0, 8) < 0) continue;
    move(&input, &fds[1], &fds[2]);
    move(&output, &fds[3], &fds[4]);
    if (fds[0].revents) {
      unsigned info[32];
      while (syscall3(SYS_read, signals, info, sizeof info) == sizeof info) {
        if (info[0] == SIGCHLD) ended = reap(m.pid, &status);
        else if (info[0] == SIGWINCH && m.master >= 0) resize(m.master);
        else if (info[0] != SIGPIPE && info[0] != SIGURG) syscall2(SYS_kill, m.pid, info[0]);
        if (ended) break;
      }
    }
  }
  while (output.start < output.end || (output.open && fill(&output))) {
    struct pollfd out = {output.to, POLLOUT, 0}; /* the caller's output may be nonblocking, and full */
    syscall5(SYS_ppoll, &out, 1, 0, 0, 8);
    drain(&output);
  }
  if (m.raw) syscall3(SYS_ioctl, 0, TCSETS, m.termios);
  syscall1(SYS_close, signals);
  session->fallback_status = status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
  session->ended = 1;
  return status;
}

/* Copies between a terminal and descriptors 0 and 1 until nobody has the terminal open. */
_Noreturn void relay(int master) {
  struct pipe input = {.from = 0, .to = master, .open = 1, .typed = 1};
  struct pipe output = {.from = master, .to = 1, .open = 1};
  unsigned long all = ~0UL;
  syscall4(SYS_rt_sigprocmask, SIG_BLOCK, &all, 0, 8);
  syscall3(SYS_fcntl, master, F_SETFL, O_RDWR | O_NONBLOCK);
  syscall3(SYS_madvise, ARENA_BASE, ARENA_SIZE, MADV_DONTNEED);
  while (output.open || output.start < output.end) {
    struct pollfd fds[4];
    want(&input, &fds[0], &fds[1]);
    want(&output, &fds[2], &fds[3]);
    if (syscall5(SYS_ppoll, fds, 4, 0, 0, 8) < 0) continue;
    move(&input, &fds[0], &fds[1]);
    move(&output, &fds[2], &fds[3]);
  }
  quit(0);
}
