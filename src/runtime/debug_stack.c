/* Stacks of tasks: what is on them, and how much of them was ever used. */
#include "config.h"

#include <execinfo.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reeve/debug.h"
#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

enum {
	PROBE_ROOM = 24 * 1024, /* what unwinding needs, and some */
	PAGES_AT_ONCE = 256,
	CLEARED_PAGES_MAX = 4, /* by writing */
};

/* -- backtraces -------------------------------------------------------------------- */

/* Also where it is hidden from current: in a handler of reports, or at its end. */
bool task_is_running(const struct rv_task *t)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	const struct coro *c = t->coro;

	return t == current.task || (c && here >= (uintptr_t)c->stack &&
					    here - (uintptr_t)c->stack < c->stack_size);
}

struct unwound {
	void *pcs[FRAMES_MAX];
	int n;
};

static void unwind_here(void *arg)
{
	struct unwound *u = arg;

	u->n = backtrace(u->pcs, FRAMES_MAX);
}

/*
 * The unwinder starts where it is called. A parked stack is therefore asked to call it:
 * that follows the compiler's unwind tables, also through code without frame pointers.
 */
static bool unwind(struct rv_task *t, struct unwound *u)
{
	struct coro *c = t->coro;

	u->n = 0;
	if (!c || t->done)
		return false;
	/* The first call loads the unwinder, which is better done on this stack. */
	unwind_here(u);
	if (task_is_running(t))
		return true;
	u->n = 0;
	if ((uintptr_t)coro_frame(c) < (uintptr_t)c->stack + PROBE_ROOM)
		return false;
	site_before_probe(t);
	coro_probe(c, unwind_here, u);
	site_after_probe(t);
	return true;
}

int rv_task_backtrace(rv_task *t, void **ret, size_t max)
{
	struct unwound u;
	size_t n = 0;

	if (WRONG_THREAD(t->loop))
		return -RV_EWRONGLOOP;
	if (!t->loop || !unwind(t, &u))
		return 0;
	while (n < max && n < (size_t)u.n) {
		ret[n] = u.pcs[n];
		n++;
	}
	return (int)n;
}

/* What called the body is of no interest; task_coro_entry, where task_run is inlined. */
static bool is_below_body(const char *name)
{
	return strcmp(name, "task_run") == 0 || strcmp(name, "gen_entry") == 0 ||
	       strcmp(name, "task_coro_entry") == 0;
}

/*
 * The library is built without tail calls, so the function that was called is always
 * there: what is inside of it is of no interest. Linked into the program it is known by
 * its name only.
 */
bool frames_of(struct rv_task *t, struct symbols *s, struct frames *ret)
{
	char name[SYMBOL_MAX];
	struct unwound u;
	bool found = false, over = false;

	*ret = (struct frames){.i_place = FRAMES_MAX};
	if (!unwind(t, &u))
		return false;
	for (int i = 0; i < u.n; i++) {
		bool known =
			symbol_name(s, (const char *)u.pcs[i] - 1, name, sizeof(name));

		if (known && is_below_body(name))
			break;
		/* the same where it was stripped: what has begun the body */
		if (over && symbol_is_own(u.pcs[i]) &&
			!(known && strncmp(name, "rv_", 3) == 0))
			break;
		ret->pcs[ret->n++] = u.pcs[i];
		if (over)
			continue;
		if (known && strncmp(name, "rv_", 3) == 0) {
			found = true;
			ret->i_wait = ret->n - 1;
		} else if (found && !symbol_is_own(u.pcs[i])) {
			over = true;
			ret->i_place = ret->n - 1;
		}
	}
	ret->i_place = MIN(ret->i_place, ret->n);
	return ret->n > 0;
}

/* -- depth ------------------------------------------------------------------------- */

#if CORO_ASAN || CORO_TSAN
#	define UNCHECKED __attribute__((no_sanitize("address", "thread")))
#else
#	define UNCHECKED
#endif

/* The kernel gave zeros: the first word that is something else was written. */
UNCHECKED static const char *first_written(const char *p, const char *end)
{
	const uintptr_t *word = (const uintptr_t *)(const void *)p;

	while ((const char *)word < end && *(const volatile uintptr_t *)word == 0)
		word++;
	return (const char *)word;
}

