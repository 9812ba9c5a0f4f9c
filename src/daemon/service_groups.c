#include "config.h"

#include "daemon/service_groups.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "daemon/jobs.h"
#include "daemon/service_counts.h"
#include "daemon/service_up.h"

#define KIND     "service-group"
#define GIVEN_UP "given up with its group"

enum { NAMES_MAX = 8 }; /* of services that a line of the log names */

/* ---- the objects ------------------------------------------------------------------------------ */

static struct service_group *group_get(struct services *ss, const char *name)
{
	struct service_group *g = hashmap_get(ss->groups, name);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (g)
		snprintf(g->name, sizeof(g->name), "%s", name);
	if (!g || hashmap_put(ss->groups, g->name, g) < 0) {
		free(g);
		return NULL;
	}
	return g;
}

static void group_free(struct service_group *g)
{
	rate_deinit(&g->limit);
	strv_free(g->restarting);
	free(g->given_up);
	free(g->v);
	free(g);
}

void groups_free(struct services *ss)
{
	struct service_group *g;

	HASHMAP_FOREACH(g, ss->groups)
		group_free(g);
	ss->groups = hashmap_free(ss->groups);
}

void group_forget_service(struct service *s)
{
	struct service_group *g = s->group;

	for (size_t i = 0; g && i < g->n; i++)
		if (g->v[i] == s) {
			memmove(&g->v[i], &g->v[i + 1],
				(g->n - i - 1) * sizeof(struct service *));
			g->n--;
		}
	s->group = NULL;
}

/* ---- what is on disk -------------------------------------------------------------------------- */

static int format(
	struct buf *out, const struct service_group *g, const struct clock *clock)
{
	int r = 0;

	STRV_FOREACH(name, g->restarting)
		if (r >= 0)
			r = buf_printf(out, "%s%s",
				name == g->restarting ? "restarting = " : " ", *name);
	if (r >= 0 && g->restarting)
		r = buf_append_byte(out, '\n');
	if (r >= 0 && g->given_up)
		r = buf_printf(out, "given-up = %s\n%s", g->given_up,
			g->acknowledged ? "acknowledged = yes\n" : "");
	if (r < 0 || g->limit.n_at == 0)
		return r;
	r = buf_append_str(out, "restarts = ");
	if (r >= 0)
		r = counts_format(out, &g->limit, clock);
	return r < 0 ? r : buf_append_byte(out, '\n');
}

int group_put(const struct services *ss, struct txn *t, const struct service_group *g)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	char *text = NULL;

	if (g->restarting || g->given_up || g->limit.n_at > 0) {
		if (format(&b, g, ss->core->clock) >= 0)
			text = buf_steal_str(&b, NULL);
		if (!text)
			return -ENOMEM;
	}
	return txn_define(t, KIND, g->name, text);
}

static int load_line(struct services *ss, struct service_group *g, const char *key,
	const char *value)
{
	if (STREQ(key, "restarts"))
		return counts_parse(&g->limit, value, ss->core->clock);
	if (STREQ(key, "restarting")) {
		g->restarting = strv_free(g->restarting);
		return strv_split(&g->restarting, value, " ");
	}
	if (STREQ(key, "acknowledged"))
		g->acknowledged = STREQ(value, "yes");
	if (!STREQ(key, "given-up"))
		return 0;
	free(g->given_up);
	g->given_up = strdup(value);
	return g->given_up ? 0 : -ENOMEM;
}

int groups_load(struct services *ss, const char *name, const char *text)
{
	struct service_group *g = group_get(ss, name);
	_cleanup_(strv_freep) char **lines = NULL;
	int r = g ? strv_split(&lines, text, "\n") : -ENOMEM;

	STRV_FOREACH(line, lines) {
		char *eq = r >= 0 ? strstr(*line, " = ") : NULL;

		if (!eq)
			continue;
		*eq = '\0';
		r = load_line(ss, g, *line, eq + 3);
	}
	return r;
}

