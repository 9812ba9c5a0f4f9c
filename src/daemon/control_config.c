/* What a reload would do. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/app.h"
#include "daemon/app_setup.h"
#include "daemon/control_job.h"
#include "daemon/control_priv.h"
#include "daemon/core.h"
#include "daemon/pools.h"
#include "daemon/scheduler.h"
#include "daemon/services.h"
#include "varlink/json_write.h"

/* told in one reply; the rest is counted */
enum { DIFF_BYTES_MAX = 1 << 20 };

struct diff_reply {
	struct buf text;
	struct json_writer w;
	struct app *app;
	size_t n;
	struct standing *services; /* as they are now, by their names */
	size_t n_services;
};

/* of a service: the other thread cannot look at it itself */
struct standing {
	char name[65];
	bool stopped;  /* by an operator: nothing restarts it */
	size_t wanted; /* instances */
};

static const char *const diff_name[] = {
	[CONFIG_DIFF_VALUE] = "value",
	[CONFIG_DIFF_NEW_SECTION] = "new",
	[CONFIG_DIFF_GONE] = "gone",
};

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_writer_string(w, key, text);
}

static int compare_names(const void *name, const void *standing)
{
	return strcmp(name, ((const struct standing *)standing)->name);
}

static const struct standing *find_standing(
	const struct diff_reply *reply, const char *name)
{
	return reply->n_services > 0 ? bsearch(name, reply->services, reply->n_services,
					       sizeof(*reply->services), compare_names)
				     : NULL;
}

/* those that are restarted */
static void put_services(struct diff_reply *reply, char *const *names)
{
	json_writer_array(&reply->w, "services");
	STRV_FOREACH(name, names) {
		const struct standing *s = find_standing(reply, *name);

		if (!s || !s->stopped)
			json_writer_string(&reply->w, NULL, *name);
	}
	json_writer_array_end(&reply->w);
}

static void put_standing(struct diff_reply *reply, const struct config_place *place)
{
	const char *kind = config_section_name[CONFIG_SECTION_SERVICE];
	const struct standing *s = STREQ(place->section, kind)
					   ? find_standing(reply, place->argument)
					   : NULL;

	if (!s)
		return;
	json_writer_bool(&reply->w, "stopped", s->stopped);
	json_writer_int(&reply->w, "instances", (int64_t)s->wanted);
}

/* config_diff_fn, in a worker: the loop's task waits for it */
static int put_difference(const struct config_difference *d, void *arg)
{
	struct diff_reply *reply = arg;
	struct json_writer *w = &reply->w;
	int key = -1;

	reply->n++;
	if (buf_len(&reply->text) > DIFF_BYTES_MAX)
		return 0;
	json_writer_object(w, NULL);
	json_writer_string(w, "what", diff_name[d->what]);
	json_writer_string(w, "section", d->place.section);
	put_text(w, "name", d->place.argument);
	put_text(w, "key", d->place.key);
	put_text(w, "before", d->before);
	put_text(w, "after", d->after);
	if (d->origin->file) {
		json_writer_string(w, "file", d->origin->file);
		json_writer_int(w, "line", d->origin->line);
	}
	if (STREQ(d->place.section, config_section_name[CONFIG_SECTION_REEVED]) &&
		d->place.key)
		key = config_key_find(CONFIG_SECTION_REEVED, d->place.key);
	json_writer_bool(w, "restart_needed",
		key >= 0 && app_key_needs_restart((enum config_key)key));
	if (d->services)
		put_services(reply, d->services);
	put_standing(reply, &d->place);
	json_writer_object_end(w);
	return w->error;
}

static void put_override(struct diff_reply *reply, const char *name, enum config_key k,
	const union config_value *v, bool stays)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	struct json_writer *w = &reply->w;

	if (config_value_format(&value, k, v) < 0) {
		w->error = -ENOMEM;
		return;
	}
	json_writer_object(w, NULL);
	json_writer_string(
		w, "section", config_section_name[config_key_info[k].section]);
	json_writer_string(w, "name", name);
	json_writer_string(w, "key", config_key_info[k].key);
	json_writer_string_n(w, "value", buf_head(&value), buf_len(&value));
	json_writer_bool(w, "stays", stays);
	json_writer_object_end(w);
}

