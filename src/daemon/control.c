/* The control socket: what is served on it, who may connect, and its end; control.h. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/invariant.h"
#include "base/log.h"
#include "config/configuration.h"
#include "daemon/control_priv.h"
#include "daemon/interfaces.h"
#include "reeve/scope.h"
#include "reeve/task.h"

#define BACKLOG 1024

/* a task in control_wait_event */
struct waiting {
	struct list link;
	const rv_event *event;
};

struct app *control_app(const struct control *c)
{
	return c->app;
}

struct core *control_core(const struct control *c)
{
	return &c->app->core;
}

size_t control_message_max(const struct control *c)
{
	return c->limits.message_max;
}

void control_progress(struct control *c)
{
	rv_event_set(&c->idle);
	rv_event_clear(&c->idle);
}

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

	r = rv_net_listen_fd(fd, control_conn_new, c, &opts, &srv);
	return r < 0 ? r : add_server(c, srv);
}

int control_bind(struct control *c, const char *path, mode_t mode)
{
	rv_listen_opts opts = {.backlog = BACKLOG, .accept = may_connect, .mode = mode};
	rv_server *srv;
	int r;

	r = rv_net_listen_unix(path, control_conn_new, c, &opts, &srv);
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
		r = vl_registry_add(c->registry, io_reeve_Schedule_varlink,
			control_schedule_methods, control_n_schedule_methods, &error);
	if (r >= 0)
		r = vl_registry_add(c->registry, io_reeve_Service_varlink,
			control_service_methods, control_n_service_methods, &error);
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
		r = hangups_new(&c->hangups, app->loop, control_hung_up);
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
	/* the last of them has answered, and its connection is yet to write that */
	if (r >= 0)
		r = rv_yield();
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
	control_progress(c);
	r = rv_event_wait(event);
	list_remove(&w.link);
	return r;
}