int services_record_end(struct services *ss, const struct job *j, struct txn *t)
{
	struct instance *in = ss ? services_instance_of(ss, j) : NULL;
	struct service_group *g = in ? in->service->group : NULL;
	int r = in ? instance_put_counts(ss, in, t) : 0;

	if (r < 0 || !g || !g->unwritten)
		return r;
	g->unwritten = false;
	return group_put(ss, t, g);
}

/* ---- as the configuration has them ------------------------------------------------------------- */

static int set_members(struct services *ss, struct service_group *g)
{
	char *const *names = g->section->v[CONFIG_GROUP_SERVICES].strv;
	struct service **v = calloc(strv_len(names) + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	free(g->v);
	g->v = v;
	g->n = 0;
	STRV_FOREACH(name, names) {
		struct service *s = services_find(ss, *name);

		if (!s)
			continue;
		s->group = g;
		g->v[g->n++] = s;
		STRV_FOREACH(r, g->restarting)
			s->restarts |= STREQ(*r, s->name);
	}
	return rate_set(&g->limit, (unsigned)g->section->v[CONFIG_GROUP_BURST].num,
		RV_US(g->section->v[CONFIG_GROUP_INTERVAL].num));
}

/* There is none of that name any more, and nothing of it counts. It follows from the file:
 * should it not be written, it follows again. */
static void drop(struct services *ss, struct service_group *g)
{
	struct txn *t = txn_new();
	bool recorded = g->restarting || g->given_up || g->limit.n_at > 0;

	g->restarting = strv_free(g->restarting);
	free(g->given_up);
	g->given_up = NULL;
	rate_forget(&g->limit);
	if (t && recorded && group_put(ss, t, g) >= 0)
		committer_post(ss->core->committer, t, COMMIT_MUST, NULL, NULL);
	else
		txn_free(t);
	hashmap_remove(ss->groups, g->name);
	group_free(g);
}

static void drop_gone(struct services *ss)
{
	struct service_group *g, *gone;

	do {
		gone = NULL;
		HASHMAP_FOREACH(g, ss->groups)
			if (!g->section)
				gone = g;
		if (gone)
			drop(ss, gone);
	} while (gone);
}

int groups_apply(struct services *ss)
{
	const struct config_names *names = &ss->config->named[CONFIG_SECTION_GROUP];
	struct service_group *g;
	struct service *s;
	int r = 0;

	HASHMAP_FOREACH(s, ss->by_name) {
		s->group = NULL;
		s->restarts = false;
	}
	HASHMAP_FOREACH(g, ss->groups) {
		g->section = NULL;
		g->n = 0;
	}
	for (size_t i = 0; i < names->n && r >= 0; i++) {
		g = group_get(ss, names->v[i].name);
		if (!g)
			return -ENOMEM;
		g->section = &names->v[i];
		r = set_members(ss, g);
	}
	if (r >= 0)
		drop_gone(ss);
	return r;
}

/* ---- an end ------------------------------------------------------------------------------------ */

static void look_again(struct services *ss, struct service_group *g)
{
	for (size_t i = 0; i < g->n; i++)
		service_look_again(ss, g->v[i]);
}

static void give_up(
	struct services *ss, struct service_group *g, char *reason, size_t size)
{
	const union config_value *v = g->section->v;
	char text[160];

	service_describe_burst(text, sizeof(text), (unsigned)v[CONFIG_GROUP_BURST].num,
		v[CONFIG_GROUP_INTERVAL].num);
	snprintf(reason, size, GIVEN_UP ": %s", text);
	log_at(LOG_ERR, "service", "group '%s' is given up: %s, stopping its services",
		g->name, text);
	free(g->given_up);
	g->acknowledged = false;
	g->given_up = strdup(text);
	if (!g->given_up) /* no memory for so little: it is tried once more */
		return;
	g->restarting = strv_free(g->restarting);
	for (size_t i = 0; i < g->n; i++)
		g->v[i]->restarts = false;
	g->unwritten = true;
	look_again(ss, g);
}

bool group_may_restart(
	struct services *ss, struct service_group *g, char *reason, size_t size)
{
	rv_time now = clock_boottime(ss->core->clock);

	if (rate_free_at(&g->limit) <= now) {
		rate_note(&g->limit, now);
		g->unwritten = true;
		return true;
	}
	give_up(ss, g, reason, size);
	return false;
}

/* "d, c", "d, c and 5 more" */
static void name_some(const struct service_group *g, const size_t *places, size_t n,
	char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < n && i < NAMES_MAX && used < size; i++)
		used += (size_t)snprintf(buf + used, size - used, "%s%s",
			i > 0 ? ", " : "", g->v[places[i]]->name);
	if (n > NAMES_MAX && used < size)
		snprintf(buf + used, size - used, " and %zu more", n - NAMES_MAX);
}

