/* Task groups. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

static struct rv_task *child_of(struct rv_link *link)
{
	return LINK_ENTRY(link, struct rv_task, group_link);
}

/* NULL: it is over */
static rv_loop *group_loop(const rv_group *g)
{
	return g->scope.active ? g->scope.timer.loop : NULL;
}

/* -- errors that outlive the bracket
 * -------------------------------------------------------- */

/*
 * The group's memory goes with the function that it stands in, and nobody says when.
 * What has to be freed is therefore kept by the host task.
 */
struct group_record {
	struct rv_link link;  /* in the host's group_records */
	const rv_group *at;   /* only for comparing: it may be gone */
	struct rv_link ended; /* tasks that failed, in time */
	rv_group_error *errors;
	char *body_msg;
};

static void record_free(struct group_record *rec)
{
	struct rv_link *it;

	link_remove(&rec->link);
	while ((it = link_pop(&rec->ended)))
		rv_task_unref(child_of(it));
	free(rec->errors);
	free(rec->body_msg);
	free(rec);
}

static struct group_record *record_get(rv_group *g)
{
	struct task_extra *x = task_extra(g->host);
	struct group_record *rec = g->record;

	if (rec || !x)
		return rec;
	rec = calloc(1, sizeof(*rec));
	if (!rec)
		return NULL;
	rec->at = g;
	link_init(&rec->ended);
	link_append(&x->group_records, &rec->link);
	g->record = rec;
	return rec;
}

void rv_group_forget(rv_group *g)
{
	if (!g->record || g->scope.active)
		return; /* nothing, or it still belongs to the group's work */
	record_free(g->record);
	g->record = NULL;
	g->n_failed = 0;
}

void group_records_free(struct rv_task *t)
{
	struct rv_link *it;

	while ((it = link_first(&t->extra->group_records)))
		record_free(LINK_ENTRY(it, struct group_record, link));
}

/* The memory of a new group is not that of an old one any more. */
static void forget_at(struct rv_task *t, const rv_group *g)
{
	struct rv_link *head = t->extra ? &t->extra->group_records : NULL;

	for (struct rv_link *it = head ? head->next : NULL, *next; it != head;
		it = next) {
		struct group_record *rec = LINK_ENTRY(it, struct group_record, link);

		next = it->next;
		if (rec->at == g)
			record_free(rec);
	}
}

/* -- entering and spawning
 * -------------------------------------------------------------------- */

int rv_group_enter(rv_group *g, unsigned policy)
{
	struct rv_task *t = current.task;
	int r;

	if (t)
		forget_at(t, g);
	memset(g, 0, sizeof(*g));
	link_init(&g->children);
	link_init(&g->ended);
	g->policy = policy;
	g->closed = true;
	if (policy > RV_GROUP_COLLECT)
		return -EINVAL;
	r = rv_scope_enter(&g->scope, 0, RV_FOREVER);
	if (r < 0)
		return r;
	g->host = t;
	g->closed = false;
	scope_node_init(&g->services, &g->scope.node, NULL, true);
	return 0;
}

/* after WRONG_THREAD_TO_SPAWN: the next that is made is another's */
static void spawns_nothing(const rv_group *g)
{
	rv_loop *l = group_loop(g);

	if (l)
		l->spawns_from = NULL;
}

static int group_spawn(rv_group *g, const rv_task_opts *o, rv_fn fn, void *arg,
	bool service, struct waiter *starter, struct rv_task **ret)
{
	struct rv_task *t;
	int r;

	if (g->closed || g->scope.node.cancelled) {
		spawns_nothing(g);
		if (o && o->arg_dtor)
			o->arg_dtor(arg);
		return -RV_ESHUTDOWN;
	}
	r = task_spawn_in(&t, &(struct spawn_params){
				      .loop = g->host->loop,
				      .opts = o,
				      .group = g,
				      .parent = service ? &g->services : &g->scope.node,
				      .starter = starter,
				      .service = service,
				      .borrowed = ret != NULL,
				      .fn = fn,
				      .arg = arg,
			      });
	if (r >= 0 && ret)
		*ret = t;
	return r;
}

rv_task *rv_group_spawn(rv_group *g, rv_fn fn, void *arg)
{
	struct rv_task *t;
	int r = WRONG_THREAD_TO_SPAWN(group_loop(g))
			? -RV_EWRONGLOOP
			: group_spawn(g, NULL, fn, arg, false, NULL, &t);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return t;
}

int rv_group_spawn_ex(
	rv_group *g, const rv_task_opts *o, rv_fn fn, void *arg, rv_task **ret)
{
	if (WRONG_THREAD_TO_SPAWN(group_loop(g))) {
		if (o && o->arg_dtor)
			o->arg_dtor(arg);
		return -RV_EWRONGLOOP;
	}
	return group_spawn(g, o, fn, arg, false, NULL, ret);
}

