/* The connection: accepting, reading requests, sending news; see conn.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/unix_socket.h"
#include "spawn/request.h"
#include "spawn/said.h"
#include "spawn/spawner.h"

#define REPLIES_MAX      (256 << 10) /* bytes; beyond, requests are not read */
#define PACKETS_PER_TURN 32
#define NEWS_WAIT        RV_MS(3)
#define PACKET_FILL      (60 << 10) /* a packet is sent when it is this full */

int conn_init(struct conn *c)
{
	*c = (struct conn){.source.kind = SOURCE_CONN,
		.fd = -1,
		.packet = BUF_NULL,
		.replies = BUF_NULL};
	c->input = malloc(SPAWN_MESSAGE_MAX);
	return c->input ? 0 : -ENOMEM;
}

static void conn_watch(struct spawner *sp)
{
	struct conn *c = &sp->conn;
	struct epoll_event ev = {.data.ptr = &c->source};
	bool more = !c->hello_sent || !c->table_sent ||
		    !list_is_empty(&sp->runs.dirty) || buf_len(&c->replies) > 0;

	if (buf_len(&c->replies) < REPLIES_MAX)
		ev.events |= EPOLLIN;
	if (more)
		ev.events |=
			EPOLLOUT; /* conn_flush has stopped: the peer does not read */
	if (ev.events == c->events)
		return;
	if (epoll_ctl(sp->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev) == 0)
		c->events = ev.events;
}

void conn_close(struct spawner *sp)
{
	struct conn *c = &sp->conn;

	if (c->fd < 0)
		return;
	(void)epoll_ctl(sp->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	c->fd = close_safe(c->fd);
	buf_clear(&c->replies);
	/* whoever comes next is told everything by the table */
	while (list_pop(&sp->runs.dirty))
		;
	LIST_FOREACH(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		run->send_table = run->send_started = run->send_ready =
			run->send_ended = false;
	}
	said_listen(sp, true);
}

static void conn_drop(struct spawner *sp, const char *why, int error)
{
	log_at(LOG_WARNING, "spawn", "connection dropped: %s%s%s", why,
		error ? ": " : "", error ? rv_strerror(error) : "");
	conn_close(sp);
}

/* -- reading ------------------------------------------------------------------------
 */

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_safe(fds[i]);
}

/* Every record of a packet. Descriptors that no record took are closed. */
static int conn_execute(struct spawner *sp, size_t len, int *fds, size_t n_fds)
{
	struct conn *c = &sp->conn;
	struct wire_reader packet = {(const uint8_t *)c->input, len, false};
	struct wire_record rec;
	size_t used = 0;
	int r;

	r = wire_packet_check(c->input, len, n_fds);
	while (r == 0 && wire_next(&packet, &rec) > 0) {
		FAILPOINT("spawner-request-read");
		r = request_execute(sp, &rec, fds + used);
		used += rec.n_fds;
	}
	close_all(fds + used, n_fds - used);
	return r;
}

/* One packet. 1, 0 when there is none now, -RV_EINCOMPLETE at the end, other errors. */
static int conn_read_one(struct spawner *sp)
{
	int fds[UNIX_FDS_MAX];
	size_t n_fds = ARRAY_LEN(fds);
	ssize_t n;
	int r;

	n = unix_recv_fds(sp->conn.fd, sp->conn.input, SPAWN_MESSAGE_MAX, fds, &n_fds);
	if (n == -EAGAIN)
		return 0;
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -RV_EINCOMPLETE;
	r = conn_execute(sp, (size_t)n, fds, n_fds);
	return r < 0 ? r : 1;
}

/* The one that is to be replaced: to its end, which comes because it can send no more.
 * How much there can be is what the kernel lets a socket hold. */
static void conn_drain(struct spawner *sp)
{
	int r;

	if (sp->conn.fd < 0)
		return;
	sp->conn.draining = true;
	(void)shutdown(sp->conn.fd, SHUT_RD);
	do
		r = conn_read_one(sp);
	while (r > 0);
	if (r < 0 && r != -RV_EINCOMPLETE && r != -ECONNRESET)
		conn_drop(sp, "while being replaced", r);
	else
		conn_close(sp);
}

static void conn_read(struct spawner *sp)
{
	for (int i = 0; i < PACKETS_PER_TURN; i++) {
		int r;

		if (buf_len(&sp->conn.replies) >= REPLIES_MAX)
			return;
		r = conn_read_one(sp);
		if (r == 0)
			return;
		if (r == -RV_EINCOMPLETE || r == -ECONNRESET) {
			conn_close(sp);
			return;
		}
		if (r == -ENOMEM || r == -ENFILE || r == -EMFILE) {
			/* what was asked is not known: only a new connection, whose
			 * table tells what we have, makes both sides agree again */
			conn_drop(sp, "reading", r);
			return;
		}
		if (r < 0) {
			conn_drop(sp, "reading", r);
			return;
		}
	}
}

