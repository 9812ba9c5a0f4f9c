#include "config.h"

#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/unix_socket.h"
#include "varlink/client_conn.h"

#define READ_BYTES (64 * 1024)
#define OUTPUT_BYTES \
	(256 * 1024) /* a batch makes no more calls while so much is unsent */

struct client {
	int fd;
	bool is_dead;  /* of no more use */
	bool peer_eof; /* all that the server sent is here */
	struct vl_client_conn *conn;
	char *chunk; /* READ_BYTES: what one read gives */
};

struct client *client_close(struct client *c)
{
	if (!c)
		return NULL;
	close_safe(c->fd);
	vl_client_conn_free(c->conn);
	free(c->chunk);
	free(c);
	return NULL;
}

static rv_time deadline_of(rv_time timeout)
{
	rv_time now = rv_now();

	return timeout >= RV_FOREVER - now ? RV_FOREVER : now + timeout;
}

/* Whole milliseconds until then, rounded up, as poll wants them; 0 when it is over. */
static int ms_until(rv_time deadline)
{
	rv_time left;

	if (deadline == RV_FOREVER)
		return -1;
	left = deadline - rv_now();
	if (left <= 0)
		return 0;
	left = (left + RV_MS(1) - 1) / RV_MS(1);
	return left > 1000000 ? 1000000 : (int)left;
}

/* A full backlog gives no event to wait for: look again, less and less often. */
static int connect_in_time(int *ret_fd, const char *path, rv_time timeout)
{
	rv_time deadline = deadline_of(timeout);
	int pause_ms = 1, left_ms, r;

	for (;;) {
		r = unix_connect(ret_fd, path, SOCK_STREAM, true);
		if (r != -EAGAIN)
			return r;
		left_ms = ms_until(deadline);
		if (left_ms == 0)
			return -ETIMEDOUT;
		poll(NULL, 0, left_ms > 0 ? MIN(pause_ms, left_ms) : pause_ms);
		pause_ms = MIN(pause_ms * 2, 50);
	}
}

int client_open(struct client **ret, const char *path, rv_time timeout)
{
	_cleanup_(client_closep) struct client *c = NULL;
	int r;

	INVARIANT(ret && path);
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fd = -1;
	c->chunk = malloc(READ_BYTES);
	if (!c->chunk)
		return -ENOMEM;
	r = vl_client_conn_new(&c->conn, CLIENT_REPLY_MAX, CLIENT_CALL_MAX);
	if (r < 0)
		return r;
	r = connect_in_time(&c->fd, path, timeout);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(c);
	return 0;
}