/* The lowest page that is there; those that were never touched are not, and are left so. */
static const char *first_touched(const struct coro *c)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const char *end = (const char *)c->stack + c->stack_size;
	unsigned char there[PAGES_AT_ONCE];

	for (const char *p = c->stack; p < end; p += PAGES_AT_ONCE * page) {
		size_t n = MIN((size_t)(end - p), PAGES_AT_ONCE * page);

		if (mincore((void *)(uintptr_t)p, n, there) < 0)
			return end;
		for (size_t i = 0; i * page < n; i++)
			if (there[i] & 1)
				return p + i * page;
	}
	return end;
}

size_t coro_depth(const struct coro *c)
{
	const char *end = (const char *)c->stack + c->stack_size;
	const char *p = first_touched(c);

	return (size_t)(end - (coro_may_be_read() ? first_written(p, end) : p));
}

void coro_pool_note_depth(struct coro_pool *p, const struct coro *c)
{
	size_t depth = coro_depth(c);

	p->deepest = MAX(p->deepest, depth);
}

/* Words: what is written byte by byte may become a call that sanitizers look at. */
UNCHECKED static void zero_words(char *p, const char *end)
{
	volatile uintptr_t *word = (volatile uintptr_t *)(void *)p;

	while ((const char *)(uintptr_t)word < end)
		*word++ = 0;
}

void coro_clear(struct coro *c)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	char *from = (char *)(uintptr_t)first_touched(c), *end, *whole;

	enum { BELOW_FRAME = 1024 }; /* what setjmp's caller has there is not much */

	if (!coro_frame(c))
		return; /* it was never used */
	end = (char *)(uintptr_t)coro_frame(c);
#ifndef HAVE_CORO_ASM
	end -= BELOW_FRAME;
#endif
	end = (char *)((uintptr_t)end & ~(uintptr_t)(sizeof(uintptr_t) - 1));
	if (from >= end)
		return;
	whole = (char *)((uintptr_t)end & ~(page - 1));
	/* Giving many pages back is faster than writing to them. */
	if (whole > from + CLEARED_PAGES_MAX * page || !coro_may_be_read())
		if (whole > from &&
			madvise(from, (size_t)(whole - from), MADV_DONTNEED) == 0)
			from = whole;
	if (coro_may_be_read())
		zero_words(from, end);
}

struct walk {
	bool (*fn)(const rv_stack_info *i, void *arg);
	void *arg;
	struct coro_pool *pool;
	rv_stack_census *census; /* NULL: fn is asked */
	int n;
};

static void count_depth(rv_stack_census *c, const struct coro *co)
{
	size_t depth = coro_depth(co);

	if (depth > c->deepest)
		c->deepest = depth;
	if (co->owner && depth > c->deepest_used)
		c->deepest_used = depth;
}

static bool walk_stack(struct coro *c, void *arg)
{
	struct walk *w = arg;
	rv_stack_info i;

	if (w->census) {
		count_depth(w->census, c);
		return true;
	}
	i = (rv_stack_info){
		.task = c->owner && c->entry == task_coro_entry ? c->owner : NULL,
		.used = c->owner != NULL,
		.size = c->stack_size,
		.depth = coro_depth(c),
	};
	w->n++;
	return w->fn(&i, w->arg);
}

int rv_debug_stacks(
	rv_loop *l, bool (*fn)(const rv_stack_info *i, void *arg), void *arg)
{
	struct walk w = {.fn = fn, .arg = arg};

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	for (size_t i = 0; i < N_STACK_CLASSES && !l->closed; i++)
		if (!coro_pool_foreach(&l->pools[i], walk_stack, &w))
			break;
	return w.n;
}

int rv_debug_census(rv_loop *l, rv_stack_census *ret, size_t n)
{
	struct walk w = {0};
	size_t n_classes = 0;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	for (size_t i = 0; i < N_STACK_CLASSES && !l->closed; i++) {
		rv_stack_census c = {.stack_size = l->pools[i].stack_size};

		coro_pool_count(&l->pools[i], &c.n_stacks, &c.n_used, &c.n_touched);
		if (c.n_stacks == 0)
			continue;
		c.n_cached = c.n_stacks - c.n_used;
		c.n_promised = l->pools[i].n_promised;
		w.census = &c;
		(void)coro_pool_foreach(&l->pools[i], walk_stack, &w);
		c.deepest = MAX(c.deepest, l->pools[i].deepest);
		if (n_classes < n)
			ret[n_classes] = c;
		n_classes++;
	}
	return (int)n_classes;
}
