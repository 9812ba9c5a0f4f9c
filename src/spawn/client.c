/* reeved's side; see client.h. */
#include "config.h"

#include "spawn/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/unix_socket.h"

#define QUEUE_MAX        (4 << 20) /* bytes of requests not sent yet */
#define QUEUE_FDS_MAX    512
#define PACKETS_PER_CALL 32
#define RECORDS_PER_CALL 64         /* or those of the packet that reaches it */
#define PACKET_FILL      (48 << 10) /* records are put together up to here */

struct spawn_client {
	int fd;
	const struct spawn_client_ops *ops;
	void *arg;
	struct buf queue;       /* whole records, oldest first */
	int fds[QUEUE_FDS_MAX]; /* theirs, in order; a ring is not worth it */
	size_t n_fds;
	uint32_t seq;
	bool processing;
	char *input;
	/* argv and environment of the request that is being encoded: not on the stack of a
	 * task, which would have to be grown by it */
	char blob[WIRE_INLINE_MAX];
};

int spawn_client_new(struct spawn_client **ret, int fd,
	const struct spawn_client_ops *ops, void *arg)
{
	struct spawn_client *c;
	struct wire_writer w;
	int r;

	r = fd_set_nonblock(fd, true);
	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->ops = ops;
	c->arg = arg;
	c->input = malloc(SPAWN_MESSAGE_MAX);
	wire_begin(&w, &c->queue, WIRE_CLIENT_HELLO, 0);
	wire_put(&w, WIRE_VERSION, 4);
	if (wire_end(&w) < 0 || !c->input) {
		spawn_client_free(c);
		return -ENOMEM;
	}
	c->fd = fd;
	*ret = c;
	return 0;
}

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_safe(fds[i]);
}

struct spawn_client *spawn_client_free(struct spawn_client *c)
{
	if (!c)
		return NULL;
	INVARIANT(!c->processing);
	close_safe(c->fd);
	close_fds(c->fds, c->n_fds);
	buf_deinit(&c->queue);
	free(c->input);
	free(c);
	return NULL;
}

int spawn_client_fd(const struct spawn_client *c)
{
	return c->fd;
}

bool spawn_client_wants_write(const struct spawn_client *c)
{
	return buf_len(&c->queue) > 0;
}

/* -- sending ------------------------------------------------------------------------
 */

/* as many whole records as make one packet */
static size_t packet_len(const struct spawn_client *c, size_t *ret_n_fds)
{
	struct wire_reader all = {
		(const uint8_t *)buf_head(&c->queue), buf_len(&c->queue), false};
	struct wire_record rec;
	size_t len = 0, n_fds = 0;

	while (wire_next(&all, &rec) > 0) {
		size_t end = buf_len(&c->queue) - all.left;

		if (len > 0 &&
			(end > PACKET_FILL || n_fds + rec.n_fds > WIRE_PACKET_FDS))
			break;
		len = end;
		n_fds += rec.n_fds;
	}
	*ret_n_fds = n_fds;
	return len;
}

int spawn_client_flush(struct spawn_client *c)
{
	while (buf_len(&c->queue) > 0) {
		size_t n_fds, len = packet_len(c, &n_fds);
		ssize_t n =
			unix_send_fds(c->fd, buf_head(&c->queue), len, c->fds, n_fds);

		/* ETOOMANYREFS: the spawner has not received what was sent before */
		if (n == -EAGAIN || n == -ENOBUFS || n == -ETOOMANYREFS)
			return 0;
		if (n < 0)
			return (int)n;
		close_fds(c->fds, n_fds);
		c->n_fds -= n_fds;
		memmove(c->fds, c->fds + n_fds, c->n_fds * sizeof(c->fds[0]));
		buf_consume(&c->queue, len);
		buf_trim(&c->queue, QUEUE_MAX / 16);
	}
	return 0;
}

/* argv and environment in a memfd that can never change again */
static int make_memfd(const struct spawn_request *req, const struct wire_blob *blob)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *data = malloc(blob->len);
	int r;

	if (!data)
		return -ENOMEM;
	wire_blob_fill(data, req->argv, req->env);
	fd = memfd_create("reeve-start", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, blob->len);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS,
		    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static bool queue_is_full(const struct spawn_client *c)
{
	return buf_len(&c->queue) >= QUEUE_MAX ||
	       c->n_fds + WIRE_START_FDS > QUEUE_FDS_MAX;
}

