/* Slabs of stacks and the pool of free ones. */
#include "config.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/coro.h"

#if CORO_ASAN
#	include <sanitizer/asan_interface.h>
#	include <sanitizer/lsan_interface.h>
#endif
#ifdef HAVE_VALGRIND_VALGRIND_H
#	include <valgrind/valgrind.h>
#else
#	define VALGRIND_STACK_REGISTER(start, end) 0
#	define VALGRIND_STACK_DEREGISTER(id)       ((void)(id))
#	define RUNNING_ON_VALGRIND                 0
#endif

/* Linux 6.13; glibc 2.36 does not know it */
#ifndef MADV_GUARD_INSTALL
#	define MADV_GUARD_INSTALL 102
#endif

enum {
	/* Adjacent stacks differ by this much at the top, else the first frames of all
	 * would compete for the same lines of the cache. */
	COLOUR_STEP = 256,
	N_COLOURS = 8,
	SLAB_STACKS_MAX = 64,
	/* Where memory is not overcommitted a mapping counts whole, touched or not. */
	SLAB_SIZE_MAX = 16 * 1024 * 1024,
	SLABS_KEPT = 4, /* empty slabs that stay mapped */
	/* Of the stacks that were used last so many bytes stay as they are. */
	WARM_BYTES = 4 * 1024 * 1024,
	/* and of the others this much at the top, which the next use touches anyway */
	TOP_KEPT = 8 * 1024,
	TRIMMED_AT_ONCE = 256,
	MAP_SLACK = 2048, /* mappings left to the rest of the process */
	MAP_COUNT_DEFAULT = 65530,
};

/* Stacks of this process whose guard is a mapping of its own. */
static atomic_long n_mapped_guards;

/*
 * How many such stacks the kernel can bear: each costs two mappings, and past the limit
 * not only mprotect fails but every malloc of the process that needs a mapping.
 */
static long mapped_guards_max(void)
{
	static atomic_long cached;
	long max = atomic_load(&cached);
	long n_maps = MAP_COUNT_DEFAULT, used = 0;
	_cleanup_(fclosep) FILE *f = NULL;
	_cleanup_(fclosep) FILE *maps = NULL;
	int c;

	if (max > 0)
		return max;
	f = fopen("/proc/sys/vm/max_map_count", "re");
	if (f && fscanf(f, "%ld", &n_maps) != 1)
		n_maps = MAP_COUNT_DEFAULT;
	maps = fopen("/proc/self/maps", "re");
	while (maps && (c = getc_unlocked(maps)) != EOF)
		used += c == '\n';
	/* valgrind ends itself at 30,000 mappings */
	n_maps = RUNNING_ON_VALGRIND ? MIN(n_maps, 20000L) : n_maps;
	max = MAX((n_maps - used - MAP_SLACK) / 2, 64L);
	atomic_store(&cached, max);
	return max;
}

/* LeakSanitizer reads stacks and finds an advised guard readable in /proc/self/maps;
 * valgrind does not know the advice. */
static bool guards_can_be_advised(void)
{
	return !CORO_ASAN && !CORO_TSAN && !RUNNING_ON_VALGRIND;
}

/*
 * Has the advice been heard? An emulator may say yes to advice that it does not know, as
 * qemu-user does; then the kernel finds a file's name there, an empty one.
 */
static bool guard_holds(const char *guard)
{
	return access(guard, F_OK) < 0 && errno == EFAULT;
}

