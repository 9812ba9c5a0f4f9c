/* Connections to the control socket: bytes in, calls as tasks, bytes out; control_priv.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/control_job.h"
#include "daemon/control_priv.h"
#include "daemon/inputs.h"
#include "daemon/users.h"
#include "reeve/executor.h"

enum {
	WRITE_HIGH = 256 * 1024,
	WRITE_LOW = 64 * 1024,
};

struct conn {
	struct control_conn pub; /* first */
	struct list link;
	rv_timer stall;
	size_t unread; /* bytes that waited for it when that timer was started */
	bool pumping;
	bool counted; /* among the connections of its user */
	bool hung_up; /* the peer reads no more either */
	unsigned
		n_unasked; /* tasks of calls that are to be done though nobody listens */
};

struct call_task {
	struct conn *conn;
	struct vl_call *call;
	bool unasked; /* a oneway call; while it is not parsed it may be one */
};

static void pump(struct conn *c);

static void pump_now(void *arg)
{
	struct conn *c = arg;

	c->pub.pump_posted = false;
	pump(c);
}

static void conn_free(struct conn *c)
{
	struct control *ctl = c->pub.control;

	if (!c->pub.lost || c->pub.n_tasks || c->pub.pump_posted)
		return; /* the last of them frees it */
	vl_server_conn_free(c->pub.vl);
	list_remove(&c->link);
	ctl->n_conns--;
	control_progress(ctl);
	free(c);
}

static void post_pump(struct conn *c)
{
	if (c->pub.pump_posted)
		return;
	c->pub.pump_posted = true;
	rv_call_soon(c->pub.control->app->loop, pump_now, c);
}

static void wake_handlers(struct conn *c)
{
	rv_event_set(&c->pub.changed);
	rv_event_clear(&c->pub.changed);
}

/* The task of a call is over, or never ran because its connection was lost first. */
static void end_call(void *arg)
{
	struct call_task *t = arg;
	struct conn *c = t->conn;
	struct control *ctl = c->pub.control;

	vl_call_free(t->call); /* unanswered: an error goes out for it */
	c->n_unasked -= t->unasked;
	free(t);
	c->pub.n_tasks--;
	ctl->n_tasks--;
	control_progress(ctl);
	conn_free(c);
}

static int run_call(void *arg)
{
	struct call_task *t = arg;
	const struct vl_method *m = vl_call_method(t->call);
	int r;

	r = ((control_handler)m->handler)(&t->conn->pub, t->call);
	if (r < 0 && r != -ECANCELED && r != -ECONNRESET && vl_call_conn(t->call))
		reply_errno(t->call, r);
	return 0;
}

static int parse_in_worker(void *arg)
{
	vl_call_parse(arg);
	return 0;
}

/* a long message: parsed in a worker, then handled */
static int run_long_call(void *arg)
{
	struct call_task *t = arg;
	struct conn *c = t->conn;
	int r;

	r = rv_run_blocking(c->pub.control->app->core.io, parse_in_worker, t->call);
	if (r < 0)
		return 0;
	r = vl_server_conn_accept(t->call);
	if (r != VL_NEXT_CALL)
		t->call = NULL; /* answered and freed inside */
	if (r == -ENOMEM && !c->pub.lost)
		rv_transport_abort(c->pub.transport);
	if (r != VL_NEXT_CALL || !vl_call_is_oneway(t->call)) {
		c->n_unasked--;
		t->unasked = false;
	}
	post_pump(c); /* the calls behind it waited */
	return r == VL_NEXT_CALL ? run_call(t) : 0;
}

/* @parsed  else what it is will be known after a worker has parsed it */
static void start_call(struct conn *c, struct vl_call *call, bool parsed)
{
	struct call_task *t = calloc(1, sizeof(*t));
	rv_task_opts opts = {.name = parsed ? vl_call_name(call) : "long call",
		.arg_dtor = end_call};
	rv_fn fn = parsed ? run_call : run_long_call;

	if (!t) {
		vl_call_free(call);
		return;
	}
	t->conn = c;
	t->call = call;
	t->unasked = !parsed || vl_call_is_oneway(call);
	c->n_unasked += t->unasked;
	c->pub.n_tasks++;
	c->pub.control->n_tasks++;
	/* on failure end_call has answered it */
	(void)rv_transport_spawn_ex(c->pub.transport, &opts, fn, t, NULL);
}

