/*
 * Coroutines: stacks, and switching between them. Knows nothing of tasks or loops.
 *
 * A stack's context is made once; from then on its trampoline loops: it runs the entry
 * function, and when that returns to the pool the coroutine waits there for the next.
 * Switching leaves the signal mask alone (a system call each way otherwise). It is a few
 * instructions on x86-64 and AArch64 (coro_jump.h), elsewhere and with
 * configure --with-switch=setjmp sigsetjmp and siglongjmp, twice as slow.
 *
 * Stacks come in slabs of adjacent mappings, each with a guard at its low end; struct
 * coro stands at the high end of its own stack, in the page that every use touches
 * anyway. Pinned: a coroutine stays in the thread that made it (compilers keep the
 * address of thread-local variables across a switch).
 */
#ifndef RUNTIME_CORO_H
#define RUNTIME_CORO_H

#ifdef HAVE_CORO_ASM
#	include "runtime/coro_jump.h"
#else
#	include <setjmp.h>
#endif

#include "base/invariant.h"
#include "runtime/link.h"

#if defined(__SANITIZE_ADDRESS__)
#	define CORO_ASAN 1
#elif defined(__has_feature)
#	if __has_feature(address_sanitizer)
#		define CORO_ASAN 1
#	endif
#endif
#if defined(__SANITIZE_THREAD__)
#	define CORO_TSAN 1
#elif defined(__has_feature)
#	if __has_feature(thread_sanitizer)
#		define CORO_TSAN 1
#	endif
#endif
#ifndef CORO_ASAN
#	define CORO_ASAN 0
#endif
#ifndef CORO_TSAN
#	define CORO_TSAN 0
#endif

struct coro_slab {
	struct rv_link link;
	char *base;
	size_t size;
	size_t n_stacks;
	size_t n_used;
	size_t n_taken;       /* so many, from the first on, have been used at all */
	size_t n_guarded;     /* and so many, no fewer, have their guard */
	bool guards_are_maps; /* by mprotect: counted against the limit, all at once */
	struct coro *coros[];
};

struct coro {
#ifdef HAVE_CORO_ASM
	struct coro_place place; /* while it is not running */
#else
	sigjmp_buf env;
	void *frame; /* frame address at the last switch away, for backtraces */
#endif
	struct rv_link link;    /* in one of the pool's lists while unused */
	struct coro_slab *slab; /* NULL for the thread's own stack */
	/* The loop's part: what the trampoline calls, again each time it returns. It
	 * must switch away for good when there is nothing left to run here. */
	void (*entry)(struct coro *c);
	void *owner;
	void *stack; /* lowest usable byte */
	size_t stack_size;
	void *fake_stack;         /* of AddressSanitizer */
	void *fiber;              /* of ThreadSanitizer */
	struct coro_probe *probe; /* what coro_probe wants done here; NULL */
	unsigned valgrind_id;
	bool prepared; /* has a context */
	bool cold;     /* in the pool's list of those */
};

/* Stacks of one size. */
struct coro_pool {
	size_t stack_size;    /* with guard, bytes: the distance of two stacks */
	size_t slab_stacks;   /* in one mapping */
	struct rv_link free;  /* last used first: its pages are warm */
	struct rv_link cold;  /* free too, after those: only the top is still there */
	struct rv_link slabs; /* all, oldest first */
	struct coro_slab
		*fresh; /* the oldest with stacks never used; those after it too */
	size_t n_free;
	size_t n_promised; /* of the free ones, to tasks that have not started */
	size_t n_warm;     /* in free */
	size_t deepest;    /* use of stacks that debug mode has cleared since, bytes */
};

enum {
	CORO_STACK_MIN = 64 * 1024,
	CORO_STACK_MAX = 64 * 1024 * 1024,
	/* more than a page: a large frame must not step over it */
	CORO_GUARD_SIZE = 16 * 1024,
};