static void tell(const struct service_group *g, const struct service *s,
	const size_t *stop, size_t n_stop, const size_t *start, size_t n_start)
{
	char stops[NAMES_MAX * 70], starts[NAMES_MAX * 70];

	name_some(g, stop, n_stop, stops, sizeof(stops));
	name_some(g, start, n_start, starts, sizeof(starts));
	log_at(LOG_NOTICE, "service",
		"group '%s': service '%s' comes again%s%s, starting %s", g->name,
		s->name, n_stop > 0 ? ", stopping " : "", stops, starts);
}

static int keep_plan(struct services *ss, struct service_group *g,
	const struct service *s, enum restart_strategy strategy,
	struct restart_member *members, size_t *places)
{
	size_t *stop = places, *start = places + g->n, n_stop, n_start, ended = g->n;
	int r = 0;

	for (size_t i = 0; i < g->n; i++) {
		members[i] = (struct restart_member){
			.is_up = g->v[i]->cond.runs && g->v[i] != s,
			.is_wanted = !g->v[i]->rec.stopped && g->v[i]->section};
		if (g->v[i] == s)
			ended = i;
	}
	if (ended == g->n)
		return 0;
	restart_plan(strategy, members, g->n, ended, stop, &n_stop, start, &n_start);
	for (size_t i = 0; i < n_start && r >= 0; i++) {
		struct service *with = g->v[start[i]];

		if (!with->restarts)
			r = strv_append(&g->restarting, with->name);
		with->restarts |= r >= 0;
	}
	g->unwritten = true;
	g->n_plans++;
	tell(g, s, stop, n_stop, start, n_start);
	look_again(ss, g);
	return r;
}

bool group_restart(struct services *ss, struct service *s, bool all)
{
	struct service_group *g = s->group;
	enum restart_strategy strategy =
		(enum restart_strategy)g->section->v[CONFIG_STRATEGY].num;
	_cleanup_free_ struct restart_member *members = NULL;
	_cleanup_free_ size_t *places = NULL;

	if (strategy == RESTART_ONE_FOR_ONE && !all)
		return false;
	members = calloc(g->n + 1, sizeof(*members));
	places = calloc(2 * g->n + 1, sizeof(*places));
	if (!members || !places || keep_plan(ss, g, s, strategy, members, places) < 0)
		log_at(LOG_ERR, "service",
			"out of memory: not all of group '%s' are restarted", g->name);
	return s->restarts;
}

int group_restart_these(
	struct service_group *g, struct service **v, size_t n, char ***ret_added)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (v[i]->restarts)
			continue;
		r = strv_append(ret_added, v[i]->name);
		if (r >= 0)
			r = strv_append(&g->restarting, v[i]->name);
		v[i]->restarts = r >= 0;
	}
	g->n_plans++;
	return r;
}