static void put_pool(
	struct diff_reply *reply, const struct pool *p, const struct config *after)
{
	const struct pools *pools = reply->app->core.pools;
	bool stays = pools_keeps_settings(pools, p->name, after);
	struct pool_settings s;

	pools_settings(pools, p->name, &s);
	for (int i = 0; i < CONFIG_KEY_N; i++) {
		enum config_key k = (enum config_key)i;

		if (pools_key_is_set(pools, p->name, k))
			put_override(reply, p->name, k, &s.v[k], stays);
	}
}

static void put_service(
	struct diff_reply *reply, const struct service *s, const struct config *after)
{
	const struct config_named *now =
		config_find(after, CONFIG_SECTION_SERVICE, s->name);
	const union config_value n = {.num = s->rec.instances};

	if (s->rec.scaled)
		put_override(reply, s->name, CONFIG_INSTANCES, &n,
			now && config_named_equal(
				       s->section, now, CONFIG_SECTION_SERVICE));
}

/* what was set at run time of pools and services that a file defines. 0, -ENOMEM */
static int put_overrides(struct diff_reply *reply, const struct config *after)
{
	const struct core *core = &reply->app->core;
	const struct scheduler *s = core->scheduler;
	_cleanup_free_ struct service **services = services_list(core->services);

	if (!services)
		return -ENOMEM;
	json_writer_array(&reply->w, "overrides");
	for (size_t i = 0; i < scheduler_n_pools(s); i++) {
		const struct pool *p = scheduler_pool_at(s, i);

		if (!pools_section(core->pools, p->name) ||
			buf_len(&reply->text) > 2 * DIFF_BYTES_MAX)
			continue;
		put_pool(reply, p, after);
	}
	for (struct service **p = services; *p; p++)
		if (buf_len(&reply->text) <= 2 * DIFF_BYTES_MAX)
			put_service(reply, *p, after);
	json_writer_array_end(&reply->w);
	return 0;
}

/* 0, -ENOMEM */
static int look_at_services(struct diff_reply *reply)
{
	_cleanup_free_ struct service **all = services_list(reply->app->core.services);
	size_t n = 0;

	while (all && all[n])
		n++;
	reply->services = calloc(n + 1, sizeof(*reply->services));
	if (!all || !reply->services)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct standing *s = &reply->services[i];

		snprintf(s->name, sizeof(s->name), "%s", all[i]->name);
		s->stopped = all[i]->rec.stopped;
		s->wanted = service_wanted(all[i]);
	}
	reply->n_services = n;
	return 0;
}

int control_daemon_diff(struct control_conn *conn, struct vl_call *call)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *after = NULL;
	struct diff_reply reply = {.text = BUF_NULL, .app = control_app(conn->control)};
	int r;

	/* values may be secrets: those of schedules' environments */
	if (!conn->is_admin)
		return vl_call_denied(call);
	json_writer_init(&reply.w, &reply.text);
	json_writer_object(&reply.w, NULL);
	json_writer_array(&reply.w, "changes");
	r = look_at_services(&reply);
	if (r >= 0)
		r = app_diff(reply.app, &errors, put_difference, &reply, &after);
	json_writer_array_end(&reply.w);
	if (r >= 0) {
		json_writer_int(&reply.w, "n", (int64_t)reply.n);
		r = put_overrides(&reply, after);
		json_writer_object_end(&reply.w);
		if (json_writer_end(&reply.w) < 0)
			r = -ENOMEM;
	}
	if (r == -EINVAL)
		r = control_config_errors(call, &errors);
	else if (r >= 0)
		r = vl_call_reply_text(
			call, buf_head(&reply.text), buf_len(&reply.text), false);
	buf_deinit(&reply.text);
	free(reply.services);
	return r;
}