void coro_pool_init(struct coro_pool *p, size_t stack_size);
/* Unmaps every slab of which no stack is in use; returns how many stacks are still. */
size_t coro_pool_deinit(struct coro_pool *p);
/* the rare ways of what comes next */
int coro_pool_add(struct coro_pool *p);
int coro_pool_take_fresh(struct coro_pool *p, struct coro **ret);

/*
 * Promise one stack: makes sure that a coro_pool_take for each promise will find one. Many
 * promises need no stack in the end, because one task after the other runs on the same: what
 * a stack costs more than its addresses is paid when it is used first.
 * 0; -ENOMEM; -EAGAIN: the system allows no more mappings.
 */
static inline int coro_pool_promise(struct coro_pool *p)
{
	if (UNLIKELY(p->n_promised >= p->n_free)) {
		int r = coro_pool_add(p);

		if (r < 0)
			return r;
	}
	p->n_promised++;
	return 0;
}

static inline void coro_pool_unpromise(struct coro_pool *p)
{
	INVARIANT(p->n_promised > 0);
	p->n_promised--;
}

/*
 * Redeems a promise. 0; -ENOMEM, -EAGAIN: the stack was never used, and the kernel does not
 * make its guard (as it would have a moment ago: memory was locked since, or has run out); the
 * promise stands.
 */
static inline int coro_pool_take(struct coro_pool *p, struct coro **ret)
{
	struct rv_link *first = p->free.next;
	struct coro *c;

	if (LIKELY(first != &p->free)) {
		link_unlink(first);
		c = LINK_ENTRY(first, struct coro, link);
		p->n_warm--;
	} else {
		int r = coro_pool_take_fresh(p, &c);

		if (UNLIKELY(r < 0))
			return r;
	}
	coro_pool_unpromise(p);
	p->n_free--;
	c->slab->n_used++;
	*ret = c;
	return 0;
}

/* May be the running one, if it switches away next. */
static inline void coro_pool_put(struct coro_pool *p, struct coro *c)
{
	INVARIANT(c->slab->n_used > 0);
	c->slab->n_used--;
	c->owner = NULL;
	link_prepend(&p->free, &c->link);
	p->n_free++;
	p->n_warm++;
}

/*
 * Gives memory back after a peak: slabs that nobody uses, and of cached stacks, save for a
 * few, what is below the top. Not from a stack of this pool. True: call it again, this is
 * done in pieces.
 */
bool coro_pool_trim(struct coro_pool *p);

/*
 * For who looks into stacks: each that was ever used; until fn returns false, and so does
 * this then.
 */
bool coro_pool_foreach(
	struct coro_pool *p, bool (*fn)(struct coro *c, void *arg), void *arg);
/* Stacks that are mapped, in use, and ever used. */
void coro_pool_count(const struct coro_pool *p, size_t *ret_stacks, size_t *ret_used,
	size_t *ret_touched);
/* How many stacks the kernel bears at once; UINT64_MAX: their guards take no mappings. */
uint64_t coro_stacks_max(void);
/* False: what is below the stack pointer is off limits here (valgrind). */
bool coro_may_be_read(void);

/* A coroutine for the stack that the thread is on already. */
void coro_init_leader(struct coro *c);
/* Destroys what annotations hold. Not the running one. */
void coro_deinit(struct coro *c);
/* Is at in the guard of c's stack? */
static inline bool coro_guard_has(const struct coro *c, const void *at)
{
	return c->slab &&
	       (uintptr_t)c->stack - (uintptr_t)at - 1 < (uintptr_t)CORO_GUARD_SIZE;
}
/* coro_switch, which leaves a stack for another one, is in coro_switch.h. */
/* While c is left: how far its stack is used. */
static inline const void *coro_frame(const struct coro *c)
{
#ifdef HAVE_CORO_ASM
	return c->place.sp;
#else
	return c->frame;
#endif
}
/* Run fn(arg) on the stack of c, which has been left by coro_switch and stays left. fn
 * must not switch. */
void coro_probe(struct coro *c, void (*fn)(void *arg), void *arg);
/* Give to a context if it has none; for coro_switch's users before the first switch. */
void coro_prepare(struct coro *self, struct coro *to);

#endif