void group_restart_not(struct service_group *g, char *const *added)
{
	STRV_FOREACH(name, added) {
		size_t n = strv_len(g->restarting);

		for (size_t i = 0; i < n; i++)
			if (STREQ(g->restarting[i], *name)) {
				free(g->restarting[i]);
				memmove(&g->restarting[i], &g->restarting[i + 1],
					(n - i) * sizeof(char *));
				break;
			}
		for (size_t i = 0; i < g->n; i++)
			if (STREQ(g->v[i]->name, *name))
				g->v[i]->restarts = false;
	}
	if (strv_len(g->restarting) == 0)
		g->restarting = strv_free(g->restarting);
	g->unwritten = true; /* an end may have written it meanwhile */
}

bool job_was_given_up_with_group(const struct job *j)
{
	return j->reason && strncmp(j->reason, GIVEN_UP, strlen(GIVEN_UP)) == 0;
}

/* ---- its restart ------------------------------------------------------------------------------- */

static bool is_down(const struct services *ss, const struct service *s)
{
	if (s->cond.runs)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		if (!j || s->v[i]->problem)
			continue;
		if (jobs_is_unsettled(ss->core->jobs, j) || j->run ||
			(j->state == JOB_FINISHED &&
				instance_target(s->v[i], j) == INSTANCE_WAITS))
			return false;
	}
	return true;
}

bool group_is_down(const struct services *ss, const struct service_group *g)
{
	if (!g->restarting)
		return false;
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i]->restarts && !is_down(ss, g->v[i]))
			return false;
	return true;
}

void group_restart_is_over(
	struct services *ss, struct service_group *g, unsigned n_plans)
{
	/* Others have come to it while that was written: what they had recorded, behind it, is
	 * the whole. */
	if (g->n_plans != n_plans)
		return;
	g->restarting = strv_free(g->restarting);
	for (size_t i = 0; i < g->n; i++)
		g->v[i]->restarts = false;
	look_again(ss, g);
}

char *group_take_given_up(struct service_group *g)
{
	char *text = g ? g->given_up : NULL;

	if (g)
		g->given_up = NULL;
	return text;
}

bool group_forget_restarts(struct service_group *g)
{
	bool some = g->limit.n_at > 0;

	rate_forget(&g->limit);
	return some;
}

/* ---- what a person should see to --------------------------------------------------------------- */

int64_t service_given_up_usec(const struct services *ss, const struct service *s)
{
	int64_t last = 0;

	if (!s->section || s->group || s->rec.stopped ||
		s->section->v[CONFIG_GIVE_UP].num != CONFIG_GIVE_UP_ESCALATE)
		return 0;
	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		if (j && j->state == JOB_FINISHED && j->reason &&
			strncmp(j->reason, "given up", 8) == 0)
			last = MAX(last, j->finished_usec);
	}
	return last > s->rec.acknowledged_usec ? last : 0;
}

/* Who has stopped all of it knows. */
static bool is_escalated(const struct service_group *g)
{
	bool stopped = true;

	for (size_t i = 0; i < g->n; i++)
		stopped &= g->v[i]->rec.stopped;
	return g->section && g->given_up && !g->acknowledged && !stopped &&
	       g->section->v[CONFIG_GROUP_GIVE_UP].num == CONFIG_GIVE_UP_ESCALATE;
}

static int add(char ***problems, const char *what, const char *name)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%s '%s' was given up", what, name) < 0)
		return -ENOMEM;
	return strv_append(problems, text);
}

int services_problems(const struct services *ss, char ***problems)
{
	struct service_group *g;
	struct service *s;
	int r = 0;

	HASHMAP_FOREACH(g, ss->groups)
		if (r >= 0 && is_escalated(g))
			r = add(problems, "group", g->name);
	HASHMAP_FOREACH(s, ss->by_name)
		if (r >= 0 && service_given_up_usec(ss, s))
			r = add(problems, "service", s->name);
	return r;
}
