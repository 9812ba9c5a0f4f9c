#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/list.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/app.h"
#include "daemon/control.h"
#include "daemon/core.h"
#include "daemon/hangups.h"
#include "daemon/inputs.h"
#include "daemon/interfaces.h"
#include "daemon/users.h"
#include "reeve/executor.h"
#include "reeve/net.h"
#include "reeve/scope.h"
#include "varlink/registry.h"

enum {
	BACKLOG = 1024,
	WRITE_HIGH = 256 * 1024,
	WRITE_LOW = 64 * 1024,
};

struct control {
	struct app *app;
	struct vl_registry *registry;
	struct vl_server_limits limits;
	rv_server **servers; /* one, or those that were passed in, and closed ones that
			      * still have connections */
	size_t n_servers;
	struct hangups *hangups;
	struct list conns;
	size_t n_conns;
	unsigned n_tasks;        /* of all connections */
	struct hashmap *per_uid; /* uid + 1 -> connections, counted in the pointer */
	bool stopping;
	rv_event idle;       /* a task or a connection ended, or a task began to wait */
	struct list waiting; /* struct waiting */
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

/* a task in control_wait_event */
struct waiting {
	struct list link;
	const rv_event *event;
};

struct call_task {
	struct conn *conn;
	struct vl_call *call;
	bool unasked; /* a oneway call; while it is not parsed it may be one */
};

struct app *control_app(const struct control *c)
{
	return c->app;
}

struct core *control_core(const struct control *c)
{
	return &c->app->core;
}

size_t control_n_connections(const struct control *c)
{
	return c->n_conns;
}

/* ---- replies ---------------------------------------------------------------------------- */

int reply_error(struct vl_call *call, const char *name, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	json_t *params;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0) {
		text = NULL;
		return -ENOMEM;
	}
	params = json_loads(text, 0, NULL);
	INVARIANT(params);
	r = vl_call_error(call, name, params);
	json_decref(params);
	return r;
}

/* what every interface declares */
static int reply_unavailable(struct vl_call *call, int error)
{
	const char *method = vl_call_name(call);
	const char *dot = strrchr(method, '.');
	json_t *params = json_pack("{s:s}", "what", rv_strerror(error));
	char name[64];
	int r;

	snprintf(name, sizeof(name), "%.*s.Unavailable", dot ? (int)(dot - method) : 0,
		method);
	r = vl_call_error(call, name, params);
	json_decref(params);
	return r;
}

int reply_errno(struct vl_call *call, int error)
{
	bool is_job = strncmp(vl_call_name(call), "io.reeve.Job.", 13) == 0;

	if (error == -EPERM || error == -EACCES)
		return vl_call_denied(call);
	if (is_job && (error == -ENOSPC || error == -EDQUOT))
		return reply_error(call, "io.reeve.Job.NoSpace",
			"{\"what\":\"the state directory\"}");
	if (is_job && error == -RV_ESHUTDOWN)
		return reply_error(call, "io.reeve.Job.ShuttingDown", "{}");
	return reply_unavailable(call, error);
}

bool control_refuses_negative(struct vl_call *call, const char *member)
{
	const json_t *v = json_object_get(vl_call_params(call), member);

	if (!json_is_integer(v) || json_integer_value(v) >= 0)
		return false;
	vl_call_invalid(call, member, "below 0");
	return true;
}

/* ---- connections ------------------------------------------------------------------------ */

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
	rv_event_set(&ctl->idle);
	rv_event_clear(&ctl->idle);
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
	rv_event_set(&ctl->idle);
	rv_event_clear(&ctl->idle);
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
	int r, n = 0;

	while ((r = vl_server_conn_next_call(c->pub.vl, &call)) > 0) {
		n++;
		if (r == VL_NEXT_CALL && vl_call_method(call)->id == CONTROL_INLINE)
			answer_at_once(c, call);
		else
			start_call(c, call, r == VL_NEXT_CALL);
	}
	return r < 0 ? r : n;
}

