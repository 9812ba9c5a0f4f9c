/* The tree of tasks for people: who waits for what, where, and who will end that. */
#include "config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sigpipe.h"
#include "reeve/debug.h"
#include "reeve/queue.h"
#include "reeve/sync.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"
#include "runtime/process_priv.h"
#include "runtime/stream_priv.h"
#include "runtime/wait_priv.h"

enum {
	INDENT_MAX = 32,     /* deeper trees are not indented further */
	SET_MEMBERS_MAX = 8, /* named of a gather; the rest is counted */
	STACK_CLASSES_MAX = 16,
	SITES_SHOWN_MAX = 16, /* the deepest */
};

/* -- writing ----------------------------------------------------------------------- */

struct dump {
	int fd;
	size_t n;
	char buf[4096];
	struct symbols symbols;
	struct node *nodes; /* by parent and id; NULL: not enough memory for a tree */
	struct rv_task **tasks; /* the live ones, by address */
	size_t n_tasks;
};

static void flush(struct dump *d)
{
	struct sigpipe_hold hold;
	bool is_broken = false;

	sigpipe_hold(&hold);
	for (size_t at = 0; at < d->n;) {
		ssize_t k = write(d->fd, d->buf + at, d->n - at);

		if (k < 0 && errno == EINTR)
			continue;
		is_broken = k < 0 && errno == EPIPE;
		if (k <= 0)
			break;
		at += (size_t)k;
	}
	sigpipe_release(&hold, is_broken);
	d->n = 0;
}

static void put(struct dump *d, const char *fmt, ...) PRINTF(2, 3);
static void put(struct dump *d, const char *fmt, ...)
{
	enum { PIECE_MAX = 512 };
	va_list ap;
	int k;

	if (sizeof(d->buf) - d->n < PIECE_MAX)
		flush(d);
	va_start(ap, fmt);
	k = vsnprintf(d->buf + d->n, PIECE_MAX, fmt, ap);
	va_end(ap);
	if (k > 0)
		d->n += MIN((size_t)k, (size_t)PIECE_MAX - 1);
}

static void put_task(struct dump *d, const struct rv_task *t)
{
	put(d, "task %" PRIu64 " '%s'", t->id, rv_task_name(t));
}

static void put_symbol(struct dump *d, const void *pc)
{
	char text[SYMBOL_MAX];

	symbol_text(&d->symbols, pc, text, sizeof(text));
	put(d, "%s", text);
}

/* -- what is waited for ------------------------------------------------------------ */

static int by_address(const void *a, const void *b)
{
	const struct rv_task *const *x = a, *const *y = b;

	return (*x > *y) - (*x < *y);
}

/* A lock's owner may have ended without giving it back, and be gone. */
static bool is_live(const struct dump *d, const struct rv_task *t)
{
	return d->tasks &&
	       bsearch(&t, d->tasks, d->n_tasks, sizeof(*d->tasks), by_address);
}

static void describe_task(struct dump *d, const void *task)
{
	put(d, ": ");
	put_task(d, task);
}

static void describe_future(struct dump *d, const void *future)
{
	bool shielded;
	const struct rv_task *t = future_ended_by(future, &shielded);

	put(d, "%s", shielded ? ", shielded" : "");
	if (t)
		describe_task(d, t);
}

static void describe_set(struct dump *d, const void *set)
{
	const struct wait_set *s = set;
	size_t n_named = 0;

	put(d, ": %zu of %zu are not done", s->n_left, s->n);
	for (size_t i = 0; i < s->n && n_named < SET_MEMBERS_MAX; i++) {
		const rv_future *f = s->members[i].future;

		if (rv_future_done(f))
			continue;
		n_named++;
		put(d, "%s %p", n_named == 1 ? ": future" : "; future",
			(const void *)f);
		describe_future(d, f);
	}
	if (n_named < s->n_left)
		put(d, "; and %zu more", s->n_left - n_named);
}

static void describe_lock(struct dump *d, const void *lock)
{
	const rv_lock *l = lock;

	/* Only in debug mode it is known whether another has got that memory. */
	if (!is_live(d, l->owner) || (l->owner_id && l->owner_id != l->owner->id) ||
		(l->owner->waiter && l->owner->waiter->object == lock))
		return;
	put(d, ", owner");
	describe_task(d, l->owner);
}

static void describe_cond(struct dump *d, const void *cond)
{
	put(d, " of lock %p", (const void *)((const rv_cond *)cond)->lock);
}

static void describe_sem(struct dump *d, const void *sem)
{
	put(d, " with %ld permits", ((const rv_sem *)sem)->value);
}

static void describe_limiter(struct dump *d, const void *limiter)
{
	const rv_limiter *l = limiter;

	put(d, ": %zu of %zu are taken", l->n_taken, l->total);
}

static void describe_barrier(struct dump *d, const void *barrier)
{
	const rv_barrier *b = barrier;

	put(d, ": %u of %u are here", b->n_waiting, b->parties);
}

