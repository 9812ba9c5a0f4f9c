#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "daemon/schedule_record.h"

/* no time of ours is near it, and sums of some are numbers still */
#define TIME_MAX (INT64_MAX / 8)

const char *const schedule_did_name[SCHEDULE_DID_N] = {
#define X(id, name) [SCHEDULE_##id] = (name),
	SCHEDULE_DID(X)
#undef X
};

/* calls fn for each "KEY = VALUE" */
static int each_line(
	const char *text, int (*fn)(void *arg, const char *key, char *value), void *arg)
{
	_cleanup_(strv_freep) char **lines = NULL;
	int r = strv_split(&lines, text, "\n");

	STRV_FOREACH(line, lines) {
		char *eq = r >= 0 ? strstr(*line, " = ") : NULL;

		if (!eq)
			continue;
		*eq = '\0';
		r = fn(arg, *line, eq + 3);
	}
	return r < 0 ? r : 0;
}

/* ---- what was said ---------------------------------------------------------------------- */

void schedule_record_deinit(struct schedule_record *rec)
{
	config_named_deinit(&rec->def, CONFIG_SECTION_SCHEDULE);
	*rec = (struct schedule_record){.added = false};
}

static int format_job(struct buf *out, const struct job_spec *spec)
{
	_cleanup_free_ void *packed = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = job_spec_pack(&packed, &len, spec);

	if (r < 0)
		return r;
	text = malloc(base64_encoded_len(len) + 1);
	if (!text)
		return -ENOMEM;
	base64_encode(text, packed, len);
	return buf_printf(out, "job = %s\n", text);
}

/* user is not a key like others: who it was then counts, not who has that name later */
static int format_user(struct buf *out, const union config_value *v)
{
	if (!v->user.name)
		return 0;
	return buf_printf(out, "user = %" PRIu32 " %" PRIu32 " %s %s\n", v->user.uid,
		v->user.gid, v->user.name, v->user.home);
}

static int format_key(struct buf *out, enum config_key k, const union config_value *v)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	int r = 0;

	STRV_FOREACH(
		line, config_type_is_list(config_key_info[k].type) ? v->strv : NULL)
		if (r >= 0)
			r = buf_printf(
				out, "set %s = %s\n", config_key_info[k].key, *line);
	if (config_type_is_list(config_key_info[k].type))
		return r;
	r = config_value_format(&value, k, v);
	if (r < 0 || buf_len(&value) == 0)
		return r;
	return buf_printf(out, "set %s = %.*s\n", config_key_info[k].key,
		(int)buf_len(&value), buf_head(&value));
}

int schedule_record_format(struct buf *out, const struct schedule_record *rec)
{
	int r = 0;

	if (rec->added)
		r = buf_append_str(out, "added = yes\n");
	if (r >= 0 && rec->paused)
		r = buf_append_str(out, "paused = yes\n");
	if (!rec->added)
		return r;
	if (r >= 0)
		r = format_user(out, &rec->def.v[CONFIG_USER]);
	for (int k = 0; k < CONFIG_KEY_N && r >= 0; k++)
		if (config_key_info[k].section == CONFIG_SECTION_SCHEDULE &&
			k != CONFIG_USER)
			r = format_key(out, (enum config_key)k, &rec->def.v[k]);
	return r < 0 ? r : format_job(out, &rec->def.job->spec);
}

static int parse_user(union config_value *v, char *text)
{
	char *gid = text + strcspn(text, " "), *name, *home;
	uint64_t u, g;

	if (!*gid)
		return -EINVAL;
	*gid++ = '\0';
	name = gid + strcspn(gid, " ");
	if (!*name)
		return -EINVAL;
	*name++ = '\0';
	home = name + strcspn(name, " ");
	if (!*home)
		return -EINVAL;
	*home++ = '\0';
	if (parse_u64(&u, text, 0, UINT32_MAX - 1) < 0 ||
		parse_u64(&g, gid, 0, UINT32_MAX - 1) < 0)
		return -EINVAL;
	v->user.uid = (uint32_t)u;
	v->user.gid = (uint32_t)g;
	v->user.name = strdup(name);
	v->user.home = strdup(home);
	return v->user.name && v->user.home ? 0 : -ENOMEM;
}

static int parse_job(struct job_spec *spec, const char *text)
{
	_cleanup_free_ void *packed = NULL;
	struct job_spec s;
	size_t len;
	int r = base64_decode(&packed, &len, text, strlen(text));

	if (r >= 0)
		r = job_spec_unpack(&s, packed, len);
	if (r < 0)
		return r;
	job_spec_deinit(spec);
	*spec = s;
	return 0;
}