void conn_process(struct spawner *sp, uint32_t events)
{
	/* EPOLLHUP too: what was sent before is read first, then comes the end */
	if (sp->conn.fd >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		conn_read(sp);
}

/* -- accepting ----------------------------------------------------------------------
 */

static void conn_begin(struct spawner *sp, int fd)
{
	struct conn *c = &sp->conn;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &c->source};

	c->fd = fd;
	c->hello_sent = c->table_sent = c->hello_received = c->draining = false;
	c->n_table_left = 0;
	c->news_urgent = false;
	c->flush_at = 0;
	c->events = ev.events;
	sp->leave_at = RV_FOREVER;
	said_listen(sp, false);
	if (epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		conn_drop(sp, "epoll", -errno);
		return;
	}
	LIST_FOREACH(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		run->send_table = true;
		c->n_table_left++;
		runs_set_dirty(&sp->runs, run);
	}
}

static bool peer_may(struct spawner *sp, int fd)
{
	struct unix_peer peer;

	if (unix_peer_get(&peer, fd) < 0)
		return false;
	return peer.uid == sp->uid || peer.uid == 0;
}

void conn_accept(struct spawner *sp)
{
	for (;;) {
		_cleanup_close_ int fd = -1;

		fd = accept4(sp->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				log_at(LOG_ERR, "spawn", "accept: %s, ignoring",
					rv_strerror(errno));
			return;
		}
		if (!peer_may(sp, fd)) {
			log_at(LOG_WARNING, "spawn", "peer of another user refused");
			continue;
		}
		conn_drain(sp);
		conn_begin(sp, TAKE_FD(fd));
	}
}

/* -- sending ------------------------------------------------------------------------
 */

void conn_tell(struct spawner *sp, struct run *run, bool may_wait)
{
	if (sp->conn.fd < 0)
		return;
	runs_set_dirty(&sp->runs, run);
	sp->conn.news_urgent |= !may_wait;
}

void conn_forget(struct spawner *sp, struct run *run)
{
	if (run->send_table && sp->conn.fd >= 0)
		sp->conn.n_table_left--;
}

void conn_tell_orphan(const struct spawn_orphan *o, void *spawner)
{
	struct spawner *sp = spawner;

	log_at(LOG_NOTICE, "spawn",
		"pid %d (%s) is left over, job %" PRIu64 ", leaving it", (int)o->pid,
		o->comm, o->token.job_id);
	/* only told in passing: past the limit it stands in the log alone */
	if (sp->conn.fd >= 0 && buf_len(&sp->conn.replies) < REPLIES_MAX)
		(void)wire_encode_orphan(&sp->conn.replies, o);
}

/* A packet that is being put together; what it says is struck off only once it is sent.
 */
struct outgoing {
	int fds[WIRE_PACKET_FDS];
	size_t n_fds;
	size_t n_runs;    /* of the dirty list, from its beginning */
	size_t n_table;   /* of these, rows of the table */
	size_t n_replies; /* bytes */
	bool hello, table_end, ends;
};

static int put_record(struct spawner *sp, struct outgoing *o, const struct run *run,
	enum wire_run_reason reason)
{
	bool alive = run->info.state == SPAWN_RUN_RUNNING && run->pidfd >= 0 &&
		     reason != WIRE_RUN_EXITED;
	bool open = run->stdin_fd >= 0 && reason != WIRE_RUN_EXITED;
	int r;

	r = wire_encode_run(
		&sp->conn.packet, reason, &run->info, (uint16_t)(alive + open));
	if (r >= 0 && alive)
		o->fds[o->n_fds++] = run->pidfd;
	if (r >= 0 && open)
		o->fds[o->n_fds++] = run->stdin_fd;
	return r;
}

static int put_run(struct spawner *sp, struct outgoing *o, const struct run *run)
{
	int r = 0;

	if (run->send_table) {
		r = put_record(sp, o, run, WIRE_RUN_TABLE);
		if (r >= 0 && run->said && run->said[0])
			r = wire_encode_said(&sp->conn.packet, WIRE_SAID,
				&run->info.token, run->said);
		return r;
	}
	if (run->send_started)
		r = put_record(sp, o, run, WIRE_RUN_STARTED);
	else if (run->send_ready && !run->send_ended)
		r = wire_encode_run(&sp->conn.packet, WIRE_RUN_READY, &run->info, 0);
	if (r >= 0 && run->send_ended) {
		o->ends = true;
		r = put_record(sp, o, run,
			run->info.state == SPAWN_RUN_FAILED ? WIRE_RUN_FAILED
							    : WIRE_RUN_EXITED);
	}
	return r;
}

static int put_table_end(struct conn *c)
{
	struct wire_writer w;

	wire_begin(&w, &c->packet, WIRE_TABLE_END, 0);
	return wire_end(&w);
}