int spawn_client_start(struct spawn_client *c, const struct spawn_request *req)
{
	_cleanup_close_ int memfd = -1;
	struct wire_blob blob;
	bool is_inline;
	int r;

	if (queue_is_full(c))
		return -EAGAIN;
	if (req->stdout_kind == SPAWN_STDIO_FD && req->stdout_fd < 0)
		return -EINVAL;
	if (req->stderr_kind == SPAWN_STDIO_FD && req->stderr_fd < 0)
		return -EINVAL;
	r = wire_blob_measure(&blob, req->argv, req->env);
	if (r < 0)
		return r;
	is_inline = blob.len <= sizeof(c->blob);
	if (is_inline) {
		wire_blob_fill(c->blob, req->argv, req->env);
	} else {
		memfd = make_memfd(req, &blob);
		if (memfd < 0)
			return memfd;
	}
	r = wire_encode_start(&c->queue, req, &blob, is_inline ? c->blob : NULL);
	if (r < 0)
		return r;
	if (!is_inline)
		c->fds[c->n_fds++] = TAKE_FD(memfd);
	if (req->stdout_kind == SPAWN_STDIO_FD)
		c->fds[c->n_fds++] = req->stdout_fd;
	if (req->stderr_kind == SPAWN_STDIO_FD)
		c->fds[c->n_fds++] = req->stderr_fd;
	return 0;
}

static int queue_op(struct spawn_client *c, struct wire_op *op, uint32_t *ret_seq)
{
	int r;

	if (buf_len(&c->queue) >= QUEUE_MAX)
		return -EAGAIN;
	op->seq = ++c->seq;
	r = wire_encode_op(&c->queue, op);
	if (r < 0)
		return r;
	if (ret_seq)
		*ret_seq = op->seq;
	return 0;
}

int spawn_client_signal(struct spawn_client *c, const struct spawn_token *t, int sig,
	bool main_only, uint32_t *ret_seq)
{
	struct wire_op op = {.type = WIRE_SIGNAL, .token = *t, .main_only = main_only};

	if (sig < 1 || sig > 64)
		return -EINVAL;
	op.signal = (uint8_t)sig;
	return queue_op(c, &op, ret_seq);
}

int spawn_client_stop(struct spawn_client *c, const struct spawn_token *t, int sig,
	bool main_only, rv_time grace, uint32_t *ret_seq)
{
	struct wire_op op = {
		.type = WIRE_STOP, .token = *t, .main_only = main_only, .grace = grace};

	if (sig < 1 || sig > 64 || grace < 0)
		return -EINVAL;
	op.signal = (uint8_t)sig;
	return queue_op(c, &op, ret_seq);
}

static int queue_simple(struct spawn_client *c, enum wire_type type,
	const struct spawn_token *t, uint32_t *ret_seq)
{
	struct wire_op op = {.type = type, .token = *t};

	return queue_op(c, &op, ret_seq);
}

int spawn_client_kill(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq)
{
	return queue_simple(c, WIRE_KILL, t, ret_seq);
}

int spawn_client_pause(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq)
{
	return queue_simple(c, WIRE_PAUSE, t, ret_seq);
}

int spawn_client_resume(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq)
{
	return queue_simple(c, WIRE_RESUME, t, ret_seq);
}

int spawn_client_query(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq)
{
	return queue_simple(c, WIRE_QUERY, t, ret_seq);
}

int spawn_client_recall(struct spawn_client *c, const struct spawn_token *t)
{
	return queue_simple(c, WIRE_RECALL, t, NULL);
}

int spawn_client_close_stdin(
	struct spawn_client *c, const struct spawn_token *t, uint32_t *ret_seq)
{
	return queue_simple(c, WIRE_CLOSE_STDIN, t, ret_seq);
}

int spawn_client_keep_notify(struct spawn_client *c, int fd)
{
	struct wire_writer w;
	int r;

	if (queue_is_full(c))
		return -EAGAIN;
	wire_begin(&w, &c->queue, WIRE_KEEP_NOTIFY, 1);
	r = wire_end(&w);
	if (r < 0)
		return r;
	c->fds[c->n_fds++] = fd;
	return 0;
}

int spawn_client_set_said(
	struct spawn_client *c, const struct spawn_token *t, const char *text)
{
	if (queue_is_full(c))
		return -EAGAIN;
	return MIN(wire_encode_said(&c->queue, WIRE_SET_SAID, t, text), 0);
}

int spawn_client_ack(struct spawn_client *c, const struct spawn_token *t)
{
	return queue_simple(c, WIRE_ACK, t, NULL);
}

/* -- reading ------------------------------------------------------------------------
 */