/* A handler that never awaits needs no task. */
static void answer_at_once(struct conn *c, struct vl_call *call)
{
	int r = ((control_handler)vl_call_method(call)->handler)(&c->pub, call);

	if (r < 0)
		reply_errno(call, r);
	vl_call_free(call);
}

static void flush(struct conn *c)
{
	struct buf *out = vl_server_conn_output(c->pub.vl);

	if (buf_len(out) == 0 || !c->pub.writable)
		return;
	rv_transport_write(c->pub.transport, buf_head(out), buf_len(out));
	buf_consume(out, buf_len(out));
	buf_trim(out, 16384);
}

/* start what has come; how many, or -ENOMEM */
static int start_calls(struct conn *c)
{
	struct vl_call *call;
	int r = 0, n = 0;

	c->pumping = true;
	while (!c->pub.control->stopping &&
		(r = vl_server_conn_next_call(c->pub.vl, &call)) > 0) {
		n++;
		if (r == VL_NEXT_CALL && vl_call_method(call)->id == CONTROL_INLINE)
			answer_at_once(c, call);
		else
			start_call(c, call, r == VL_NEXT_CALL);
	}
	c->pumping = false;
	return r < 0 ? r : n;
}

static void pump(struct conn *c)
{
	int r;

	if (c->pub.lost) {
		conn_free(c);
		return;
	}
	do {
		r = start_calls(c);
		flush(c);
	} while (r > 0 && c->pub.writable); /* what was sent made room for more */
	if (r < 0) {
		rv_transport_abort(c->pub.transport);
		return;
	}
	if (vl_server_conn_should_close(c->pub.vl) &&
		buf_len(vl_server_conn_output(c->pub.vl)) == 0) {
		rv_transport_close(c->pub.transport);
		return;
	}
	if (vl_server_conn_wants_pause(c->pub.vl))
		rv_transport_pause_reading(c->pub.transport);
	else
		rv_transport_resume_reading(c->pub.transport);
	/* what it sent before it went is done, but nobody waits for the answers */
	if (c->hung_up && c->n_unasked == 0 &&
		!rv_transport_is_reading(c->pub.transport)) {
		rv_transport_abort(c->pub.transport);
		return;
	}
	wake_handlers(c);
}

static void changed(struct vl_server_conn *vl, void *priv)
{
	struct conn *c = priv;

	if (!c->pumping) /* else it looks again by itself */
		post_pump(c);
}

static const struct vl_server_ops server_ops = {.changed = changed};

void control_hung_up(void *arg)
{
	struct conn *c = arg;

	c->hung_up = true;
	post_pump(c);
}

static struct conn *conn_of(rv_protocol *p)
{
	return CONTAINER_OF(p, struct conn, pub.protocol);
}

static int count_uid(struct control *ctl, uint32_t uid, int delta)
{
	uint64_t key = (uint64_t)uid + 1;
	uintptr_t n = (uintptr_t)hashmap_remove_u64(ctl->per_uid, key);

	n += (uintptr_t)delta;
	return n ? hashmap_put_u64(ctl->per_uid, key, (void *)n) : 0;
}

static bool is_admin(const struct control *ctl, const struct unix_peer *peer)
{
	return peer->uid == 0 || !ctl->app->core.system_mode ||
	       app_is_admin(ctl->app, peer->uid);
}

void control_rights_changed(struct control *ctl)
{
	if (!ctl)
		return;
	LIST_FOREACH(node, &ctl->conns) {
		struct conn *c = LIST_ENTRY(node, struct conn, link);

		c->pub.is_admin = is_admin(ctl, &c->pub.peer);
	}
}

static void on_made(rv_protocol *p, rv_transport *t)
{
	struct conn *c = conn_of(p);
	const struct rv_peer *peer = rv_transport_info(t, RV_INFO_PEER, NULL);
	const int *fd = rv_transport_info(t, RV_INFO_FD, NULL);

	c->pub.transport = t;
	c->pub.writable = true;
	rv_transport_set_watermarks(t, WRITE_HIGH, WRITE_LOW);
	if (!peer || !fd || hangups_add(c->pub.control->hangups, *fd, c) < 0) {
		rv_transport_abort(t);
		return;
	}
	c->pub.peer = (struct unix_peer){
		.pid = peer->pid, .uid = peer->uid, .gid = peer->gid};
	c->pub.is_admin = is_admin(c->pub.control, &c->pub.peer);
	users_note(c->pub.control->app->core.users, peer->uid);
	c->counted = count_uid(c->pub.control, peer->uid, 1) >= 0;
}

