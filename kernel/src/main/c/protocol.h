/* The wire protocol between the engine and a helper: the one source of its layouts and numbers.
 *
 *   client                         engine
 *     | hello, argv, env  ----------> |
 *     | <---------- batch [+ fds]     |   "perform these calls"
 *     | reply [+ fds]  -------------> |
 *     |             ...               |
 *     | <---- batch{exit_group}       |
 *
 * Both ends are on one machine, so integers are in its byte order. The Java side
 * (io.jrun.kernel.wire.Protocol) is compared with this file by a test of the build.
 */
#ifndef JRUN_PROTOCOL_H
#define JRUN_PROTOCOL_H

#define PROTOCOL_MAGIC 0x6e75726aL
#define PROTOCOL_VERSION 1

/* Where each batch lands; pointers in it are absolute, so the helper translates nothing. */
#define ARENA_BASE 0x2000000000L
#define ARENA_SIZE 0x2000000L

/* How an argument is to be read: two bits each in call.kinds, the first argument lowest. */
#define KIND_VALUE 0
#define KIND_RESULT 1 /* the result of the call with that index */
#define KIND_PASSED 2 /* the n-th descriptor that came with the batch */

#define CALL_RETURNS_DESCRIPTOR 1 /* the result is sent back with the reply */

#define TOLERATE_ANY 0xffff
#define RESULT_SKIPPED -125 /* ECANCELED: it uses the result of a call that failed as expected,
                             * or its guard says so */

/* A batch that was sent before the last one was answered: it is skipped, with an answer of no
 * results, when one before it did not run to its end. */
#define BATCH_CHAINED 1

#define MAX_CALLS 32768
#define MAX_PASSED 64

/* Pseudo calls: what no single syscall does. */
#define CALL_LISTEN 0xff01        /* (listener): from now on serve whoever connects to it */
#define CALL_MONITOR 0xff02       /* (struct monitor *): watch a container in the foreground */
#define CALL_RESET_SIGNALS 0xff03 /* (): default dispositions, nothing blocked */
#define CALL_ON_EOF 0xff04        /* (strings, size, count, status): what to run when the engine dies */
#define CALL_PAUSE 0xff05         /* (): after the answer, hold the namespaces until told to end */
#define CALL_RELAY 0xff06         /* (master): after the answer, copy between a terminal and 0 and 1 */
#define CALL_CLOSE_FROM 0xff07    /* (first): close it and all above, apart from the socket of this session */

struct hello {
  unsigned magic;
  unsigned version;
  unsigned size; /* of the strings that follow: argv, then env, each ended by NUL */
  unsigned argc;
  unsigned envc;
  unsigned reserved;
};

struct batch {
  unsigned size;     /* of the whole message: this header, the calls, their data */
  unsigned calls;
  unsigned out_size; /* bytes to send back from the first multiple of 16 behind the message */
  unsigned flags;
};

struct call {
  unsigned short number;
  unsigned short kinds;
  unsigned short flags;
  unsigned short tolerated[3]; /* errnos that do not stop the batch */
  unsigned short guard;        /* not 0: only where the call with the index guard - 1 failed with */
  unsigned short guard_errno;  /* this errno, or, if it is 0, did not fail; otherwise it is skipped */
  unsigned long args[6];
};

struct reply {
  unsigned size;  /* of the whole message: this header, done results of 8 bytes, the output */
  unsigned done;  /* calls performed; fewer than asked when the last of them failed */
};

struct monitor {
  int pid;    /* of the child to watch */
  int master; /* of its terminal, or -1 */
  int raw;    /* nonzero: restore termios on descriptor 0 at the end */
  int reserved;
  unsigned char termios[64];
};

/* The keeper of a pod and the engine: after the keeper's hello and the engine's KEEPER_WELCOME each side
 * sends messages, this header and then its bytes; descriptors come with the first of them.
 *
 *   containerd            keeper                         engine
 *     | ttrpc frame ------> |  KEEPER_FRAME ------------->  |
 *     | <------ ttrpc frame |  <------------ KEEPER_ANSWER  |   the request is not kept any more
 *     |                     |  KEEPER_EXITED ------------>  |   a child was reaped
 *     |                     |  <-------------- KEEPER_FORK  |   a worker, which serves batches
 *
 * A frame is kept until it is answered; a new engine gets all that are kept, those that an engine
 * before may have seen with KEEPER_REPLAYED. */
