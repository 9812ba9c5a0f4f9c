/* io.reeve.Pool: pools are looked at, made, changed and steered. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "daemon/app.h"
#include "daemon/control_job.h"
#include "daemon/core.h"
#include "daemon/pools.h"
#include "daemon/scheduler.h"
#include "reeve/executor.h"
#include "varlink/json_write.h"

#define ORIGIN_MAX 4200

/* "FILE:LINE", "run time", or NULL for the pool that is there without either */
static const char *origin_of(const struct pools *ps, const char *name, char *buf)
{
	const struct config_named *section = pools_section(ps, name);
	const struct pool_record *rec = pools_record(ps, name);

	if (section && section->origin.file) {
		snprintf(buf, ORIGIN_MAX, "%s:%u", section->origin.file,
			section->origin.line);
		return buf;
	}
	return !section && rec && rec->added ? "run time" : NULL;
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		json_writer_string(w, key, text);
	else
		json_writer_null(w, key);
}

static void put_value(struct json_writer *w, const char *key, enum config_key k,
	const struct pool_settings *s)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;

	if (config_value_format(&text, k, &s->v[k]) < 0)
		w->error = -ENOMEM;
	else
		json_writer_string_n(w, key, buf_head(&text), buf_len(&text));
}

/* one that nothing defines and nobody names is left out */
static void put_pool(
	struct json_writer *w, const struct core *core, const struct pool *p)
{
	const struct pool_record *rec = pools_record(core->pools, p->name);
	size_t n_unfinished, n_queued;
	struct pool_settings s;
	char origin[ORIGIN_MAX];

	scheduler_count_pool(core->scheduler, p, &n_unfinished, &n_queued);
	/* that of callbacks is nobody's to set: shown while it has some */
	if ((p->gone || !name_is_valid(p->name)) && n_unfinished == 0)
		return;
	pools_settings(core->pools, p->name, &s);
	json_writer_object(w, NULL);
	json_writer_string(w, "name", p->name);
	json_writer_int(w, "slots", p->slots.max);
	json_writer_int(w, "running", p->n_running - p->n_ahead + p->functions.taken);
	json_writer_int(w, "queued", (int64_t)n_queued + p->n_ahead);
	json_writer_int(w, "unfinished", (int64_t)n_unfinished);
	json_writer_int(w, "taken", p->slots.taken - p->n_ahead);
	json_writer_bool(w, "paused", p->paused);
	json_writer_bool(w, "draining", p->draining);
	json_writer_bool(w, "gone", p->gone);
	put_text(w, "reason", rec ? rec->reason : NULL);
	put_value(w, "rate", CONFIG_RATE, &s);
	json_writer_bool(w, "pause_on_failure", s.v[CONFIG_PAUSE_ON_FAILURE].num);
	if (s.v[CONFIG_ON_EMPTY].text)
		put_value(w, "on_empty", CONFIG_ON_EMPTY, &s);
	if (s.v[CONFIG_ON_EMPTY_USER].user.name)
		put_value(w, "on_empty_user", CONFIG_ON_EMPTY_USER, &s);
	put_text(w, "origin", origin_of(core->pools, p->name, origin));
	json_writer_array(w, "changed");
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (pools_key_is_set(core->pools, p->name, (enum config_key)k))
			json_writer_string(w, NULL, config_key_info[k].key);
	json_writer_array_end(w);
	json_writer_object_end(w);
}

int control_pool_list(struct control_conn *conn, struct vl_call *call)
{
	const struct core *core = control_core(conn->control);
	const struct scheduler *s = core->scheduler;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	struct json_writer w;

	json_writer_init(&w, &text);
	json_writer_object(&w, NULL);
	json_writer_array(&w, "pools");
	for (size_t i = 0; i < scheduler_n_pools(s); i++)
		put_pool(&w, core, scheduler_pool_at(s, i));
	json_writer_array_end(&w);
	return control_reply_object(call, &w, &text);
}