uint64_t coro_stacks_max(void)
{
	bool advised;
	void *p;

	if (!guards_can_be_advised())
		return (uint64_t)mapped_guards_max();
	p = mmap(NULL, CORO_GUARD_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	advised = p != MAP_FAILED &&
		  madvise(p, CORO_GUARD_SIZE, MADV_GUARD_INSTALL) == 0 &&
		  guard_holds(p);
	if (p != MAP_FAILED)
		(void)munmap(p, CORO_GUARD_SIZE);
	return advised ? UINT64_MAX : (uint64_t)mapped_guards_max();
}

static int slab_guards_by_maps(struct coro_slab *s)
{
	long n = (long)s->n_stacks;

	if (atomic_fetch_add(&n_mapped_guards, n) + n > mapped_guards_max()) {
		atomic_fetch_sub(&n_mapped_guards, n);
		return -EAGAIN;
	}
	s->guards_are_maps = true;
	return 0;
}

/*
 * Guards for the first n stacks. An advised one costs a microsecond, because the kernel writes
 * it into page tables that the stack would need only when it is used; a mapped one counts
 * against a limit, so where there has to be one there are all of the slab.
 */
static int slab_guard(struct coro_slab *s, size_t stack_size, size_t n)
{
	bool advise = guards_can_be_advised() && !s->guards_are_maps;

	for (; s->n_guarded < n; s->n_guarded++) {
		char *guard = s->base + s->n_guarded * stack_size;
		int r;

		/* EINVAL: an older kernel, or locked memory (mlockall) */
		if (advise &&
			madvise(guard, CORO_GUARD_SIZE, MADV_GUARD_INSTALL) == 0) {
			if (s->n_guarded > 0 || guard_holds(guard))
				continue;
		} else if (advise && errno != EINVAL) {
			return -errno;
		}
		r = s->guards_are_maps ? 0 : slab_guards_by_maps(s);
		if (r < 0)
			return r;
		advise = false;
		n = s->n_stacks;
		if (mprotect(guard, CORO_GUARD_SIZE, PROT_NONE) < 0)
			return errno == ENOMEM ? -EAGAIN : -errno;
	}
	return 0;
}

static void slab_free(struct coro_slab *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_taken; i++) {
		struct coro *c = s->coros[i];

		if (c->valgrind_id)
			VALGRIND_STACK_DEREGISTER(c->valgrind_id);
#if CORO_ASAN
		__lsan_unregister_root_region(c->stack, c->stack_size + sizeof(*c));
#endif
		coro_deinit(c);
	}
	if (s->base) {
#if CORO_ASAN
		__asan_unpoison_memory_region(s->base, s->size);
#endif
		(void)munmap(s->base, s->size);
	}
	if (s->guards_are_maps)
		atomic_fetch_sub(&n_mapped_guards, (long)s->n_stacks);
	link_remove(&s->link);
	free(s);
}

DEFINE_CLEANUP(struct coro_slab *, slab_free)

/* The first use of a stack; until then none of its pages was touched. */
static struct coro *slab_take_fresh(struct coro_slab *s, size_t stack_size)
{
	size_t i = s->n_taken++;
	char *top = s->base + (i + 1) * stack_size - (i % N_COLOURS) * COLOUR_STEP;
	struct coro *c;

	c = (struct coro *)(((uintptr_t)top - sizeof(*c)) & ~(uintptr_t)63);
	*c = (struct coro){.slab = s};
	c->stack = s->base + i * stack_size + CORO_GUARD_SIZE;
	c->stack_size = (size_t)((char *)c - (char *)c->stack);
	c->valgrind_id =
		VALGRIND_STACK_REGISTER(c->stack, (char *)c->stack + c->stack_size);
#if CORO_ASAN
	/* with struct coro, which holds on to the slab */
	__lsan_register_root_region(c->stack, c->stack_size + sizeof(*c));
#endif
	s->coros[i] = c;
	return c;
}

int coro_pool_add(struct coro_pool *p)
{
	_cleanup_(slab_freep) struct coro_slab *s = NULL;
	void *base;
	int r;

	s = calloc(1, sizeof(*s) + p->slab_stacks * sizeof(struct coro *));
	if (!s)
		return -ENOMEM;
	s->n_stacks = p->slab_stacks;
	s->size = p->stack_size * s->n_stacks;
	base = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	s->base = base;
	/* Adjacent stacks would make a candidate for a huge page: 2 MiB for each that
	 * is touched. The advice fails where the kernel has no huge pages. */
	(void)madvise(base, s->size, MADV_NOHUGEPAGE);
	r = slab_guard(s, p->stack_size, 1); /* which tells how it goes here */
	if (r < 0)
		return r;
	p->n_free += s->n_stacks;
	link_append(&p->slabs, &s->link);
	if (!p->fresh)
		p->fresh = s;
	(void)TAKE_PTR(s);
	return 0;
}

void coro_pool_init(struct coro_pool *p, size_t stack_size)
{
	size_t size = CORO_STACK_MIN;

	while (size < stack_size)
		size *= 2;
	*p = (struct coro_pool){.stack_size = size};
	p->slab_stacks = MIN(SLAB_SIZE_MAX / size, (size_t)SLAB_STACKS_MAX);
	p->slab_stacks = MAX(p->slab_stacks, (size_t)1);
	link_init(&p->free);
	link_init(&p->cold);
	link_init(&p->slabs);
}

static struct coro_slab *slab_after(struct coro_pool *p, struct coro_slab *s)
{
	if (s->link.next == &p->slabs)
		return NULL;
	return LINK_ENTRY(s->link.next, struct coro_slab, link);
}