static int parse_key(struct config_named *def, const char *key, const char *value)
{
	int k = config_key_find(CONFIG_SECTION_SCHEDULE, key);
	union config_value v;
	int r;

	if (k < 0)
		return 0;
	r = config_value_parse(&v, (enum config_key)k, value, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0; /* its limits are narrower now */
	if (!config_type_is_list(config_key_info[k].type)) {
		config_value_free(&def->v[k], (enum config_key)k);
		def->v[k] = v;
		return 0;
	}
	STRV_FOREACH(line, v.strv)
		if (r >= 0)
			r = strv_append(&def->v[k].strv, *line);
	strv_free(v.strv);
	return r;
}

static int record_line(void *arg, const char *key, char *value)
{
	struct schedule_record *rec = arg;

	if (STREQ(key, "added"))
		rec->added = true;
	else if (STREQ(key, "paused"))
		rec->paused = true;
	else if (STREQ(key, "user") && !rec->def.v[CONFIG_USER].user.name)
		return parse_user(&rec->def.v[CONFIG_USER], value);
	else if (STREQ(key, "job"))
		return parse_job(&rec->def.job->spec, value);
	else if (strncmp(key, "set ", 4) == 0)
		return parse_key(&rec->def, key + 4, value);
	return 0;
}

int schedule_record_parse(
	struct schedule_record *ret, const char *name, const char *text)
{
	int r;

	*ret = (struct schedule_record){.added = false};
	r = config_named_init(&ret->def, CONFIG_SECTION_SCHEDULE, name);
	if (r < 0)
		return r;
	r = each_line(text, record_line, ret);
	/* without these its jobs would run as the daemon, or were none */
	if (r >= 0 && ret->added &&
		(!ret->def.v[CONFIG_USER].user.name ||
			!job_spec_says_work(&ret->def.job->spec)))
		r = -EINVAL;
	if (r < 0)
		schedule_record_deinit(ret);
	return r;
}

/* ---- how far it has come ------------------------------------------------------------------ */

void schedule_progress_deinit(struct schedule_progress *p)
{
	strv_free(p->when);
	free(p->zone);
	free(p->pending);
	for (size_t i = 0; i < p->n_history; i++)
		free(p->history[i].text);
	*p = (struct schedule_progress){.n_history = 0};
}

int schedule_progress_copy(
	struct schedule_progress *ret, const struct schedule_progress *p)
{
	struct schedule_progress c = {.state = p->state, .off = p->off};

	c.when = p->when ? strv_copy(p->when) : NULL;
	c.zone = p->zone ? strdup(p->zone) : NULL;
	c.pending = calloc(p->n_pending + 1, sizeof(*c.pending));
	if (!c.pending || (p->when && !c.when) || (p->zone && !c.zone))
		goto fail;
	if (p->n_pending)
		memcpy(c.pending, p->pending, p->n_pending * sizeof(*c.pending));
	c.n_pending = p->n_pending;
	for (; c.n_history < p->n_history; c.n_history++) {
		struct schedule_event *e = &c.history[c.n_history];

		*e = p->history[c.n_history];
		if (e->text && !(e->text = strdup(e->text)))
			goto fail;
	}
	*ret = c;
	return 0;
fail:
	schedule_progress_deinit(&c);
	return -ENOMEM;
}

static int format_event(struct buf *out, const struct schedule_event *e)
{
	return buf_printf(out,
		"history = %s %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64
		" %s\n",
		schedule_did_name[e->what], e->count, e->first_usec, e->nominal_usec,
		e->at_usec, e->job, e->text ? e->text : "");
}

int schedule_progress_format(struct buf *out, const struct schedule_progress *p)
{
	int r = buf_printf(out,
		"begun = %" PRId64 "\nlast = %" PRId64 "\ninterval-last = %" PRId64
		"\n",
		p->state.begun_usec, p->state.last_usec, p->state.interval_last_usec);

	if (r >= 0 && p->off)
		r = buf_append_str(out, "off = yes\n");
	STRV_FOREACH(text, p->when)
		if (r >= 0)
			r = buf_printf(out, "when = %s\n", *text);
	if (r >= 0 && p->zone)
		r = buf_printf(out, "zone = %s\n", p->zone);
	for (size_t i = 0; i < p->n_pending && r >= 0; i++)
		r = buf_printf(out, "pending = %" PRId64 " %" PRId64 " %s%s\n",
			p->pending[i].nominal_usec, p->pending[i].start_usec,
			p->pending[i].made_up ? "m" : "-",
			p->pending[i].waits ? "w" : "-");
	for (size_t i = 0; i < p->n_history && r >= 0; i++)
		r = format_event(out, &p->history[i]);
	return r;
}

static bool is_time(int64_t usec)
{
	return usec >= -TIME_MAX && usec <= TIME_MAX;
}

static int parse_pending(struct schedule_progress *p, const char *text)
{
	struct schedule_pending owed = {.made_up = false};
	char flags[3];
	int r;

	if (sscanf(text, "%" SCNd64 " %" SCNd64 " %2s", &owed.nominal_usec,
		    &owed.start_usec, flags) != 3 ||
		!is_time(owed.nominal_usec) || !is_time(owed.start_usec))
		return 0;
	owed.made_up = flags[0] == 'm';
	owed.waits = flags[1] == 'w';
	r = schedule_progress_owe(p, owed);
	return r == -RV_ELIMIT ? 0 : r;
}

static int parse_event(struct schedule_progress *p, const char *text)
{
	struct schedule_event *e = &p->history[p->n_history];
	char what[16];
	int at = 0;

	if (p->n_history == SCHEDULE_HISTORY_MAX ||
		sscanf(text,
			"%15s %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNu64
			"%n",
			what, &e->count, &e->first_usec, &e->nominal_usec, &e->at_usec,
			&e->job, &at) != 6 ||
		!is_time(e->first_usec) || !is_time(e->nominal_usec) ||
		!is_time(e->at_usec) || e->job > INT64_MAX || e->count < 1 ||
		e->count > INT64_MAX)
		return 0;
	for (int i = 0; i < SCHEDULE_DID_N; i++) {
		if (!STREQ(schedule_did_name[i], what))
			continue;
		e->what = (enum schedule_did)i;
		text += at + (text[at] == ' ');
		e->text = *text ? strdup(text) : NULL;
		p->n_history++;
		return *text && !e->text ? -ENOMEM : 0;
	}
	return 0;
}

static int progress_line(void *arg, const char *key, char *value)
{
	struct schedule_progress *p = arg;

	if (STREQ(key, "begun"))
		(void)!parse_i64(&p->state.begun_usec, value, -TIME_MAX, TIME_MAX);
	else if (STREQ(key, "last"))
		(void)!parse_i64(&p->state.last_usec, value, -TIME_MAX, TIME_MAX);
	else if (STREQ(key, "interval-last"))
		(void)!parse_i64(
			&p->state.interval_last_usec, value, -TIME_MAX, TIME_MAX);
	else if (STREQ(key, "off"))
		p->off = true;
	else if (STREQ(key, "when"))
		return strv_append(&p->when, value);
	else if (STREQ(key, "zone") && !p->zone)
		return (p->zone = strdup(value)) ? 0 : -ENOMEM;
	else if (STREQ(key, "pending"))
		return parse_pending(p, value);
	else if (STREQ(key, "history"))
		return parse_event(p, value);
	return 0;
}

int schedule_progress_parse(struct schedule_progress *ret, const char *text)
{
	int r;

	*ret = (struct schedule_progress){.n_history = 0};
	r = each_line(text, progress_line, ret);
	if (ret->state.interval_last_usec == 0) /* it was not written always */
		ret->state.interval_last_usec = ret->state.last_usec;
	if (r < 0)
		schedule_progress_deinit(ret);
	return r;
}

static bool is_full(const struct schedule_progress *p, bool made_up)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_pending; i++)
		n += p->pending[i].made_up == made_up;
	return n >= SCHEDULE_PENDING_MAX;
}