rv_task *rv_group_spawn_service(rv_group *g, rv_fn fn, void *arg)
{
	struct rv_task *t;
	int r = WRONG_THREAD_TO_SPAWN(group_loop(g))
			? -RV_EWRONGLOOP
			: group_spawn(g, NULL, fn, arg, true, NULL, &t);

	if (r < 0) {
		errno = -r;
		return NULL;
	}
	return t;
}

static void start_cancelled(struct waiter *w)
{
	/* the child ends first: a started half is nobody's */
	task_cancel_later(w->data);
}

struct start {
	struct waiter w;
	void *ready;
};

int rv_group_start(rv_group *g, rv_fn fn, void *arg, void **ready)
{
	struct start s = {0};
	struct rv_task *self, *t;
	int r = task_await_begin(&self);

	if (WRONG_THREAD_TO_SPAWN(group_loop(g)))
		return -RV_EWRONGLOOP;
	if (r < 0) {
		spawns_nothing(g);
		return r;
	}
	r = group_spawn(g, NULL, fn, arg, false, &s.w, &t);
	if (r < 0)
		return r;
	t->borrowed =
		false; /* by this function only, which looks no more once it runs */
	s.w.data = t;
	r = task_wait_on_cancel(self, &s.w, start_cancelled, "start of a task", t);
	if (r >= 0 && ready)
		*ready = s.ready;
	return r;
}

void rv_task_started(void *ready)
{
	struct rv_task *t = current.task;
	struct waiter *w = t && t->extra ? t->extra->starter : NULL;

	if (!w)
		return;
	t->extra->starter = NULL;
	CONTAINER_OF(w, struct start, w)->ready = ready;
	waiter_wake(w, 0);
}

/* -- children's ends
 * ------------------------------------------------------------------------------ */

void rv_group_on_exit(rv_group *g, rv_group_exit_fn fn, void *arg)
{
	if (WRONG_THREAD(group_loop(g)))
		return;
	g->on_exit = fn;
	g->on_exit_arg = arg;
}

void rv_group_cancel(rv_group *g, const char *why)
{
	if (WRONG_THREAD(group_loop(g)))
		return;
	rv_scope_cancel(&g->scope, why);
}

/* The group has failed with err, first or not. */
static void group_fail(rv_group *g, int err)
{
	if (g->first_err == 0)
		g->first_err = err;
}

static NOINLINE void cancel_siblings(rv_group *g, struct rv_task *t, int err)
{
	char why[sizeof(g->scope.why)];

	(void)snprintf(
		why, sizeof(why), "%s failed: %s", rv_task_name(t), rv_strerror(err));
	rv_group_cancel(g, why);
}

/* A child that nobody waits for to start has ended with r. Returns whether it is kept.
 */
static bool child_judge(rv_group *g, struct rv_task *t, int r)
{
	bool failed = r < 0 && r != -ECANCELED;
	bool supervised = g->policy == RV_GROUP_SUPERVISE;

	/* the group waits for it: that counts as having been awaited */
	t->error_read = t->error_read || !(failed && supervised);
	if (g->on_exit && (failed || g->policy == RV_GROUP_SUPERVISE)) {
		int verdict = g->on_exit(g, t, r, g->on_exit_arg);

		t->error_read = true;
		if (verdict < 0 && g->policy == RV_GROUP_SUPERVISE) {
			group_fail(g, verdict);
			cancel_siblings(g, t, verdict);
		}
	}
	if (g->policy == RV_GROUP_SUPERVISE) {
		if (failed && !t->error_read)
			task_report(t, "supervised task failed");
		return false; /* such a group may live for ever: keep nothing */
	}
	if (failed) {
		g->n_failed++;
		group_fail(g, r);
		if (g->policy == RV_GROUP_FAIL_FAST)
			cancel_siblings(g, t, r);
	}
	/* What ended well and nobody can ask about would pile up in a group that serves
	 * whoever connects. */
	return failed || t->borrowed;
}

void group_child_done(rv_group *g, struct rv_task *t)
{
	struct waiter *starter = t->extra ? TAKE_PTR(t->extra->starter) : NULL;
	bool keep;

	link_unlink(&t->group_link);
	if (t->service)
		g->n_services--;
	else
		g->n_children--;
	if (starter) {
		/* its failure is the answer to rv_group_start */
		t->error_read = true;
		keep = false;
		waiter_wake(starter, t->result < 0 ? t->result : -RV_ESTATE);
	} else {
		keep = child_judge(g, t, t->result);
	}
	if (g->waiter && (t->service ? g->n_services : g->n_children) == 0)
		waiter_wake(TAKE_PTR(g->waiter), 0);
	if (keep)
		link_append(&g->ended, &t->group_link);
	else
		rv_task_unref(t); /* the group's reference */
}

/* -- leaving
 * ----------------------------------------------------------------------------------------
 */