static int on_data(rv_protocol *p, const void *data, size_t n)
{
	struct conn *c = conn_of(p);
	int r = vl_server_conn_feed(c->pub.vl, data, n);

	if (r >= 0)
		r = start_calls(c);
	if (vl_server_conn_wants_pause(c->pub.vl))
		rv_transport_pause_reading(c->pub.transport);
	/* The answers of all whose data came together are sent together: a peer that
	 * answers many is not put to sleep and woken between two of them. */
	post_pump(c);
	return r < 0 ? r : 0;
}

static int on_eof(rv_protocol *p)
{
	struct conn *c = conn_of(p);

	vl_server_conn_eof(c->pub.vl);
	post_pump(c); /* replies to what it asked are still written */
	return 1;
}

static void stalled(void *arg);

static void watch_stall(struct conn *c)
{
	const struct app *app = c->pub.control->app;

	c->unread = rv_transport_buffered(c->pub.transport);
	rv_timer_start(&c->stall, time_after(rv_loop_time(app->loop),
					  config_num(app->core.config, STALL_TIMEOUT)));
}

/* one that reads slowly is none that reads nothing */
static void stalled(void *arg)
{
	struct conn *c = arg;

	if (rv_transport_buffered(c->pub.transport) < c->unread) {
		watch_stall(c);
		return;
	}
	log_at(LOG_NOTICE, "control",
		"process %d reads nothing, closing its connection",
		(int)c->pub.peer.pid);
	rv_transport_abort(c->pub.transport);
}

static void on_pause(rv_protocol *p)
{
	struct conn *c = conn_of(p);

	c->pub.writable = false;
	watch_stall(c);
}

static void on_resume(rv_protocol *p)
{
	struct conn *c = conn_of(p);

	c->pub.writable = true;
	rv_timer_stop(&c->stall);
	post_pump(c);
	wake_handlers(c);
}

static void on_lost(rv_protocol *p, int err)
{
	struct conn *c = conn_of(p);
	const int *fd = rv_transport_info(c->pub.transport, RV_INFO_FD, NULL);

	rv_timer_stop(&c->stall);
	if (fd)
		hangups_remove(c->pub.control->hangups, *fd);
	c->pub.lost = true;
	c->pub.transport = NULL;
	if (c->counted)
		count_uid(c->pub.control, c->pub.peer.uid, -1);
	control_submit_drop(&c->pub);
	inputs_owner_gone(control_core(c->pub.control)->inputs, &c->pub);
	/* its calls stay valid for their handlers; what they answer goes nowhere */
	vl_server_conn_free(TAKE_PTR(c->pub.vl));
	wake_handlers(c);
	post_pump(c);
}

static const rv_protocol_ops protocol_ops = {
	.connection_made = on_made,
	.data_received = on_data,
	.eof_received = on_eof,
	.pause_writing = on_pause,
	.resume_writing = on_resume,
	.connection_lost = on_lost,
};

rv_protocol *control_conn_new(void *arg)
{
	struct control *ctl = arg;
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->pub.protocol.ops = &protocol_ops;
	c->pub.control = ctl;
	rv_event_init(&c->pub.changed);
	rv_timer_init(&c->stall, ctl->app->loop, stalled, c);
	if (vl_server_conn_new(
		    &c->pub.vl, ctl->registry, &ctl->limits, &server_ops, c) < 0) {
		free(c);
		return NULL;
	}
	list_append(&ctl->conns, &c->link);
	ctl->n_conns++;
	return &c->pub.protocol;
}

int control_wait_writable(struct control_conn *conn, struct vl_call *call)
{
	while (!conn->lost && (!conn->writable || !vl_call_is_first(call) ||
				      buf_len(vl_server_conn_output(conn->vl)) > 0)) {
		int r = rv_event_wait(&conn->changed);

		if (r < 0)
			return r;
	}
	return conn->lost ? -ECONNRESET : 0;
}
