#include "config.h"

#include "daemon/service_deps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/run_hooks.h"
#include "daemon/scheduler.h"
#include "daemon/service_groups.h"

/* ---- who comes after whom -------------------------------------------------------------------- */

/* each pair once; what is required is, however it is said besides */
static int add_edge(struct service *s, struct service *on, bool requires)
{
	struct service_edge *v;

	for (size_t i = 0; i < s->n_edges; i++)
		if (s->edges[i].to == on) {
			s->edges[i].requires |= requires;
			return 0;
		}
	v = reallocarray(s->edges, s->n_edges + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->edges = v;
	v[s->n_edges++] = (struct service_edge){on, requires};
	return 0;
}

static int add_list(
	struct services *ss, struct service *s, enum config_key k, bool requires)
{
	int r = 0;

	STRV_FOREACH(name, s->section->v[k].strv) {
		struct service *on = services_find(ss, *name);

		if (r >= 0 && on)
			r = add_edge(s, on, requires);
	}
	return r;
}

/* each comes after those before it */
static int link_group(struct services *ss, const struct config_named *group)
{
	char *const *names = group->v[CONFIG_GROUP_SERVICES].strv;
	int r = 0;

	STRV_FOREACH(name, names) {
		struct service *s = services_find(ss, *name);

		for (char *const *b = names; s && b < name && r >= 0; b++) {
			struct service *before = services_find(ss, *b);

			if (before)
				r = add_edge(s, before, false);
		}
	}
	return r;
}

static int add_back(struct service *s, struct service *after)
{
	struct service **v = reallocarray(s->back, s->n_back + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	s->back = v;
	v[s->n_back++] = after;
	return 0;
}

int services_link(struct services *ss)
{
	const struct config_names *groups = &ss->config->named[CONFIG_SECTION_GROUP];
	struct service *s;
	int r = 0;

	HASHMAP_FOREACH(s, ss->by_name) {
		s->n_back = 0;
		if (!s->section || r < 0)
			continue;
		s->n_edges = 0;
		r = add_list(ss, s, CONFIG_REQUIRES, true);
		if (r >= 0)
			r = add_list(ss, s, CONFIG_AFTER, false);
	}
	for (size_t i = 0; i < groups->n && r >= 0; i++)
		r = link_group(ss, &groups->v[i]);
	HASHMAP_FOREACH(s, ss->by_name)
		for (size_t i = 0; i < s->n_edges && r >= 0; i++)
			r = add_back(s->edges[i].to, s);
	return r;
}

static void drop_edge(struct service *s, const struct service *to)
{
	for (size_t i = 0; i < s->n_edges; i++)
		if (s->edges[i].to == to)
			s->edges[i--] = s->edges[--s->n_edges];
}

static void drop_back(struct service *s, const struct service *after)
{
	for (size_t i = 0; i < s->n_back; i++)
		if (s->back[i] == after)
			s->back[i--] = s->back[--s->n_back];
}

void service_unlink(struct service *s)
{
	for (size_t i = 0; i < s->n_edges; i++)
		drop_back(s->edges[i].to, s);
	for (size_t i = 0; i < s->n_back; i++)
		drop_edge(s->back[i], s);
	list_remove(&s->noting);
	free(s->edges);
	free(s->back);
	s->edges = NULL;
	s->back = NULL;
	s->n_edges = s->n_back = 0;
}

/* ---- what it is for the others --------------------------------------------------------------- */

bool instance_is_over(const struct instance *in, const struct job *j)
{
	return j && j->state == JOB_FINISHED && j->result != JOB_RESULT_CANCELLED &&
	       !j->busy && !in->again && instance_is_current(in, j) &&
	       !job_was_given_up_with_group(j);
}

const struct service *service_kept_down_by(const struct service *s)
{
	for (size_t i = 0; i < s->n_edges; i++)
		if (s->edges[i].requires && s->edges[i].to->cond.down)
			return s->edges[i].to;
	return NULL;
}

static bool is_ready(const struct job *j)
{
	return j && j->run && run_is_ready(j->run);
}

/* something that waits for one of them may go on soon */
static bool waits_for_moving(const struct instance *in)
{
	const struct service *s = in->service;

	for (size_t i = 0; i < s->n_edges; i++)
		if (!s->edges[i].to->cond.met && s->edges[i].to->cond.moves)
			return true;
	return !instance_waits_for(in);
}

bool instance_moves(const struct instance *in, const struct job *j)
{
	if (in->problem)
		return false;
	if (!j)
		return instance_target(in, j) == INSTANCE_UP;
	if (j->state == JOB_QUEUED)
		return j->demand && STREQ(j->demand->pools, SERVICE_POOL);
	if (j->state == JOB_WAITING)
		return instance_target(in, j) != INSTANCE_UP || waits_for_moving(in);
	if (j->state == JOB_FINISHED && instance_target(in, j) == INSTANCE_UP &&
		!instance_is_over(in, j))
		return true; /* it is about to be started */
	return j->busy || in->again || j->state == JOB_HELD ||
	       j->state == JOB_STARTING || j->state == JOB_STOPPING ||
	       (j->run && j->run->stop != RUN_STOP_NONE) ||
	       (j->run && run_hooks_phase(j->run)) ||
	       (j->run && instance_target(in, j) != INSTANCE_UP);
}

/* those that there are to be */
struct counts {
	size_t ready, over, done;
	bool runs, moves;
};

static struct counts count(const struct services *ss, const struct service *s)
{
	struct counts c = {.ready = 0};
	size_t wanted = service_wanted(s);

	for (size_t i = 0; i < s->n; i++) {
		const struct instance *in = s->v[i];
		const struct job *j = instance_job(ss, in);

		c.runs |=
			j && (j->run || job_state_is_active((enum job_state)j->state));
		c.moves |= instance_moves(in, j) ||
			   (j && j->state == JOB_RUNNING && !is_ready(j)) ||
			   (j && j->state == JOB_QUEUED);
		if (i >= wanted)
			continue;
		if (is_ready(j))
			c.ready++;
		else if (instance_is_over(in, j)) {
			c.over++;
			c.done += j->result == JOB_RESULT_SUCCEEDED;
		} else if (in->problem && !(j && j->run)) {
			c.over++;
		}
	}
	return c;
}

static struct service_condition look(const struct services *ss, const struct service *s)
{
	struct counts c = count(ss, s);
	size_t wanted = service_wanted(s);
	struct service_condition ret = {.runs = c.runs, .moves = c.moves};

	ret.kept_down = s->cond.kept_down;
	ret.down = wanted == 0 || s->rec.stopped || ret.kept_down ||
		   (c.over == wanted && c.done < wanted);
	ret.met = !ret.down && c.ready + c.done == wanted;
	ret.holds = !ret.down && c.ready + c.over < wanted;
	return ret;
}

static void look_anew(struct services *ss, struct service *s)
{
	if (!list_is_linked(&s->noting))
		list_append(&ss->noting, &s->noting);
}

/* s is not what it was: who may do something now */
static void tell(
	struct services *ss, struct service *s, const struct service_condition *was)
{
	const struct service_condition *now = &s->cond;

	if (was->kept_down != now->kept_down)
		service_mark(ss, s);
	for (size_t i = 0; i < s->n_back; i++) {
		service_mark(ss, s->back[i]);
		if (was->down != now->down || was->met != now->met ||
			was->moves != now->moves)
			look_anew(ss, s->back[i]);
	}
	for (size_t i = 0; i < s->n_edges && was->runs && !now->runs; i++)
		service_mark(ss, s->edges[i].to);
	services_tell_moved(ss);
}

void services_note(struct services *ss, struct service *s)
{
	struct list *node;

	look_anew(ss, s);
	while ((node = list_pop(&ss->noting))) {
		struct service_condition was;

		s = LIST_ENTRY(node, struct service, noting);
		was = s->cond;
		/* what its instances are to be, and so whether they move, follows from this */
		s->cond.kept_down =
			service_kept_down_by(s) || (s->group && s->group->given_up);
		s->cond = look(ss, s);
		if (was.down != s->cond.down || was.kept_down != s->cond.kept_down ||
			was.met != s->cond.met || was.holds != s->cond.holds ||
			was.runs != s->cond.runs || was.moves != s->cond.moves)
			tell(ss, s, &was);
	}
}

/* ---- what may be done ------------------------------------------------------------------------ */

const struct service *instance_waits_for(const struct instance *in)
{
	const struct service *s = in->service;

	for (size_t i = 0; i < s->n_edges; i++) {
		const struct service *on = s->edges[i].to;

		if (s->edges[i].requires ? !on->cond.met
					 : on->cond.holds && !in->comes_again)
			return on;
	}
	return NULL;
}

bool service_is_ending(const struct service *s)
{
	return service_wanted(s) == 0 || s->rec.stopped || s->cond.kept_down ||
	       s->restarts;
}

bool service_may_end(const struct service *s)
{
	for (size_t i = 0; i < s->n_back; i++)
		if (s->back[i]->cond.runs && service_is_ending(s->back[i]))
			return false;
	return true;
}

bool services_must_wait(const struct services *ss, const struct job *j)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;

	return in && (instance_target(in, j) != INSTANCE_UP || instance_waits_for(in));
}

bool services_may_shut_down(const struct services *ss, const struct job *j)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;
	const struct service *s = in ? in->service : NULL;

	for (size_t i = 0; s && i < s->n_back; i++)
		if (s->back[i]->cond.runs)
			return false;
	return true;
}