static int tell_run(struct spawn_client *c, struct wire_record *rec, int *fds)
{
	const struct spawn_client_ops *ops = c->ops;
	enum wire_run_reason reason;
	struct spawn_run_info info;
	int pidfd = -1, stdin_fd = -1, r;
	size_t n_fds = rec->n_fds;

	r = wire_decode_run(&rec->body, &reason, &info);
	if (r < 0)
		return r;
	if (reason == WIRE_RUN_TABLE || reason == WIRE_RUN_STARTED) {
		if (n_fds > 0 && info.flags & SPAWN_RUN_STDIN)
			stdin_fd = TAKE_FD(fds[--n_fds]);
		if (n_fds > 0)
			pidfd = TAKE_FD(fds[--n_fds]);
	}
	switch (reason) {
	case WIRE_RUN_TABLE: ops->on_table_run(&info, pidfd, stdin_fd, c->arg); break;
	case WIRE_RUN_STARTED: ops->on_started(&info, pidfd, stdin_fd, c->arg); break;
	case WIRE_RUN_FAILED: ops->on_start_failed(&info, c->arg); break;
	case WIRE_RUN_EXITED: ops->on_exited(&info, c->arg); break;
	case WIRE_RUN_READY:
		if (ops->on_run_ready)
			ops->on_run_ready(&info, c->arg);
		break;
	case WIRE_RUN_QUERY:
		if (ops->on_query)
			ops->on_query(&info, c->arg);
		break;
	}
	return 0;
}

static int tell_result(struct spawn_client *c, struct wire_record *rec)
{
	struct wire_result res;
	int r;

	r = wire_decode_result(&rec->body, &res);
	if (r == 0 && c->ops->on_result)
		c->ops->on_result(res.seq, &res.token, -res.error, c->arg);
	return r;
}

static int tell_notify(struct spawn_client *c, struct wire_record *rec, int *fds)
{
	if (rec->n_fds != 1 || wire_done(&rec->body) < 0)
		return -RV_EPROTOCOL;
	if (c->ops->on_notify)
		c->ops->on_notify(TAKE_FD(fds[0]), c->arg);
	return 0;
}

static int tell_said(struct spawn_client *c, struct wire_record *rec)
{
	struct spawn_token t;
	const char *text;
	int r = wire_decode_said(&rec->body, &t, &text);

	if (r == 0 && c->ops->on_said)
		c->ops->on_said(&t, text, c->arg);
	return r;
}

static int tell(struct spawn_client *c, struct wire_record *rec, int *fds)
{
	struct spawn_orphan orphan;
	struct wire_hello hello;
	int r;

	switch (rec->type) {
	case WIRE_HELLO:
		r = wire_decode_hello(&rec->body, &hello);
		return r < 0 ? r : MIN(0, c->ops->on_hello(&hello, c->arg));
	case WIRE_RUN: return tell_run(c, rec, fds);
	case WIRE_TABLE_END:
		r = wire_done(&rec->body);
		if (r == 0)
			c->ops->on_table_end(c->arg);
		return r;
	case WIRE_RESULT: return tell_result(c, rec);
	case WIRE_ORPHAN:
		r = wire_decode_orphan(&rec->body, &orphan);
		if (r == 0)
			c->ops->on_orphan(&orphan, c->arg);
		return r;
	case WIRE_NOTIFY: return tell_notify(c, rec, fds);
	case WIRE_SAID: return tell_said(c, rec);
	default: return -RV_EPROTOCOL;
	}
}

/* the number of records */
static int tell_packet(struct spawn_client *c, size_t len, int *fds, size_t n_fds)
{
	struct wire_reader packet = {(const uint8_t *)c->input, len, false};
	struct wire_record rec;
	size_t used = 0;
	int r, n = 0;

	r = wire_packet_check(c->input, len, n_fds);
	while (r == 0 && wire_next(&packet, &rec) > 0) {
		r = rec.n_fds > WIRE_RUN_FDS ? -RV_EPROTOCOL
					     : tell(c, &rec, fds + used);
		if (r == 0) {
			close_fds(fds + used, rec.n_fds); /* those that nobody took */
			used += rec.n_fds;
			n++;
		}
	}
	close_fds(fds + used, n_fds - used);
	return r < 0 ? r : n;
}

static int process(struct spawn_client *c)
{
	int r = spawn_client_flush(c);
	bool more = true;

	/* a peer that is gone may have left something to read; its end comes after it
	 */
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	for (int i = 0, n_told = 0; i < PACKETS_PER_CALL && n_told < RECORDS_PER_CALL;
		i++) {
		int fds[UNIX_FDS_MAX];
		size_t n_fds = ARRAY_LEN(fds);
		ssize_t n;

		n = unix_recv_fds(c->fd, c->input, SPAWN_MESSAGE_MAX, fds, &n_fds);
		if (n == -EAGAIN) {
			more = false;
			break;
		}
		if (n < 0)
			return n == -ECONNRESET ? -RV_EINCOMPLETE : (int)n;
		if (n == 0)
			return -RV_EINCOMPLETE;
		r = tell_packet(c, (size_t)n, fds, n_fds);
		if (r < 0)
			return r;
		n_told += r;
	}
	r = spawn_client_flush(c); /* what the callbacks have asked for */
	return r == 0 || r == -EPIPE || r == -ECONNRESET ? more : r;
}

int spawn_client_process(struct spawn_client *c)
{
	int r;

	c->processing = true;
	r = process(c);
	c->processing = false;
	return r;
}
