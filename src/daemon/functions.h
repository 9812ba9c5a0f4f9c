/*
 * Functions that jobs can call in place of a command: they run inside of the daemon, and
 * are queued, limited, timed out, cancelled and recorded as commands are.
 *
 * A function on the loop is a coroutine and must not block; a blocking one runs in the
 * thread-pool executor. One that hangs there, on a dead file system or name server, keeps its
 * thread, but neither its job nor the daemon waits for it for ever.
 */
#ifndef DAEMON_FUNCTIONS_H
#define DAEMON_FUNCTIONS_H

#include <jansson.h>
#include <stdatomic.h>

#include "reeve/executor.h"
#include "reeve/task.h"

struct functions;

/* one call; lives until the function returned */
struct function_call {
	const json_t *arguments; /* an object; never NULL */
	uint32_t uid, gid;       /* for whom */
	atomic_bool cancelled;   /* a blocking function looks at it now and then */
	json_t *value;           /* out: the result, an object */
	char *message; /* out: why it failed, for people; malloc'd, may stay NULL */
};

struct function {
	const char *name;
	const char *help;
	bool blocking;      /* call runs in a worker thread */
	bool touches_files; /* in system mode only for root */
	/* check the arguments at submit: 0, or -EINVAL with *message malloc'd; may be NULL */
	int (*check)(const json_t *arguments, char **message);
	/* 0 or a negative error */
	int (*call)(struct function_call *c);
};

int functions_new(struct functions **ret);
struct functions *functions_free(struct functions *fs);
/* kept by pointer; -EEXIST when the name is taken */
int functions_register(struct functions *fs, const struct function *f);
const struct function *functions_find(const struct functions *fs, const char *name);
const struct function *functions_at(
	const struct functions *fs, size_t i); /* NULL: end */

/**
 * Run fn(arg) in a thread of the executor, which is not waited for once the caller is
 * cancelled.
 *
 * @dtor  called with arg when nothing uses it any more, also on errors
 *
 * Returns what fn did, which must not be -EAGAIN; -EAGAIN no more may wait for a thread: fn
 * was not called; -ECANCELED, -ENOMEM, -RV_ESHUTDOWN.
 */
RV_AWAIT int functions_block(
	struct functions *fs, rv_executor *e, rv_fn fn, void *arg, rv_dtor dtor);
/* After -EAGAIN: until it is worth another try. 0; -EAGAIN none goes on that could make
 * room; -ECANCELED */
RV_AWAIT int functions_wait_for_room(struct functions *fs);

/* make and check the message of an argument; returns -EINVAL */
int function_argument_error(char **message, const char *fmt, ...) RV_PRINTF(2, 3);

extern const struct function function_sleep;
extern const struct function function_file_hash;
extern const struct function function_dns_lookup;

#endif