static void slab_drop(struct coro_pool *p, struct coro_slab *s)
{
	for (size_t i = 0; i < s->n_taken; i++) {
		link_unlink(&s->coros[i]->link);
		p->n_warm -= !s->coros[i]->cold;
	}
	if (p->fresh == s)
		p->fresh = slab_after(p, s);
	p->n_free -= s->n_stacks;
	slab_free(s);
}

size_t coro_pool_deinit(struct coro_pool *p)
{
	size_t n_used = 0;
	struct rv_link *next;

	for (struct rv_link *it = p->slabs.next; it && it != &p->slabs; it = next) {
		struct coro_slab *s = LINK_ENTRY(it, struct coro_slab, link);

		next = it->next;
		n_used += s->n_used;
		if (s->n_used == 0) {
			slab_drop(p, s);
			continue;
		}
		/* The abandoned stacks stay mapped: others may point into them. */
		link_unlink(&s->link);
	}
	return n_used;
}

int coro_pool_take_fresh(struct coro_pool *p, struct coro **ret)
{
	struct rv_link *cold = link_pop(&p->cold);
	struct coro_slab *s = p->fresh;
	int r, saved = errno;

	if (cold) {
		*ret = LINK_ENTRY(cold, struct coro, link);
		(*ret)->cold = false;
		return 0;
	}
	INVARIANT(s && s->n_taken < s->n_stacks);
	r = slab_guard(s, p->stack_size, s->n_taken + 1);
	errno = saved;
	if (r < 0)
		return r;
	*ret = slab_take_fresh(s, p->stack_size);
	if (s->n_taken == s->n_stacks)
		p->fresh = slab_after(p, s);
	return 0;
}

bool coro_pool_foreach(
	struct coro_pool *p, bool (*fn)(struct coro *c, void *arg), void *arg)
{
	for (struct rv_link *it = p->slabs.next; it != &p->slabs; it = it->next) {
		struct coro_slab *s = LINK_ENTRY(it, struct coro_slab, link);

		for (size_t i = 0; i < s->n_taken; i++)
			if (!fn(s->coros[i], arg))
				return false;
	}
	return true;
}

void coro_pool_count(const struct coro_pool *p, size_t *ret_stacks, size_t *ret_used,
	size_t *ret_touched)
{
	*ret_stacks = *ret_used = *ret_touched = 0;
	for (struct rv_link *it = p->slabs.next; it != &p->slabs; it = it->next) {
		struct coro_slab *s = LINK_ENTRY(it, struct coro_slab, link);

		*ret_stacks += s->n_stacks;
		*ret_used += s->n_used;
		*ret_touched += s->n_taken;
	}
}

bool coro_may_be_read(void)
{
	return !RUNNING_ON_VALGRIND;
}

static void slabs_trim(struct coro_pool *p)
{
	size_t keep = p->n_promised + SLABS_KEPT * p->slab_stacks;
	struct rv_link *next;

	/* A whole slab at a time: unmapping single stacks would split it into many
	 * maps. */
	for (struct rv_link *it = p->slabs.next; it != &p->slabs; it = next) {
		struct coro_slab *s = LINK_ENTRY(it, struct coro_slab, link);

		next = it->next;
		if (p->n_free < keep + p->slab_stacks)
			return;
		if (s->n_used == 0)
			slab_drop(p, s);
	}
}

/* What is below the top, and below where it was left in its trampoline. */
static void stack_trim(struct coro *c)
{
	enum { BELOW_FRAME = 1024 }; /* registers, a red zone */
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)c->stack;
	uintptr_t to = ((uintptr_t)c | (page - 1)) + 1 - TOP_KEPT;

	if (coro_frame(c))
		to = MIN(to, (uintptr_t)coro_frame(c) - BELOW_FRAME);
	to &= ~(page - 1);
	if (to > from)
		(void)madvise(c->stack, to - from, MADV_DONTNEED);
}

bool coro_pool_trim(struct coro_pool *p)
{
	size_t n_keep = MAX(WARM_BYTES / p->stack_size, (size_t)1);

	slabs_trim(p);
	for (int i = 0; i < TRIMMED_AT_ONCE && p->n_warm > n_keep; i++) {
		struct rv_link *oldest = p->free.prev;
		struct coro *c = LINK_ENTRY(oldest, struct coro, link);

		link_unlink(oldest);
		p->n_warm--;
		stack_trim(c);
		c->cold = true;
		link_prepend(&p->cold, &c->link);
	}
	return p->n_warm > n_keep;
}