static void describe_queue(struct dump *d, const void *queue)
{
	const rv_queue *q = queue;

	put(d, " with %zu items%s", rv_queue_size(q), rv_queue_full(q) ? ", full" : "");
}

static void describe_stream(struct dump *d, const void *stream)
{
	const rv_stream *s = stream;

	if (s->transport)
		put(d, " on fd %d", s->transport->fd);
}

static void describe_group(struct dump *d, const void *group)
{
	const rv_group *g = group;

	put(d, " with %zu children and %zu services", g->n_children, g->n_services);
}

static void describe_server(struct dump *d, const void *server)
{
	put(d, " with %zu connections", rv_server_connections(server));
}

static void describe_process(struct dump *d, const void *process)
{
	put(d, ", pid %ld", (long)((const struct rv_process *)process)->pid);
}

/* the sites of task_wait whose object is of a known type */
static const struct {
	const char *site;
	void (*describe)(struct dump *d, const void *object);
} sites[] = {
	{"await task", describe_task},
	{"join task", describe_task},
	{"wait for task", describe_task},
	{"start of a task", describe_task},
	{"future", describe_future},
	{"gather", describe_set},
	{"wait", describe_set},
	{"as_completed", describe_set},
	{"lock", describe_lock},
	{"lock of a condition", describe_lock},
	{"condition", describe_cond},
	{"semaphore", describe_sem},
	{"limiter", describe_limiter},
	{"barrier", describe_barrier},
	{"queue get", describe_queue},
	{"queue put", describe_queue},
	{"queue join", describe_queue},
	{"data of a stream", describe_stream},
	{"drain of a stream", describe_stream},
	{"close of a stream", describe_stream},
	{"group exit", describe_group},
	{"group services", describe_group},
	{"close of a server", describe_server},
	{"process", describe_process},
};

static void put_wait(struct dump *d, const struct waiter *w)
{
	put(d, ": %s", w->site);
	if (strcmp(w->site, "fd") == 0) {
		put(d, " %d", (int)(intptr_t)w->object);
		return;
	}
	if (strcmp(w->site, "executor") == 0) {
		put(d, ": ");
		put_symbol(d, w->object);
		return;
	}
	if (w->object)
		put(d, " %p", w->object);
	for (size_t i = 0; i < ARRAY_LEN(sites); i++)
		if (strcmp(sites[i].site, w->site) == 0)
			sites[i].describe(d, w->object);
}

/* -- one task ---------------------------------------------------------------------- */

static const char *task_state(const struct rv_task *t)
{
	if (task_is_running(t))
		return "running";
	if (t->waiter)
		return "waiting";
	return t->coro ? "ready" : "new";
}

/* the earliest deadline, and whether anything inside of the task shields it */
static void put_scopes(struct dump *d, const struct rv_task *t)
{
	rv_time until = RV_FOREVER;
	bool shielded = false;

	for (const struct rv_scope_node *n = t->scope; n != &t->root && !shielded;
		n = n->parent) {
		until = MIN(until, CONTAINER_OF(n, const rv_scope, node)->when);
		shielded = n->shield;
	}
	if (t->scope->cancelled)
		put(d, ", cancelled");
	if (shielded)
		put(d, ", shielded");
	if (until != RV_FOREVER)
		put(d, ", deadline in %.3f s",
			(double)(until - loop_monotonic(t->loop)) / (double)RV_SEC(1));
}

static void indent(struct dump *d, size_t depth)
{
	put(d, "%*s", (int)(2 * MIN(depth, (size_t)INDENT_MAX)), "");
}

static void put_frames(struct dump *d, struct rv_task *t, size_t depth)
{
	struct frames f;

	if (!frames_of(t, &d->symbols, &f))
		return;
	/* what the library does inside of its own function is of no interest */
	for (size_t i = f.i_wait; i < f.n; i++) {
		indent(d, depth);
		put(d, "    %s ", i == f.i_place ? "at" : "in");
		put_symbol(d, (const char *)f.pcs[i] - 1);
		put(d, "\n");
	}
}

static void dump_task(struct dump *d, struct rv_task *t, size_t depth)
{
	indent(d, depth);
	put(d, "%" PRIu64 " '%s' %s", t->id, rv_task_name(t), task_state(t));
	put_scopes(d, t);
	if (t->waiter)
		put_wait(d, t->waiter);
	if (task_group(t))
		put(d, ", %s of '%s'", t->service ? "service" : "child",
			rv_task_name(task_group(t)->host));
	if (!t->coro) {
		put(d, ", body ");
		put_symbol(d, (const void *)(uintptr_t)t->fn);
	}
	if (t->extra && t->extra->spawned_at) {
		put(d, ", spawned in ");
		put_symbol(d, (const char *)t->extra->spawned_at - 1);
	}
	put(d, "\n");
	put_frames(d, t, depth);
}

/* -- the tree ---------------------------------------------------------------------- */

struct node {
	struct rv_task *task;
	uint64_t parent; /* id; 0: none */
	size_t up;       /* index of the parent; what it is among its siblings tells */
};

