/*
 * A daemon that does what a test says: a process that listens on a socket, checks every
 * call against the interfaces as the real one does, records it, and leaves the answer
 * to the test's handler. And running `reeve` against it, as a process of its own.
 */
#ifndef TESTS_FAKE_DAEMON_H
#define TESTS_FAKE_DAEMON_H

#include <jansson.h>
#include <sys/types.h>

#include "varlink/server_conn.h"

struct fake;

/* In the daemon's process: answers the call, or keeps it with fake_hold. Calls it left
 * unanswered and unheld are answered with MethodNotImplemented. */
typedef void (*fake_handler)(
	struct fake *f, struct vl_call *call, const char *method, const json_t *params);

#define FAKE_HELD_MAX 8

struct fake {
	char dir[64]; /* of its own, removed by fake_stop */
	char socket[96], record[96];
	pid_t pid;
	int event_read, event_write; /* from handlers to the test */
	fake_handler handler;
	struct vl_call *held[FAKE_HELD_MAX];
	bool answered; /* the call that the handler has */
	char told[8];  /* events that wait until all answers are sent */
	size_t n_told;
	int n; /* for the handler's own counting */
};

/* Start one; it runs until fake_stop. */
void fake_start(struct fake *f, fake_handler handler);
void fake_stop(struct fake *f);

/* For handlers. reply takes params; only the last one of a call has continues false. */
void fake_reply(struct fake *f, struct vl_call *call, json_t *params, bool continues);
void fake_error(struct fake *f, struct vl_call *call, const char *name, json_t *params);
/* answer later: the call is found in f->held[slot] */
void fake_hold(struct fake *f, struct vl_call *call, unsigned slot);
/* the same for a held call; nothing when the slot is empty */
void fake_reply_held(struct fake *f, unsigned slot, json_t *params, bool continues);
/* tell the test that it has come to this point, once the answers given so far are sent */
void fake_tell(struct fake *f, char event);
/* in the test: wait for the next fake_tell, which must be this one */
void fake_await(struct fake *f, char event);

/* Calls recorded so far: array of {method, params, more}; the caller's. */
json_t *fake_calls(const struct fake *f);
/* parameters of the n-th call of a method, from 0; fails the test when there are fewer.
 * Borrowed from calls. */
json_t *fake_call_params(const json_t *calls, const char *method, size_t n);
size_t fake_n_calls(const json_t *calls, const char *method);

struct reeve {
	pid_t pid;
	int in_fd; /* write end of its stdin, -1 when it has none */
	int out_fd, err_fd;
	int code; /* exit code, 128+n for a signal */
	char *out, *err;
};

enum { REEVE_STDIN_PIPE = 1, REEVE_OUT_CLOSED = 2 };

/* Start `reeve ARGS...` (NULL-terminated, without the program's name) on the socket;
 * stdin is /dev/null or a pipe. f NULL: a socket where nobody is. */
void reeve_start(
	struct reeve *r, const struct fake *f, int flags, const char *const *args);
/* wait for its end and collect what it said */
void reeve_finish(struct reeve *r);
void reeve_free(struct reeve *r);
/* all at once */
void reeve_run(struct reeve *r, const struct fake *f, const char *const *args);
#define REEVE(r, f, ...) reeve_run((r), (f), (const char *const[]){__VA_ARGS__, NULL})

/* a Job object; result NULL: not finished */
json_t *fake_job(
	int id, const char *state, const char *result, int exit_code, int signal);

#endif
