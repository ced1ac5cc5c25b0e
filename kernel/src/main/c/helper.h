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
  int relays;           /* not 0: the master of the terminal that it copies when it has left */
  int broken;           /* the last batch did not run to its end */
  int status;           /* >= 0: what exit_group says instead of its argument */
  int fallback_status;  /* the status when the fallback has run */
  unsigned fallback_count, fallback_size;
  char fallback[PATH_LENGTH * 2];
};
void serve(struct session *session); /* returns at end of file */
int send_all(int socket, struct msghdr *message);

/* pause.c: the pause process of a sandbox */
long begin_pause(void);
_Noreturn void pause_until_told(void);

/* monitor.c: a container in the foreground, and the terminal of one in the background */
_Noreturn void relay(int master);
long monitor(struct session *session, const struct monitor *arguments);

/* engine.c: finding or starting the engine */
int engine_connect(char **env, int again);
void prefer_installed(void); /* the engine of the program that is installed now, not of this one */
const char *variable(char **env, const char *name);
long split(void); /* forks */
long split_or_quit(void);

/* sha256.c */
void sha256_hex(const char *text, size n, char hex[65]);

/* annotation.c: of a config.json */
int annotation(const char *json, size n, const char *name, char *value, size room);

/* shim.c: containerd's shim; returns where the command is the engine's to answer */
struct greeting { unsigned argc, envc; const char *strings; size size; };
void shim(char **argv, char **env, const struct greeting *greeting);

/* keeper.c: what a pod has of the shim while engines come and go */
_Noreturn void keep(int listener, const char *socket_path, int exits, char **env, const struct greeting *greeting);
int greet(int socket, const struct greeting *greeting);

#endif