/* the next that it comes after and that was not met; NULL: none. at: where to go on */
static struct service *next_before(
	const struct service *s, size_t *at, bool required, unsigned mark)
{
	while (*at < s->n_edges) {
		const struct service_edge *e = &s->edges[(*at)++];

		if ((e->requires || !required) && e->to->mark != mark)
			return e->to;
	}
	return NULL;
}

struct walk {
	struct service **path,
		**v; /* v: those that were met, each behind what it comes after */
	size_t *at, n;
	bool required; /* no others are followed */
};

static void walk_deinit(struct walk *w)
{
	free(w->path);
	free(w->v);
	free(w->at);
}

static int walk_init(struct walk *w, struct services *ss)
{
	size_t n_max = hashmap_size(ss->by_name) + 1;

	w->path = calloc(n_max, sizeof(*w->path));
	w->v = calloc(n_max, sizeof(*w->v));
	w->at = calloc(n_max, sizeof(*w->at));
	ss->mark++;
	return w->path && w->v && w->at ? 0 : -ENOMEM;
}

/* chains may be long, and stacks are short */
static void walk_from(struct walk *w, struct service *s, unsigned mark)
{
	size_t depth = 0;

	if (s->mark == mark)
		return;
	s->mark = mark;
	w->at[depth] = 0;
	w->path[depth++] = s;
	while (depth > 0) {
		struct service *next = next_before(
			w->path[depth - 1], &w->at[depth - 1], w->required, mark);

		if (!next) {
			w->v[w->n++] = w->path[--depth];
			continue;
		}
		next->mark = mark;
		w->at[depth] = 0;
		w->path[depth++] = next;
	}
}

