/* The parts of the helper and what each offers the others. */
#ifndef JRUN_HELPER_H
#define JRUN_HELPER_H

#include "arch.h"
#include "kernel.h"
#include "protocol.h"

/* text.c */
size length(const char *s);
int same(const char *a, const char *b);
void copy(void *to, const void *from, size n);
void *memset(void *to, int value, size n);
char *append(char *to, char *end, const char *s);
void complain(const char *what, const char *detail, long error);
_Noreturn void quit(int status);

/* serve.c: the syscall proxy */
struct session {
  int socket;           /* the engine's end of it directs this process */
  int listener;         /* >= 0: a created container's init, which waits to be started */
  int leaves;           /* after this answer it leaves the engine for the listener */
  int is_child;         /* born of a clone: it ends with its socket, without a word */
  int ended;            /* the monitored process has ended: fallback_status is its status */
  int began;            /* a batch has arrived */
  int pauses;           /* when it has left the engine it is a pause process */
  int broken;           /* the last batch did not run to its end */
  int status;           /* >= 0: what exit_group says instead of its argument */
  int fallback_status;  /* the status when the fallback has run */
  unsigned fallback_count, fallback_size;
  char fallback[PATH_LENGTH * 2];
};
void serve(struct session *session); /* returns at end of file */
int send_all(int socket, struct msghdr *message);

/* pause.c: the pause process of a sandbox */
_Noreturn void pause_until_told(void);

/* monitor.c: a container in the foreground */
long monitor(struct session *session, const struct monitor *arguments);

/* engine.c: finding or starting the engine */
int engine_connect(char **env, int again);
const char *variable(char **env, const char *name);

#endif
