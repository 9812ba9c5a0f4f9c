/* Requests of reeved; see request.h. */
#include "config.h"

#include "spawn/request.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "spawn/said.h"
#include "spawn/spawner.h"

static int reply_run(struct spawner *sp, enum wire_run_reason reason,
	const struct spawn_run_info *info)
{
	if (sp->conn.draining)
		return 0;
	/* a pidfd came with the row of the table, or with the news of the start */
	return MIN(0, wire_encode_run(&sp->conn.replies, reason, info, 0));
}

/* no entry in the table, nothing to acknowledge */
static int reply_no_start(struct spawner *sp, const struct spawn_token *t, int error)
{
	struct spawn_run_info info = {
		.token = *t,
		.state = SPAWN_RUN_FAILED,
		.error = -error,
		.step = SPAWN_STEP_REQUEST,
	};

	return reply_run(sp, WIRE_RUN_FAILED, &info);
}

static int refuse_start(struct spawner *sp, const struct spawn_token *t, int error)
{
	log_at(LOG_INFO, "spawn", "job %" PRIu64 " run %" PRIu32 ": start refused: %s",
		t->job_id, t->run_no, rv_strerror(error));
	return reply_no_start(sp, t, error);
}

/* the answer says whether it came in time: nothing is said of one that goes on */
static int recall(struct spawner *sp, struct run *run)
{
	struct spawn_token t = run->info.token;
	int r = life_recall(sp, run);

	return r < 0 ? r : reply_no_start(sp, &t, -EAGAIN);
}

/* The blob in a memfd. Copied, not mapped: one copy of bytes that cannot change is all
 * that is ever looked at. */
static int read_blob(char **ret, int fd, const struct wire_blob *blob)
{
	_cleanup_free_ char *data = NULL;
	size_t done = 0;
	int r;

	r = wire_blob_check_memfd(fd, blob);
	if (r < 0)
		return r;
	data = malloc(blob->len);
	if (!data)
		return -ENOMEM;
	while (done < blob->len) {
		ssize_t n = pread(fd, data + done, blob->len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -RV_EPROTOCOL;
		done += (size_t)n;
	}
	r = wire_blob_check(data, blob);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(data);
	return 0;
}

static void take_fds(struct wire_start *ws, int *fds, int *ret_memfd)
{
	size_t n = 0;

	if (!ws->blob.data)
		*ret_memfd = TAKE_FD(fds[n++]);
	if (ws->req.stdout_kind == SPAWN_STDIO_FD)
		ws->req.stdout_fd = TAKE_FD(fds[n++]);
	if (ws->req.stderr_kind == SPAWN_STDIO_FD)
		ws->req.stderr_fd = TAKE_FD(fds[n++]);
}

static int request_start(struct spawner *sp, struct wire_record *rec, int *fds)
{
	_cleanup_close_ int memfd = -1;
	_cleanup_free_ char *data = NULL;
	struct wire_start ws;
	int r;

	r = wire_decode_start(&rec->body, rec->n_fds, &ws);
	if (r < 0)
		return r;
	take_fds(&ws, fds, &memfd);
	if (!ws.blob.data) {
		r = read_blob(&data, memfd, &ws.blob);
		if (r < 0) {
			close_safe(ws.req.stdout_fd);
			close_safe(ws.req.stderr_fd);
			return r == -ENOMEM ? refuse_start(sp, &ws.req.token, r) : r;
		}
	}
	r = life_start(sp, &ws, data ? data : ws.blob.data);
	return r < 0 ? refuse_start(sp, &ws.req.token, r) : 0;
}

static int op_execute(struct spawner *sp, struct run *run, const struct wire_op *op)
{
	switch (op->type) {
	case WIRE_SIGNAL: return life_signal(sp, run, op->signal, op->main_only);
	case WIRE_STOP: return life_stop(sp, run, op->signal, op->main_only, op->grace);
	case WIRE_KILL: return life_kill(sp, run);
	case WIRE_PAUSE: return life_pause(sp, run);
	case WIRE_RESUME: return life_resume(sp, run);
	case WIRE_QUERY: return reply_run(sp, WIRE_RUN_QUERY, &run->info);
	case WIRE_ACK: return life_ack(sp, run);
	case WIRE_RECALL: return recall(sp, run);
	case WIRE_CLOSE_STDIN: return life_close_stdin(sp, run);
	default: return -EOPNOTSUPP;
	}
}

static int request_op(struct spawner *sp, struct wire_record *rec)
{
	struct wire_result res;
	struct wire_op op;
	struct run *run;
	int r;

	r = wire_decode_op(&rec->body, (enum wire_type)rec->type, &op);
	if (r < 0)
		return r;
	run = runs_find(&sp->runs, &op.token);
	r = run ? op_execute(sp, run, &op) : -ESRCH;
	if (op.type == WIRE_ACK || sp->conn.draining)
		return 0; /* acknowledging twice, or too early, changes nothing */
	res = (struct wire_result){op.seq, op.token, -r};
	return MIN(0, wire_encode_result(&sp->conn.replies, &res));
}

static int request_hello(struct spawner *sp, struct wire_record *rec)
{
	uint32_t version = (uint32_t)wire_get(&rec->body, 4);

	if (wire_done(&rec->body) < 0 || sp->conn.hello_received)
		return -RV_EPROTOCOL;
	/* ours stands in our hello: who is newer adapts, or goes away */
	if (version != WIRE_VERSION)
		return -EPROTONOSUPPORT;
	sp->conn.hello_received = true;
	return 0;
}

static int request_keep_notify(struct spawner *sp, struct wire_record *rec, int *fds)
{
	socklen_t len = sizeof(int);
	int type = 0;

	/* it is read here, too, and must not be what could hold us up */
	if (wire_done(&rec->body) < 0 ||
		getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
		type != SOCK_DGRAM)
		return -RV_EPROTOCOL;
	said_keep(sp, TAKE_FD(fds[0]));
	return 0;
}

static int request_set_said(struct spawner *sp, struct wire_record *rec)
{
	struct spawn_token t;
	const char *text;
	struct run *run;
	int r = wire_decode_said(&rec->body, &t, &text);

	if (r < 0)
		return r;
	run = runs_find(&sp->runs, &t);
	return run && run_is_active(run) ? said_set(sp, run, text) : 0;
}

static int execute(struct spawner *sp, struct wire_record *rec, int *fds)
{
	if (rec->type == WIRE_CLIENT_HELLO)
		return rec->n_fds == 0 ? request_hello(sp, rec) : -RV_EPROTOCOL;
	if (!sp->conn.hello_received)
		return -RV_EPROTOCOL;
	if (rec->type == WIRE_START)
		return request_start(sp, rec, fds);
	if (rec->type == WIRE_KEEP_NOTIFY && rec->n_fds == 1)
		return request_keep_notify(sp, rec, fds);
	if (rec->type == WIRE_SET_SAID && rec->n_fds == 0)
		return request_set_said(sp, rec);
	if (rec->type >= WIRE_SIGNAL && rec->type <= WIRE_CLOSE_STDIN &&
		rec->n_fds == 0)
		return request_op(sp, rec);
	return -RV_EPROTOCOL;
}

int request_execute(struct spawner *sp, struct wire_record *rec, int *fds)
{
	int r = execute(sp, rec, fds);

	for (size_t i = 0; i < rec->n_fds; i++)
		fds[i] = close_safe(fds[i]);
	return r;
}