#define KEEPER_VERSION 1
#define KEEPER_WELCOME 1  /* engine: stream is its version; only now does the keeper send */
#define KEEPER_ATTACH 2   /* keeper: struct keeper_state, then the path of its socket */
#define KEEPER_FRAME 3    /* keeper: a ttrpc frame with its header; of an oversized one the header alone */
#define KEEPER_CLOSED 4   /* keeper: the connection has ended */
#define KEEPER_EXITED 5   /* keeper: struct keeper_exit */
#define KEEPER_ANSWER 6   /* engine: a frame for the connection, in place of the kept one of that stream */
#define KEEPER_SEND 7     /* engine: a frame for the connection */
#define KEEPER_RELEASE 8  /* engine: the kept frame of that stream is done with */
#define KEEPER_FORK 9     /* engine: a worker serves the descriptor; how is in stream */
#define KEEPER_PLACE 10   /* engine: keep the descriptor under the number in stream */
#define KEEPER_DROP 11    /* engine: close the descriptor of the number in stream */
#define KEEPER_OUTGOING 12 /* engine: the descriptor is connection 0 from now on */
#define KEEPER_TRIM 13    /* engine: exits up to the sequence number are written down elsewhere */
#define KEEPER_OPEN 15    /* engine: open the path, ended by NUL, with the flags in connection, as the number in stream */
#define KEEPER_OPENED 16  /* keeper: the number in stream, the errno in connection */
#define KEEPER_QUIT 14    /* engine: nobody listens any more; end when everything is sent */

/* How a worker is forked. One that does not stay ends with the engine that asked for it, and its exit is
 * told to nobody. */
#define KEEPER_SEES_PLACES 1
#define KEEPER_STAYS 2

#define KEEPER_REPLAYED 1
#define KEEPER_OVERSIZED 2

/* A worker of a keeper whose program is not the installed one any more runs that, under this name, and
 * serves this descriptor. */
#define WORKER_NAME "jrun-worker"
#define WORKER_SOCKET 240

#define TTRPC_HEADER 10
#define TTRPC_LIMIT 0x400000
#define KEEPER_FIRST_PLACE 512
#define KEEPER_PLACES 1024
/* Behind them, the cgroup.procs of the cgroups that the keeper was in before it joined another, which an
 * engine that it starts is to be in. The first that are given stay. */
#define KEEPER_HOMES 16

struct keeper_message {
  unsigned size; /* of the bytes that follow */
  unsigned short kind;
  unsigned short flags;
  unsigned connection;
  unsigned stream;
};

struct keeper_exit {
  unsigned long sequence; /* from 1 on */
  int pid;
  int status;             /* as wait4(2) tells it */
  long seconds;
  unsigned nanoseconds;
  unsigned executed;      /* whether it had run a program since its fork */
};

struct keeper_state {
  int pid;
  unsigned sent;          /* the last stream that was sent on the outgoing connection */
  unsigned released;      /* the last stream of it that was released */
  unsigned outgoing;      /* 1: that connection is open, 2: an answer from it is kept, 4: a request of a client is */
  unsigned long sequence; /* of the last exit */
  unsigned long exe_inode, exe_size, exe_seconds;
};

_Static_assert(sizeof(struct hello) == 24, "hello");
_Static_assert(sizeof(struct keeper_message) == 16, "keeper_message");
_Static_assert(sizeof(struct keeper_exit) == 32, "keeper_exit");
_Static_assert(sizeof(struct keeper_state) == 48, "keeper_state");
_Static_assert(sizeof(struct batch) == 16, "batch");
_Static_assert(sizeof(struct call) == 64, "call");
_Static_assert(sizeof(struct reply) == 8, "reply");
_Static_assert(sizeof(struct monitor) == 80, "monitor");

#endif