int schedule_progress_owe(struct schedule_progress *p, struct schedule_pending owed)
{
	struct schedule_pending *v;
	size_t i = p->n_pending;

	if (i >= SCHEDULE_PENDING_MAX && is_full(p, owed.made_up))
		return -RV_ELIMIT;
	v = reallocarray(p->pending, i + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	p->pending = v;
	for (; i > 0 && v[i - 1].start_usec > owed.start_usec; i--)
		v[i] = v[i - 1];
	v[i] = owed;
	p->n_pending++;
	return 0;
}

void schedule_progress_give_up(struct schedule_progress *p, int64_t at_usec)
{
	if (p->n_pending == 0)
		return;
	schedule_progress_note(
		p, (struct schedule_event){.what = SCHEDULE_PAUSED,
			   .count = p->n_pending,
			   .nominal_usec = p->pending[p->n_pending - 1].nominal_usec,
			   .at_usec = at_usec});
	p->n_pending = 0;
}

void schedule_progress_sort(struct schedule_progress *p)
{
	for (size_t i = 1; i < p->n_pending; i++) {
		struct schedule_pending owed = p->pending[i];
		size_t k = i;

		for (; k > 0 && p->pending[k - 1].start_usec > owed.start_usec; k--)
			p->pending[k] = p->pending[k - 1];
		p->pending[k] = owed;
	}
}

static bool is_left_out(enum schedule_did what)
{
	return what != SCHEDULE_STARTED && what != SCHEDULE_MADE_UP &&
	       what != SCHEDULE_MANUAL;
}

void schedule_progress_note(struct schedule_progress *p, struct schedule_event e)
{
	struct schedule_event *last =
		p->n_history ? &p->history[p->n_history - 1] : NULL;

	e.count = e.count ? e.count : 1;
	e.first_usec = e.nominal_usec;
	if (last && last->what == e.what && is_left_out(e.what)) {
		e.first_usec = last->first_usec;
		e.count += last->count;
		free(last->text);
		*last = e;
		return;
	}
	if (p->n_history == SCHEDULE_HISTORY_MAX) {
		free(p->history[0].text);
		memmove(p->history, p->history + 1,
			(SCHEDULE_HISTORY_MAX - 1) * sizeof(p->history[0]));
		p->n_history--;
	}
	p->history[p->n_history++] = e;
}