struct service **service_with_required(
	struct services *ss, struct service *s, size_t *ret_n)
{
	_cleanup_(walk_deinit) struct walk w = {.required = true};

	if (walk_init(&w, ss) < 0)
		return NULL;
	walk_from(&w, s, ss->mark);
	*ret_n = w.n;
	return TAKE_PTR(w.v);
}

/* sections are an array, in the order of the files */
static int by_place(const void *a, const void *b)
{
	const struct config_named *x = (*(struct service *const *)a)->section;
	const struct config_named *y = (*(struct service *const *)b)->section;

	return x < y ? -1 : x > y;
}

int services_sort(struct services *ss, struct service **v, size_t *n)
{
	_cleanup_(walk_deinit) struct walk w = {.required = false};
	size_t n_sorted = 0;

	if (walk_init(&w, ss) < 0)
		return -ENOMEM;
	if (*n > 0)
		qsort(v, *n, sizeof(struct service *), by_place);
	for (size_t i = 0; i < *n; i++)
		walk_from(&w, v[i], ss->mark);
	ss->mark++;
	for (size_t i = 0; i < *n; i++)
		v[i]->mark = ss->mark;
	for (size_t i = 0; i < w.n; i++)
		if (w.v[i]->mark == ss->mark)
			v[n_sorted++] = w.v[i];
	*n = n_sorted;
	return 0;
}

int services_rank(struct services *ss)
{
	_cleanup_free_ struct service **v = services_list(ss);
	size_t n = 0;
	int r;

	while (v && v[n])
		n++;
	r = v ? services_sort(ss, v, &n) : -ENOMEM;
	for (size_t i = 0; i < n && r >= 0; i++)
		v[i]->rank = (int64_t)i;
	return r;
}

/* ---- in words ------------------------------------------------------------------------------- */

const char *service_word(const struct services *ss, const struct service *s)
{
	struct counts c = count(ss, s);

	if (!s->section)
		return "gone";
	if (s->rec.stopped || service_wanted(s) == 0)
		return "stopped";
	if (c.over > 0)
		return c.over == c.done ? "ended" : "failed";
	if (s->cond.kept_down)
		return "kept down";
	for (size_t i = 0; i < s->n; i++) {
		const struct job *j = instance_job(ss, s->v[i]);

		if (j && j->state == JOB_DELAYED)
			return "restarting";
		if (j && j->state == JOB_WAITING)
			return "waiting";
	}
	return "not ready";
}

const char *services_why(
	const struct services *ss, const struct job *j, char *buf, size_t size)
{
	const struct instance *in = ss ? services_instance_of(ss, j) : NULL;
	const struct service *on = in ? instance_waits_for(in) : NULL;

	if (!on)
		snprintf(buf, size, "it is about to go on");
	else
		snprintf(buf, size, "it waits for service '%s' (%s)", on->name,
			service_word(ss, on));
	return buf;
}
