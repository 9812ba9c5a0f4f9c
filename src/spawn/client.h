/*
 * reeved's side of the spawner's socket.
 *
 * Has no loop: the owner watches the descriptor for reading, and for writing while
 * spawn_client_wants_write() says so, and calls spawn_client_process() when either
 * comes. Requests are queued, bounded, and go out in that call; they are never waited
 * for. All on one thread.
 *
 * After connecting come on_hello, on_table_run for each run that the spawner has, and
 * on_table_end; then news. What is told of a run may be told again on the next
 * connection until it is acknowledged.
 */
#ifndef SPAWN_CLIENT_H
#define SPAWN_CLIENT_H

#include "spawn/spawn.h"
#include "spawn/wire.h"

struct spawn_client;

/*
 * What is told. No function may free the client; each may make requests. pidfd: the
 * receiver's to close; -1 when the process has ended by now. stdin_fd: likewise, the end to
 * write to of the pipe that is its stdin, non-blocking; -1 when that is none, or is not open
 * any more. info is borrowed.
 */
struct spawn_client_ops {
	/* a negative result ends the connection (a version that is not understood) */
	int (*on_hello)(const struct wire_hello *hello, void *arg);
	void (*on_table_run)(
		const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg);
	void (*on_table_end)(void *arg);
	/* token, pid, start_time, started_* are set */
	void (*on_started)(
		const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg);
	/* token, error, step. Step "request": it was refused, is in no table and needs
	 * no acknowledgement (which does no harm): EEXIST, ESTALE (epoch), RV_ELIMIT,
	 * RV_ESHUTDOWN, ENOMEM. */
	void (*on_start_failed)(const struct spawn_run_info *info, void *arg);
	void (*on_exited)(const struct spawn_run_info *info, void *arg);
	/* answer to a query; may be NULL */
	void (*on_query)(const struct spawn_run_info *info, void *arg);
	/* answer to a request with that seq: 0 or -errno (-ESRCH: it has ended, or is
	 * not known); may be NULL */
	void (*on_result)(
		uint32_t seq, const struct spawn_token *t, int error, void *arg);
	void (*on_orphan)(const struct spawn_orphan *orphan, void *arg);
	/* between on_hello and the table: the socket that was given to
	 * spawn_client_keep_notify, the receiver's to close; may be NULL */
	void (*on_notify)(int fd, void *arg);
	/* behind on_table_run of its run; lines, borrowed; may be NULL */
	void (*on_said)(const struct spawn_token *t, const char *text, void *arg);
	/* it has written a line to its ready_fd; may be NULL */
	void (*on_run_ready)(const struct spawn_run_info *info, void *arg);
};

/**
 * @fd  connected SOCK_SEQPACKET socket (spawn_connect); the client's on success
 *
 * 0, -ENOMEM, -errno.
 */
int spawn_client_new(struct spawn_client **ret, int fd,
	const struct spawn_client_ops *ops, void *arg);
/* Closes. Requests not sent yet are gone, with their descriptors. Takes NULL. */
struct spawn_client *spawn_client_free(struct spawn_client *c);

int spawn_client_fd(const struct spawn_client *c);
bool spawn_client_wants_write(const struct spawn_client *c);

/**
 * Send what is queued, read what has come, and tell it.
 *
 * Reads a bounded amount. Returns 0 when there is no more now; 1 when there may be: call
 * again, for who watches edges is not told of it; or why the connection is over
 * (-RV_EINCOMPLETE: the spawner closed it; -RV_EPROTOCOL): free the client then.
 */
int spawn_client_process(struct spawn_client *c);
/* only send; 0 (also when not all went out), -errno */
int spawn_client_flush(struct spawn_client *c);

/*
 * Requests. Each returns 0 (start: or more), or
 *   -EAGAIN  the queue is full: again after the next spawn_client_process()
 *   -EINVAL  a value is out of range; -ENOMEM; -E2BIG (start: over SPAWN_BLOB_MAX)
 * The answers of those with ret_seq (may be NULL) bear its number.
 */

/* Descriptors in req are the client's on success: closed once sent. */
int spawn_client_start(struct spawn_client *c, const struct spawn_request *req);
/* to the process group, or to the main process alone */
int spawn_client_signal(struct spawn_client *c, const struct spawn_token *t, int sig,
	bool main_only, uint32_t *ret_seq);
/* Signal, grace, SIGKILL of the whole tree; a start that has not come to exec fails
 * with ECANCELED. grace in ns, RV_FOREVER: no SIGKILL. Again: the deadline may come
 * nearer. */
int spawn_client_stop(struct spawn_client *c, const struct spawn_token *t, int sig,
	bool main_only, rv_time grace, uint32_t *ret_seq);
int spawn_client_kill(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq);
int spawn_client_pause(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq);
int spawn_client_resume(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq);
int spawn_client_query(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq);
/* Take back a start that was sent ahead and still waits: told as on_start_failed
 * (spawn_run_was_recalled). Otherwise nothing happens. */
int spawn_client_recall(struct spawn_client *c, const struct spawn_token *t);
/* Nobody will write to its stdin any more: it reads the end once all copies of the
 * descriptor are closed, the receiver's too. No error where that was so before. */
int spawn_client_close_stdin(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq);
/* Keep the datagram socket that runs say things of themselves to, for the daemon that comes
 * next, and read it while none is there. fd is the client's on success. */
int spawn_client_keep_notify(struct spawn_client *c, int fd);
/* What the run says is this (said.h), as far as the daemon knows; -EINVAL: over
 * SPAWN_SAID_MAX. */
int spawn_client_set_said(
	struct spawn_client *c, const struct spawn_token *t, const char *text);
/* the end is recorded: the spawner forgets the run */
int spawn_client_ack(struct spawn_client *c, const struct spawn_token *t);

#endif