/* ---- changes ----------------------------------------------------------------------------- */

static int invalid(struct vl_call *call, const char *field, const char *message)
{
	json_t *params = json_pack("{s:s, s:s}", "field", field, "message",
		message ? message : "not possible");

	vl_call_error(call, "io.reeve.Pool.Invalid", params);
	json_decref(params);
	return -EINVAL;
}

/* One member as it would be written in a file: the checks are the same. 1; 0: not given;
 * -ENOMEM */
static int member_text(char **ret, const json_t *m)
{
	int r;

	if (json_is_integer(m))
		r = asprintf(ret, "%" JSON_INTEGER_FORMAT, json_integer_value(m));
	else if (json_is_boolean(m))
		r = asprintf(ret, "%s", json_is_true(m) ? "yes" : "no");
	else if (json_is_string(m))
		r = asprintf(ret, "%s", json_string_value(m));
	else
		return 0;
	return r < 0 ? -ENOMEM : 1;
}

/* The value of a key; "" of what has no default: none. 0; -ENOMEM; else err says why not. */
static int read_key(
	struct pool_settings *ret, enum config_key k, const char *text, char **err)
{
	int r = 0;

	ret->v[k] = (union config_value){.text = NULL};
	if (*text || config_key_info[k].default_text)
		r = config_value_parse(&ret->v[k], k, text, err);
	ret->set[k] = r >= 0;
	return r;
}

struct user_query {
	struct pool_settings *settings;
	uid_t uid;
	char *message;
};

/* in a worker: users may be far */
static int look_up_user(void *arg)
{
	struct user_query *q = arg;
	char number[24];

	snprintf(number, sizeof(number), "%ju", (uintmax_t)q->uid);
	return read_key(q->settings, CONFIG_ON_EMPTY_USER, number, &q->message);
}

/* Who says what is run is who it runs as. */
static int read_user(
	struct pool_settings *ret, struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	struct user_query q = {.settings = ret, .uid = conn->peer.uid};
	int r;

	if (!ret->set[CONFIG_ON_EMPTY] || !core->system_mode)
		return 0;
	r = rv_run_blocking(core->io, look_up_user, &q);
	if (r < 0 && r != -ENOMEM && r != -ECANCELED)
		r = invalid(call, "on_empty", q.message);
	free(q.message);
	return r;
}

/* 0; -EINVAL: answered already. *ret owns its values, also on failure. */
static int read_settings(
	struct pool_settings *ret, struct control_conn *conn, struct vl_call *call)
{
	static const struct {
		const char *member;
		enum config_key key;
	} members[] = {
		{"slots", CONFIG_SLOTS},
		{"rate", CONFIG_RATE},
		{"pause_on_failure", CONFIG_PAUSE_ON_FAILURE},
		{"on_empty", CONFIG_ON_EMPTY},
	};
	const json_t *obj = json_object_get(vl_call_params(call), "settings");

	*ret = (struct pool_settings){.set = {false}};
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		_cleanup_free_ char *err = NULL, *text = NULL;
		int r = member_text(&text, json_object_get(obj, members[i].member));

		if (r > 0)
			r = read_key(ret, members[i].key, text, &err);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			return invalid(call, members[i].member, err);
	}
	return read_user(ret, conn, call);
}

/* Answers an error that pools.h names; others are the caller's. */
static int answer_error(
	struct core *core, struct vl_call *call, const char *name, int r)
{
	char origin[ORIGIN_MAX];
	const char *from = origin_of(core->pools, name, origin);
	const struct pool *p = scheduler_pool(core->scheduler, name);
	size_t n_unfinished = 0, n_queued;
	json_t *params;