static uint64_t parent_of(const struct rv_task *t)
{
	const rv_group *g = task_group(t);

	return g && g->host && !g->host->done ? g->host->id : 0;
}

static int by_parent(const void *a, const void *b)
{
	const struct node *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return (x->task->id > y->task->id) - (x->task->id < y->task->id);
}

/* The first of a task's children, which stand together; n_tasks: it has none. */
static size_t first_child(const struct dump *d, uint64_t id)
{
	size_t low = 0, high = d->n_tasks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (d->nodes[mid].parent < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < d->n_tasks && d->nodes[low].parent == id ? low : d->n_tasks;
}

/* Without recursion: groups in groups may be nested to any depth. */
static void dump_tree(struct dump *d)
{
	size_t at = first_child(d, 0), depth = 0, child;

	while (at < d->n_tasks) {
		dump_task(d, d->nodes[at].task, depth);
		child = first_child(d, d->nodes[at].task->id);
		if (child < d->n_tasks) {
			d->nodes[child].up = at;
			at = child;
			depth++;
			continue;
		}
		/* the next sibling, or of whom it is below */
		while (at + 1 == d->n_tasks ||
			d->nodes[at + 1].parent != d->nodes[at].parent) {
			if (depth == 0)
				return;
			while (at > 0 && d->nodes[at - 1].parent == d->nodes[at].parent)
				at--;
			at = d->nodes[at].up;
			depth--;
		}
		at++;
	}
}

static void tree_init(struct dump *d, rv_loop *l)
{
	size_t n = 0;

	d->nodes = calloc(l->n_live + 1, sizeof(*d->nodes));
	d->tasks = calloc(l->n_live + 1, sizeof(struct rv_task *));
	if (!d->nodes || !d->tasks) {
		free(d->nodes);
		free(d->tasks);
		d->nodes = NULL;
		d->tasks = NULL;
		return;
	}
	for (struct rv_link *it = l->tasks.next; it != &l->tasks; it = it->next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);

		if (t->done || n == l->n_live)
			continue;
		d->nodes[n] = (struct node){.task = t, .parent = parent_of(t)};
		d->tasks[n] = t;
		n++;
	}
	d->n_tasks = n;
	qsort(d->nodes, n, sizeof(*d->nodes), by_parent);
	qsort(d->tasks, n, sizeof(struct rv_task *), by_address);
}

static void dump_flat(struct dump *d, rv_loop *l)
{
	for (struct rv_link *it = l->tasks.next; it != &l->tasks; it = it->next) {
		struct rv_task *t = LINK_ENTRY(it, struct rv_task, link);

		if (!t->done)
			dump_task(d, t, 0);
	}
}

static void dump_stacks(struct dump *d, rv_loop *l)
{
	rv_stack_census c[STACK_CLASSES_MAX];
	int n = rv_debug_census(l, c, ARRAY_LEN(c));

	for (int i = 0; i < n; i++)
		put(d,
			"stacks of %zu KiB: %zu in use, %zu cached (%zu promised, %zu "
			"never used), used up to %zu bytes, those in use up to %zu\n",
			c[i].stack_size / 1024, c[i].n_used, c[i].n_cached,
			c[i].n_promised, c[i].n_stacks - c[i].n_touched, c[i].deepest,
			c[i].deepest_used);
}

static void dump_sites(struct dump *d, rv_loop *l)
{
	rv_site_census c[SITES_SHOWN_MAX];
	int n = rv_debug_census_by_site(l, c, ARRAY_LEN(c));

	for (int i = 0; i < MIN(n, SITES_SHOWN_MAX); i++) {
		put(d, "stacks of tasks spawned in ");
		if (c[i].is_others)
			put(d, "other places");
		else if (c[i].site)
			put_symbol(d, (const char *)c[i].site - 1);
		else
			put(d, "the library");
		put(d, ": used up to %zu bytes, %zu tasks, %zu of them live\n",
			c[i].deepest, c[i].n_tasks, c[i].n_live);
	}
	if (n > SITES_SHOWN_MAX)
		put(d, "and of %d places more, whose tasks use less\n",
			n - SITES_SHOWN_MAX);
}

void rv_debug_dump_tasks(rv_loop *l, int fd)
{
	struct dump d = {.fd = fd};

	if (WRONG_THREAD(l))
		return;
	/* before the backtraces, which use stacks themselves */
	dump_stacks(&d, l);
	dump_sites(&d, l);
	tree_init(&d, l);
	put(&d, "%zu tasks\n", l->n_live);
	if (d.nodes)
		dump_tree(&d);
	else
		dump_flat(&d, l);
	flush(&d);
	free(d.nodes);
	free(d.tasks);
	symbols_deinit(&d.symbols);
}

void rv_task_print(rv_task *t, int fd)
{
	struct dump d = {.fd = fd};

	if (WRONG_THREAD(t->loop) || !t->loop || t->done)
		return;
	tree_init(&d, t->loop);
	dump_task(&d, t, 0);
	flush(&d);
	free(d.nodes);
	free(d.tasks);
	symbols_deinit(&d.symbols);
}
