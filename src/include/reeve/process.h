/*
 * Child processes. (asyncio: subprocess.)
 *
 * A child is watched by a pidfd: its end is seen when it ends, not when its pipes do, and
 * nobody else's children are touched. It starts with every signal at its default and none
 * blocked, and with no descriptors of ours but those it is given.
 */
#ifndef REEVE_PROCESS_H
#define REEVE_PROCESS_H

#include "reeve/stream.h"
#include "reeve/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_process rv_process;

enum rv_stdio_kind {
	RV_STDIO_INHERIT, /* as ours */
	RV_STDIO_NULL,    /* /dev/null */
	RV_STDIO_PIPE,    /* a stream: rv_process_stdin and so on */
	RV_STDIO_FD,      /* a descriptor, which stays ours */
	RV_STDIO_STDOUT,  /* for stderr: the same as stdout */
};

typedef struct rv_stdio {
	enum rv_stdio_kind kind;
	int fd; /* for RV_STDIO_FD */
} rv_stdio;

enum {
	RV_PROC_NEW_GROUP =
		1, /* of its own: signals of rv_process_stop reach all in it */
	RV_PROC_NEW_SESSION = 2, /* likewise, and without a terminal */
};

typedef struct rv_proc_opts {
	rv_stdio in, out, err;
	const char *cwd;     /* NULL: ours */
	char *const *env;    /* NULL: ours; "NAME=value" */
	const int *pass_fds; /* kept open in the child, under the same numbers, >= 3 */
	size_t n_pass_fds;
	unsigned flags; /* RV_PROC_* */
} rv_proc_opts;

/**
 * Start a program.
 *
 * @argv  NULL-terminated; argv[0] is looked for in PATH unless it has a slash
 * @o     NULL: everything inherited
 * @ret   one reference
 *
 * Suspends nothing; the calling thread is held up until the child has begun the program,
 * which a working directory on a dead file system can make long.
 *
 * Returns 0; -ENOENT, -EACCES, -E2BIG ...: why it could not be started, and nothing of it
 * is left; -EINVAL; -RV_ENOTASK: no loop runs here; -EMFILE, -ENOMEM.
 */
RV_PUBLIC int rv_exec(char *const argv[], const rv_proc_opts *o, rv_process **ret);
/** Start /bin/sh -c cmd. */
RV_PUBLIC int rv_shell(const char *cmd, const rv_proc_opts *o, rv_process **ret);
/**
 * Start a program whose output and end are told to a protocol by callbacks, as rv_exec in
 * everything else. (asyncio: subprocess_exec, SubprocessProtocol.)
 *
 * @proto  the loop calls pipe_data_received for what comes from stdout and stderr,
 *         pipe_connection_lost once for each of the three that is RV_STDIO_PIPE,
 *         process_exited when the child has ended, in any order; pause_writing and
 *         resume_writing for stdin; when all this is over connection_lost(0), and destroy.
 *         If the loop is closed before, there is no process_exited for a child that ran,
 *         and connection_lost gets -RV_ELOOPCLOSED. The rest is never called
 * @ret    one reference; the last one that goes kills a child that runs, and closes the
 *         pipes: the protocol is told all the same
 *
 * The child has no streams; rv_process_pipe is what to write to. Returns what rv_exec does;
 * then proto is still yours and nothing of it was called.
 */
RV_PUBLIC int rv_exec_protocol(char *const argv[], const rv_proc_opts *o,
	rv_protocol *proto, rv_process **ret);
/** The transport of fd, 0 to 2, of a child of rv_exec_protocol: to write to, to pause, to
 * close. Borrowed until its pipe_connection_lost has returned; NULL after that, and where
 * there is no pipe. */
RV_PUBLIC rv_transport *rv_process_pipe(const rv_process *p, int fd);
RV_PUBLIC rv_process *rv_process_ref(rv_process *p);
/** NULL is fine. The last one of a child that runs kills it, and the loop reaps it. Its
 * streams are closed; who has references to them keeps them. */
RV_PUBLIC void rv_process_unref(rv_process *p);

RV_PUBLIC pid_t rv_process_pid(const rv_process *p);
RV_PUBLIC bool rv_process_exited(const rv_process *p);
/** 0 to 255: exit code; negative: minus the signal that ended it; -RV_ESTATE: it runs. */
RV_PUBLIC int rv_process_status(const rv_process *p);
/**
 * Wait until the child has ended, whatever its pipes and its own children do.
 *
 * @status  as rv_process_status; 255, which is reported, if somebody else reaped it; may
 *          be NULL
 *
 * Returns 0; -ECANCELED: it goes on.
 */
RV_AWAIT int rv_process_wait(rv_process *p, int *status);
/**
 * Send in to its stdin and close that, read its stdout and stderr to their ends, and wait
 * for its end. What cannot be sent because it does not read is dropped.
 *
 * @out, @err  what came, added to what is there; rv_buf_free; NULL: read and dropped
 * @status     as above
 *
 * Streams that are not RV_STDIO_PIPE are left out. Returns 0; -ECANCELED, -ENOMEM or an
 * error of a pipe: what was read is in the buffers, the child goes on.
 */
RV_AWAIT int rv_process_communicate(rv_process *p, const void *in, size_t n_in,
	rv_buf *out, rv_buf *err, int *status);

/** -ESRCH: it has ended; -EINVAL. Never another process. */
RV_PUBLIC int rv_process_signal(rv_process *p, int sig);
RV_PUBLIC int rv_process_terminate(rv_process *p);
RV_PUBLIC int rv_process_kill(rv_process *p);
/**
 * End it: sig, and SIGKILL after grace; both go to its process group where it has one of
 * its own. Waits until it has ended.
 *
 * Returns 0; -ECANCELED: sig was sent, perhaps SIGKILL was not.
 */
RV_AWAIT int rv_process_stop(rv_process *p, int sig, rv_time grace);

/** Borrowed; NULL where it is no pipe. */
RV_PUBLIC rv_stream *rv_process_stdin(const rv_process *p);
RV_PUBLIC rv_stream *rv_process_stdout(const rv_process *p);
RV_PUBLIC rv_stream *rv_process_stderr(const rv_process *p);

#ifdef __cplusplus
}
#endif
#endif