	if (p)
		scheduler_count_pool(core->scheduler, p, &n_unfinished, &n_queued);
	switch (r) {
	case -ENOENT:
		return reply_error(
			call, "io.reeve.Pool.NotFound", "{\"name\":\"%s\"}", name);
	case -RV_ELIMIT:
		return reply_error(call, "io.reeve.Pool.LimitReached",
			"{\"limit\":\"pools-max\",\"maximum\":%" PRId64 "}",
			config_num(core->config, POOLS_MAX));
	case -EBUSY:
		return reply_error(call, "io.reeve.Pool.InUse",
			"{\"name\":\"%s\",\"unfinished\":%zu}", name, n_unfinished);
	case -EEXIST:
		params = json_pack("{s:s, s:s?}", "name", name, "origin", from);
		break;
	case -EPERM:
		if (from && STREQ(from, "run time"))
			return reply_error(call, "io.reeve.Pool.NotDefined",
				"{\"name\":\"%s\"}", name);
		params = json_pack("{s:s, s:s}", "name", name, "origin",
			from ? from : "it is always there");
		break;
	default: return r;
	}
	r = vl_call_error(call,
		r == -EEXIST ? "io.reeve.Pool.Exists" : "io.reeve.Pool.Defined",
		params);
	json_decref(params);
	return r;
}

/* The name, checked, for one who may change pools; NULL: answered. */
static const char *name_to_change(struct control_conn *conn, struct vl_call *call)
{
	const char *name =
		json_string_value(json_object_get(vl_call_params(call), "name"));

	if (!conn->is_admin) {
		vl_call_denied(call);
		return NULL;
	}
	if (!name_is_valid(name)) {
		invalid(call, "name",
			"not a name (letters, digits and _ . @ -, at most 64, a letter "
			"or _ first)");
		return NULL;
	}
	return name;
}

static int answer(struct core *core, struct vl_call *call, const char *name, int r)
{
	return r < 0 ? answer_error(core, call, name, r)
		     : vl_call_reply(call, NULL, false);
}

static int answer_changed(
	struct core *core, struct vl_call *call, const char *name, int r, bool changed)
{
	const char *text = changed ? "{\"changed\":true}" : "{\"changed\":false}";

	return r < 0 ? answer_error(core, call, name, r)
		     : vl_call_reply_text(call, text, strlen(text), false);
}

int control_pool_add(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	const char *name = name_to_change(conn, call);
	struct pool_settings s;
	int r;

	if (!name)
		return 0;
	r = read_settings(&s, conn, call);
	if (r >= 0)
		r = answer(core, call, name, pools_add(core->pools, name, &s));
	pool_settings_deinit(&s);
	return r == -EINVAL ? 0 : r;
}

int control_pool_set(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	const char *name = name_to_change(conn, call);
	struct pool_settings s;
	bool changed = false;
	int r;

	if (!name)
		return 0;
	r = read_settings(&s, conn, call);
	if (r >= 0) {
		r = pools_set(core->pools, name, &s, &changed);
		r = answer_changed(core, call, name, r, changed);
	}
	pool_settings_deinit(&s);
	return r == -EINVAL ? 0 : r;
}

int control_pool_reset(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	const char *name = name_to_change(conn, call);
	bool changed = false;
	int r;

	if (!name)
		return 0;
	r = pools_reset(core->pools, name, &changed);
	return answer_changed(core, call, name, r, changed);
}

int control_pool_remove(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	const char *name = name_to_change(conn, call);

	return name ? answer(core, call, name, pools_remove(core->pools, name)) : 0;
}

static int steer(struct control_conn *conn, struct vl_call *call, enum pool_steer what)
{
	struct core *core = control_core(conn->control);
	const char *name = name_to_change(conn, call);
	bool changed = false;
	int r;

	if (!name)
		return 0;
	r = pools_steer(core->pools, name, what, &changed);
	return answer_changed(core, call, name, r, changed);
}

int control_pool_pause(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, POOL_PAUSE);
}

int control_pool_resume(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, POOL_RESUME);
}

int control_pool_drain(struct control_conn *conn, struct vl_call *call)
{
	return steer(conn, call, POOL_DRAIN);
}