/* Whatever is cancelled meanwhile: the children hear of that, being below this scope.
 */
static void wait_until_zero(rv_group *g, const size_t *n, const char *site)
{
	while (*n > 0) {
		struct waiter w = {0};
		int r;

		g->waiter = &w;
		r = task_wait_shielded(g->host, &w, site, g);
		INVARIANT(r == 0);
	}
}

static void body_failed(rv_group *g, int rc)
{
	const char *msg = rv_errmsg();

	if (rc != -ECANCELED) {
		g->body_err = rc;
		g->body_msg =
			msg ? strdup(msg) : NULL; /* without memory: without text */
		g->body_index = g->n_failed;
		g->n_failed++;
		group_fail(g, rc);
	}
	rv_group_cancel(g, "body failed");
}

/* Those that succeeded go now; what failed stays for rv_group_errors. */
static void keep_failed(rv_group *g)
{
	struct group_record *rec = g->n_failed > 0 ? record_get(g) : NULL;
	struct rv_link *it;

	while ((it = link_pop(&g->ended))) {
		struct rv_task *t = child_of(it);

		/* without memory the first error is all there is */
		if (rec && t->result < 0 && t->result != -ECANCELED)
			link_append(&rec->ended, it);
		else
			rv_task_unref(t);
	}
	if (rec)
		rec->body_msg = TAKE_PTR(g->body_msg);
	free(g->body_msg);
	g->body_msg = NULL;
}

int rv_group_exit(rv_group *g, int rc)
{
	struct rv_task *t = current.task;
	bool outside, waited, own = false;

	if (!g->host || t != g->host || !g->scope.active)
		return rc < 0 ? rc : -RV_ESTATE;
	INVARIANT(t->scope == &g->scope.node);
	if (rc < 0)
		own = rc == -ECANCELED && g->scope.node.count > 0;
	if (rc < 0)
		body_failed(g, rc);
	waited = g->n_children > 0;
	wait_until_zero(g, &g->n_children, "group exit");
	g->closed = true;
	if (g->n_services > 0) {
		scope_node_cancel(t->loop, &g->services, "group is over");
		wait_until_zero(g, &g->n_services, "group services");
	}
	scope_node_deinit(&g->services);
	/* before the scope goes: its own requests do not count as coming from outside
	 */
	(void)rv_scope_exit(&g->scope, 0);
	outside = t->scope->cancelled;
	keep_failed(g);
	if (g->first_err < 0)
		return g->first_err;
	if (outside && (waited || rc == -ECANCELED))
		return -ECANCELED;
	if (rc == -ECANCELED && own)
		return 0;
	return rc;
}

static rv_group_error body_error(const rv_group *g)
{
	return (rv_group_error){
		.task_id = g->host->id,
		.name = rv_task_name(g->host),
		.err = g->body_err,
		.msg = g->record ? ((struct group_record *)g->record)->body_msg : NULL,
	};
}

const rv_group_error *rv_group_errors(rv_group *g, size_t *n)
{
	struct group_record *rec = g->n_failed > 0 && g->host ? record_get(g) : NULL;
	struct rv_link *from;
	size_t i = 0;

	*n = 0;
	if (!rec)
		return NULL;
	free(rec->errors);
	rec->errors = calloc(g->n_failed, sizeof(*rec->errors));
	if (!rec->errors)
		return NULL;
	from = g->scope.active ? &g->ended : &rec->ended;
	for (struct rv_link *it = from->next; it != from; it = it->next) {
		struct rv_task *t = child_of(it);

		if (t->result >= 0 || t->result == -ECANCELED)
			continue;
		if (g->body_err < 0 && i == g->body_index)
			rec->errors[i++] = body_error(g);
		rec->errors[i++] = (rv_group_error){
			.task_id = t->id,
			.name = rv_task_name(t),
			.err = t->result,
			.msg = rv_task_errmsg(t),
		};
	}
	if (g->body_err < 0 && i == g->body_index)
		rec->errors[i++] = body_error(g);
	*n = i;
	return rec->errors;
}

/* A second time it is asked after the body, and only the body's loop knows whether that
 * was left by its end, which sets the step, or by break. */
bool rv_group_block_step(struct rv_group_block *b, unsigned policy)
{
	int r;

	if (b->step > 0)
		return false;
	r = rv_group_enter(&b->group, policy);
	b->step = r < 0 ? 2 : 1;
	if (r < 0)
		*b->rc = r;
	return r >= 0;
}

void rv_group_block_leave(struct rv_group_block *b)
{
	if (!b->group.scope.active)
		return;
	if (b->step == 1 && *b->rc >= 0) /* left from the middle */
		rv_group_cancel(&b->group, "left early");
	*b->rc = rv_group_exit(&b->group, *b->rc);
	rv_group_forget(&b->group); /* nobody can ask for them any more */
}