static int put_replies(struct conn *c, struct outgoing *o)
{
	struct wire_reader all = {
		(const uint8_t *)buf_head(&c->replies), buf_len(&c->replies), false};
	struct wire_record rec;
	size_t n = 0;

	while (wire_next(&all, &rec) > 0) {
		size_t end = buf_len(&c->replies) - all.left;

		if (buf_len(&c->packet) + end > PACKET_FILL)
			break;
		n = end;
	}
	o->n_replies = n;
	return n > 0 ? buf_append(&c->packet, buf_head(&c->replies), n) : 0;
}

static int put_notify(struct spawner *sp, struct outgoing *o)
{
	struct wire_writer w;

	wire_begin(&w, &sp->conn.packet, WIRE_NOTIFY, 1);
	o->fds[o->n_fds++] = sp->notify_fd;
	return wire_end(&w);
}

static int conn_compose(struct spawner *sp, struct outgoing *o)
{
	struct conn *c = &sp->conn;
	int r = 0;

	buf_clear(&c->packet);
	if (!c->hello_sent) {
		o->hello = true;
		r = wire_encode_hello(&c->packet, &sp->self);
		if (r >= 0 && sp->notify_fd >= 0)
			r = put_notify(sp, o);
	}
	LIST_FOREACH(it, &sp->runs.dirty) {
		struct run *run = LIST_ENTRY(it, struct run, dirty_link);

		if (r < 0 || buf_len(&c->packet) > PACKET_FILL ||
			o->n_fds + WIRE_RUN_FDS > WIRE_PACKET_FDS)
			break;
		/* nothing but rows of the table before its end */
		if (!c->table_sent && !run->send_table)
			break;
		r = put_run(sp, o, run);
		o->n_runs++;
		o->n_table += run->send_table;
	}
	if (r >= 0 && !c->table_sent && o->n_table == c->n_table_left) {
		o->table_end = true;
		r = put_table_end(c);
	}
	if (r >= 0 && c->table_sent)
		r = put_replies(c, o);
	return r;
}

static void conn_sent(struct spawner *sp, const struct outgoing *o)
{
	struct conn *c = &sp->conn;

	for (size_t i = 0; i < o->n_runs; i++) {
		struct run *run =
			LIST_ENTRY(list_pop(&sp->runs.dirty), struct run, dirty_link);

		run->send_table = run->send_started = run->send_ready =
			run->send_ended = false;
	}
	c->hello_sent |= o->hello;
	c->table_sent |= o->table_end;
	c->n_table_left -= o->n_table;
	buf_consume(&c->replies, o->n_replies);
	buf_trim(&c->replies, REPLIES_MAX / 4);
}

/* 1 when a packet went out and there may be more, 0, -errno */
static int conn_send_one(struct spawner *sp)
{
	struct conn *c = &sp->conn;
	struct outgoing o = {.n_fds = 0};
	ssize_t n;
	int r;

	r = conn_compose(sp, &o);
	if (r < 0)
		return r;
	if (buf_len(&c->packet) == 0)
		return 0;
	if (o.ends)
		FAILPOINT("spawner-before-exit-report");
	n = unix_send_fds(
		c->fd, buf_head(&c->packet), buf_len(&c->packet), o.fds, o.n_fds);
	/* ETOOMANYREFS: the peer has not received the descriptors of earlier packets */
	if (n == -EAGAIN || n == -ENOBUFS || n == -ETOOMANYREFS)
		return 0;
	if (n < 0)
		return (int)n;
	if (o.ends)
		FAILPOINT("spawner-after-exit-report");
	conn_sent(sp, &o);
	return 1;
}

/* Only news, and nobody waits for them: each message costs a turn of the peer's loop and a
 * commit, whatever is in it. */
static bool news_wait(struct conn *c, rv_time now)
{
	if (!c->table_sent || c->news_urgent || buf_len(&c->replies) > 0)
		return false;
	if (c->flush_at == 0)
		c->flush_at = now + NEWS_WAIT;
	return now < c->flush_at;
}

static void flush_now(struct spawner *sp)
{
	int r = 1;

	while (r > 0)
		r = conn_send_one(sp);
	if (r == -EPIPE || r == -ECONNRESET) {
		/* gone; what it sent before is still to be read, and then comes its end
		 */
		(void)shutdown(sp->conn.fd, SHUT_RD);
		conn_drain(sp);
		return;
	}
	if (r < 0) {
		conn_drop(sp, "sending", r);
		return;
	}
	conn_watch(sp);
	/* what is left waits for the peer, not for company */
	sp->conn.news_urgent = !list_is_empty(&sp->runs.dirty);
	sp->conn.flush_at = 0;
}

rv_time conn_flush(struct spawner *sp, rv_time now)
{
	struct conn *c = &sp->conn;

	if (c->fd < 0)
		return RV_FOREVER;
	if (!list_is_empty(&sp->runs.dirty) && news_wait(c, now))
		return c->flush_at;
	flush_now(sp);
	return RV_FOREVER;
}