static void pump(struct conn *c)
{
	int r = 0;

	if (c->pub.lost) {
		conn_free(c);
		return;
	}
	c->pumping = true;
	do {
		if (!c->pub.control->stopping)
			r = start_calls(c);
		flush(c);
	} while (r > 0 && c->pub.writable); /* what was sent made room for more */
	c->pumping = false;
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

static void hung_up(void *arg)
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
		pump(c);
	return r;
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

/* ---- the listener ----------------------------------------------------------------------- */

static void refuse(int fd, const char *limit, int64_t max)
{
	char text[256];
	int n = snprintf(text, sizeof(text),
		"{\"error\":\"io.reeve.Job.LimitReached\",\"parameters\":"
		"{\"limit\":\"%s\",\"maximum\":%lld}}",
		limit, (long long)max);

	/* a fresh socket's buffer takes this; if not, the close says enough */
	send(fd, text, (size_t)n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* politely: the surplus gets an answer */
static bool may_connect(int fd, void *arg)
{
	struct control *ctl = arg;
	const struct config *cf = ctl->app->core.config;
	struct unix_peer peer;
	int64_t mine;

	if (unix_peer_get(&peer, fd) < 0)
		return false;
	if (!ctl->app->core.system_mode && peer.uid != geteuid() && peer.uid != 0)
		return false;
	mine = (int64_t)(uintptr_t)hashmap_get_u64(
		ctl->per_uid, (uint64_t)peer.uid + 1);
	if ((int64_t)ctl->n_conns >= config_num(cf, CONNECTIONS_MAX)) {
		refuse(fd, "connections-max", config_num(cf, CONNECTIONS_MAX));
		return false;
	}
	if (mine >= config_num(cf, CONNECTIONS_PER_USER_MAX)) {
		refuse(fd, "connections-per-user-max",
			config_num(cf, CONNECTIONS_PER_USER_MAX));
		return false;
	}
	return true;
}

static rv_protocol *make_conn(void *arg)
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

static int add_server(struct control *c, rv_server *srv)
{
	rv_server **v = reallocarray(c->servers, c->n_servers + 1, sizeof(*v));

	if (!v) {
		rv_server_close(srv);
		rv_server_unref(srv);
		return -ENOMEM;
	}
	c->servers = v;
	v[c->n_servers++] = srv;
	return 0;
}

int control_listen_fd(struct control *c, int fd)
{
	rv_listen_opts opts = {.backlog = BACKLOG, .accept = may_connect};
	rv_server *srv;
	int r;

	r = rv_net_listen_fd(fd, make_conn, c, &opts, &srv);
	return r < 0 ? r : add_server(c, srv);
}

int control_bind(struct control *c, const char *path, mode_t mode)
{
	rv_listen_opts opts = {.backlog = BACKLOG, .accept = may_connect, .mode = mode};
	rv_server *srv;
	int r;

	r = rv_net_listen_unix(path, make_conn, c, &opts, &srv);
	return r < 0 ? r : add_server(c, srv);
}

/* Closed ones stay until their last connection has ended: the shutdown ends these too. */
static void forget_ended_servers(struct control *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_servers; i++) {
		rv_server *s = c->servers[i];

		if (rv_server_is_closed(s) && rv_server_connections(s) == 0)
			rv_server_unref(s);
		else
			c->servers[n++] = s;
	}
	c->n_servers = n;
}

void control_unbind(struct control *c)
{
	for (size_t i = 0; i < c->n_servers; i++)
		rv_server_close(c->servers[i]);
	forget_ended_servers(c);
}

static int add_interfaces(struct control *c)
{
	struct vl_idl_error error;
	int r;

	r = vl_registry_add(c->registry, io_reeve_Job_varlink, control_job_methods,
		control_n_job_methods, &error);
	if (r >= 0)
		r = vl_registry_add(c->registry, io_reeve_Pool_varlink,
			control_pool_methods, control_n_pool_methods, &error);
	if (r >= 0)
		r = vl_registry_add(c->registry, io_reeve_Daemon_varlink,
			control_daemon_methods, control_n_daemon_methods, &error);
	return r;
}

int control_new(struct control **ret, struct app *app)
{
	static const struct vl_registry_info info = {.vendor = "reeve",
		.product = "reeve",
		.version = PACKAGE_VERSION,
		.url = "https://reeve.io/"};
	const struct config *cf = app->core.config;
	struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->app = app;
	list_init(&c->conns);
	list_init(&c->waiting);
	rv_event_init(&c->idle);
	c->limits = (struct vl_server_limits)VL_SERVER_LIMITS_DEFAULT;
	c->limits.message_max = (size_t)config_num(cf, MESSAGE_MAX);
	c->limits.n_calls = (unsigned)config_num(cf, CALLS_IN_FLIGHT_MAX);
	r = hashmap_new(&c->per_uid, HASHMAP_U64);
	if (r >= 0)
		r = hangups_new(&c->hangups, app->loop, hung_up);
	if (r >= 0)
		r = vl_registry_new(&c->registry, &info);
	if (r >= 0)
		r = add_interfaces(c);
	if (r < 0) {
		control_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	INVARIANT(list_is_empty(&c->conns));
	for (size_t i = 0; i < c->n_servers; i++)
		rv_server_unref(c->servers[i]);
	free(c->servers);
	vl_registry_free(c->registry);
	hangups_free(c->hangups);
	hashmap_free(c->per_uid);
	free(c);
	return NULL;
}

void control_stop_accepting(struct control *c)
{
	c->stopping = true;
	for (size_t i = 0; i < c->n_servers; i++)
		rv_server_close(c->servers[i]);
}

/* tasks that will get on by themselves */
static unsigned n_busy_tasks(const struct control *c)
{
	unsigned n = c->n_tasks;

	LIST_FOREACH(node, &c->waiting) {
		if (!rv_event_is_set(LIST_ENTRY(node, struct waiting, link)->event))
			n--;
	}
	return n;
}

static int wait_for_tasks(struct control *c)
{
	while (n_busy_tasks(c)) {
		int r = rv_event_wait(&c->idle);

		if (r < 0)
			return r;
	}
	return 0;
}

int control_shutdown(struct control *c, rv_time grace)
{
	int r;

	control_stop_accepting(c);
	r = rv_timed(grace, wait_for_tasks(c));
	if (r == -ETIMEDOUT)
		log_at(LOG_WARNING, "control",
			"%u calls have no answer yet, closing their connections",
			n_busy_tasks(c));
	else if (r < 0)
		return r;
	for (size_t i = 0; i < c->n_servers; i++) {
		r = rv_server_shutdown(c->servers[i], RV_SEC(1));
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
	while (!list_is_empty(&c->conns)) {
		r = rv_event_wait(&c->idle);
		if (r < 0)
			return r;
	}
	return 0;
}

int control_wait_event(struct control_conn *conn, rv_event *event)
{
	struct control *c = conn->control;
	struct waiting w = {.event = event};
	int r;

	list_append(&c->waiting, &w.link);
	rv_event_set(&c->idle);
	rv_event_clear(&c->idle);
	r = rv_event_wait(event);
	list_remove(&w.link);
	return r;
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