static int write_some(struct client *c)
{
	struct buf *out = vl_client_conn_output(c->conn);
	ssize_t n;

	n = send(c->fd, buf_head(out), buf_len(out), MSG_NOSIGNAL);
	if (n >= 0) {
		buf_consume(out, (size_t)n);
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	if (errno == EPIPE || errno == ECONNRESET) {
		/* Nobody will read it. A last reply that says why may still be here. */
		buf_clear(out);
		return 0;
	}
	return -errno;
}

static int read_some(struct client *c)
{
	ssize_t n = recv(c->fd, c->chunk, READ_BYTES, 0);

	if (n > 0)
		return vl_client_conn_feed(c->conn, c->chunk, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0 && errno != ECONNRESET)
		return -errno;
	c->peer_eof = true;
	return 0;
}

/* Wait until bytes can move, either way, and move some. -ETIMEDOUT when none could. */
static int pump(struct client *c, rv_time deadline)
{
	bool has_output = buf_len(vl_client_conn_output(c->conn)) > 0;
	struct pollfd p = {
		.fd = c->fd,
		.events = (short)(POLLIN | (has_output ? POLLOUT : 0)),
	};
	int r;

	do {
		r = poll(&p, 1, ms_until(deadline));
		if (r == 0 && ms_until(deadline) == 0)
			return -ETIMEDOUT;
	} while (r == 0 || (r < 0 && errno == EINTR));
	if (r < 0)
		return -errno;
	if (p.revents & POLLOUT) {
		r = write_some(c);
		if (r < 0)
			return r;
	}
	return p.revents & ~POLLOUT ? read_some(c) : 0;
}

/* 0 with a reply, or an error */
static int wait_reply(struct client *c, struct vl_reply_message *ret, uint64_t *ret_tag,
	rv_time deadline)
{
	int r;

	for (;;) {
		r = vl_client_conn_next_reply(c->conn, ret, ret_tag);
		if (r != 0)
			return r < 0 ? r : 0;
		if (c->peer_eof)
			return -ECONNRESET;
		r = pump(c, deadline);
		if (r < 0)
			return r;
	}
}

/* Anything but success leaves replies out of step with calls. */
static int die(struct client *c, int r)
{
	c->is_dead = true;
	return r;
}

int client_call(struct client *c, const char *method, const json_t *params,
	json_t **ret, char **ret_error, rv_time timeout)
{
	struct vl_reply_message m;
	uint64_t tag;
	int r;

	INVARIANT(c && method);
	if (c->is_dead)
		return -ENOTCONN;
	r = vl_client_conn_call(c->conn, method, params, 0, 0);
	if (r < 0)
		return r;
	r = wait_reply(c, &m, &tag, deadline_of(timeout));
	if (r < 0)
		return die(c, r);
	r = m.error ? 1 : 0;
	if (ret)
		*ret = TAKE_PTR(m.params);
	if (ret_error && m.error)
		*ret_error = TAKE_PTR(m.error);
	vl_reply_message_deinit(&m);
	return r;
}

/* Wait for a reply and hand it to the callback, whose result it returns. *ret_last: it
 * was the last of its call. */
static int hand_over(struct client *c, client_reply_fn fn, void *arg, rv_time timeout,
	bool *ret_last)
{
	struct client_reply reply;
	struct vl_reply_message m;
	int r;

	*ret_last = false;
	r = wait_reply(c, &m, &reply.index, deadline_of(timeout));
	if (r < 0)
		return r;
	reply.params = m.params;
	reply.error = m.error;
	reply.continues = m.continues;
	*ret_last = !m.continues;
	r = fn(arg, &reply);
	vl_reply_message_deinit(&m);
	return r;
}

int client_call_more(struct client *c, const char *method, const json_t *params,
	client_reply_fn fn, void *arg, rv_time timeout)
{
	bool last;
	int r;

	INVARIANT(c && method && fn);
	if (c->is_dead)
		return -ENOTCONN;
	r = vl_client_conn_call(c->conn, method, params, VL_CALL_MORE, 0);
	if (r < 0)
		return r;
	do {
		r = hand_over(c, fn, arg, timeout, &last);
	} while (r == 0 && !last);
	return r == 0 || last ? r : die(c, r);
}

struct pages {
	const char *member;
	json_t *all;
	char *error;
};

static int take_page(void *arg, const struct client_reply *reply)
{
	struct pages *p = arg;

	if (reply->error) {
		p->error = strdup(reply->error);
		json_decref(p->all);
		p->all = json_incref((json_t *)reply->params);
		return p->error ? 0 : -ENOMEM;
	}
	if (!p->all) {
		p->all = json_incref((json_t *)reply->params);
		return 0;
	}
	return json_array_extend(json_object_get(p->all, p->member),
		       json_object_get(reply->params, p->member)) < 0
		       ? -RV_EPROTOCOL
		       : 0;
}

int client_call_pages(struct client *c, const char *method, const json_t *params,
	const char *member, json_t **ret, char **ret_error, rv_time timeout)
{
	struct pages p = {.member = member};
	int r = client_call_more(c, method, params, take_page, &p, timeout);

	if (r == 0 && p.error)
		r = 1;
	if (r >= 0 && ret)
		*ret = TAKE_PTR(p.all);
	if (r >= 0 && ret_error && p.error)
		*ret_error = TAKE_PTR(p.error);
	json_decref(p.all);
	free(p.error);
	return r;
}

static int call_and_flush(struct client *c, const char *method, const json_t *params,
	unsigned flags, rv_time timeout)
{
	rv_time deadline = deadline_of(timeout);
	int r;

	INVARIANT(c && method);
	if (c->is_dead)
		return -ENOTCONN;
	r = vl_client_conn_call(c->conn, method, params, flags, 0);
	if (r < 0)
		return r;
	while (buf_len(vl_client_conn_output(c->conn)) > 0) {
		r = c->peer_eof ? -ECONNRESET : pump(c, deadline);
		if (r < 0)
			return die(c, r);
	}
	return 0;
}

int client_oneway(
	struct client *c, const char *method, const json_t *params, rv_time timeout)
{
	return call_and_flush(c, method, params, VL_CALL_ONEWAY, timeout);
}

int client_start(struct client *c, const char *method, const json_t *params, bool more,
	rv_time timeout)
{
	return call_and_flush(c, method, params, more ? VL_CALL_MORE : 0, timeout);
}

void client_message_deinit(struct client_message *m)
{
	json_decref(m->params);
	free(m->error);
	*m = (struct client_message){0};
}

int client_next(struct client *c, struct client_message *ret, rv_time timeout)
{
	struct vl_reply_message m;
	uint64_t tag;
	int r;

	INVARIANT(c && ret);
	if (c->is_dead)
		return -ENOTCONN;
	r = wait_reply(c, &m, &tag, deadline_of(timeout));
	if (r == -ETIMEDOUT)
		return 0;
	if (r < 0)
		return die(c, r);
	*ret = (struct client_message){
		.params = TAKE_PTR(m.params),
		.error = TAKE_PTR(m.error),
		.continues = m.continues,
	};
	vl_reply_message_deinit(&m);
	return 1;
}

int client_fd(const struct client *c)
{
	return c->fd;
}

/* Make calls while there is room for them. 1: there will be more; 0: that was all. */
static int fill(struct client *c, unsigned window, client_request_fn next, void *arg,
	uint64_t *n_made)
{
	while (vl_client_conn_n_pending(c->conn) < window &&
		buf_len(vl_client_conn_output(c->conn)) < OUTPUT_BYTES) {
		struct client_request q = {0};
		int r;

		r = next(arg, &q);
		if (r <= 0)
			return r;
		r = vl_client_conn_call(c->conn, q.method, q.params, 0, *n_made);
		json_decref(q.params);
		if (r < 0)
			return r;
		(*n_made)++;
	}
	return 1;
}

int client_batch(struct client *c, unsigned window, client_request_fn next,
	client_reply_fn fn, void *arg, rv_time timeout)
{
	uint64_t n_made = 0;
	bool last;
	int more = 1, r;

	INVARIANT(c && window > 0 && next && fn);
	if (c->is_dead)
		return -ENOTCONN;
	for (;;) {
		if (more > 0)
			more = fill(c, window, next, arg, &n_made);
		if (more < 0)
			return vl_client_conn_n_pending(c->conn) ? die(c, more) : more;
		if (vl_client_conn_n_pending(c->conn) == 0)
			return 0;
		r = hand_over(c, fn, arg, timeout, &last);
		if (r != 0)
			return vl_client_conn_n_pending(c->conn) || r < 0 ? die(c, r)
									  : r;
	}
}
