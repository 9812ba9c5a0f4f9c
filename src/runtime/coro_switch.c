/*
 * The one file that leaves a stack for another one.
 *
 * Without coro_asm.S it does so by setjmp. The fortified longjmp aborts when it jumps to a
 * frame that is not above the current one, which is what switching stacks is. Distributions
 * inject the macro, hence before all else.
 */
#undef _FORTIFY_SOURCE

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#ifndef HAVE_CORO_ASM
#	include <ucontext.h>
#endif

#include "base/invariant.h"
#include "runtime/coro.h"

#if CORO_ASAN
#	include <sanitizer/common_interface_defs.h>
#endif
#if CORO_TSAN
#	include <sanitizer/tsan_interface.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

/*
 * Annotations. They must be inlined: ThreadSanitizer keeps a shadow call stack per
 * fiber, and a function that is entered on one and left on the other would unbalance
 * both.
 */
static ALWAYS_INLINE void before_switch(struct coro *from, struct coro *to)
{
#if CORO_ASAN
	__sanitizer_start_switch_fiber(&from->fake_stack, to->stack, to->stack_size);
#endif
#if CORO_TSAN
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
	(void)from;
	(void)to;
}

/* from: where control came from, if its bounds are not known yet (the leader) */
static ALWAYS_INLINE void after_switch(struct coro *self, struct coro *from)
{
#if CORO_ASAN
	const void *bottom = NULL;
	size_t size = 0;

	__sanitizer_finish_switch_fiber(self->fake_stack, &bottom, &size);
	if (from && !from->stack) {
		from->stack = (void *)(uintptr_t)bottom;
		from->stack_size = size;
	}
#endif
	(void)self;
	(void)from;
}

#ifdef HAVE_CORO_ASM

/* coro_asm.S */
void coro_asm_switch(void **from, void *to);
void coro_asm_entry(void);

static void trampoline(void *arg)
{
	struct coro *self = arg;

	after_switch(self, NULL);
	for (;;)
		self->entry(self);
}

#	if defined(__x86_64__)
/* as coro_asm_switch takes them off, lowest address first */
struct first_frame {
	void *r15, *r14, *r13, *r12, *rbx, *rbp;
	void (*pc)(void); /* the stack is 16-byte aligned above it */
};

static void first_frame_fill(struct first_frame *f, struct coro *self)
{
	*f = (struct first_frame){.r12 = (void *)(uintptr_t)trampoline,
		.r13 = self,
		.pc = coro_asm_entry};
}
#	else
struct first_frame {
	void *x19, *x20, *x21_to_x29[9];
	void (*pc)(void);
	void *d8_to_d15[8];
};

static void first_frame_fill(struct first_frame *f, struct coro *self)
{
	*f = (struct first_frame){.x19 = (void *)(uintptr_t)trampoline,
		.x20 = self,
		.pc = coro_asm_entry};
}
#	endif

void coro_prepare(struct coro *self, struct coro *to)
{
	uintptr_t top = (uintptr_t)to->stack + to->stack_size;
	struct first_frame *f;

	(void)self;
	if (to->prepared)
		return;
#	if CORO_TSAN
	to->fiber = __tsan_create_fiber(0);
#	endif
	f = (struct first_frame *)((top & ~(uintptr_t)15) - sizeof(*f));
	first_frame_fill(f, to);
	to->sp = f;
	to->prepared = true;
}

#	define LEAVE(from, to)                                 \
		do {                                            \
			before_switch(from, to);                \
			coro_asm_switch(&(from)->sp, (to)->sp); \
		} while (0)

#else /* setjmp */

/* The pointers travel through makecontext's int arguments in halves. */
union ptr_halves {
	void *p;
	unsigned u[2];
};

/* Not inlined: what it works with is no local of a function that calls sigsetjmp. */
static NOINLINE void *join_halves(unsigned u0, unsigned u1)
{
	union ptr_halves halves = {.u = {u0, u1}};

	return halves.p;
}

static void trampoline(unsigned self0, unsigned self1, unsigned maker0, unsigned maker1)
{
	struct coro *self = join_halves(self0, self1);
	struct coro *maker = join_halves(maker0, maker1);

	after_switch(self, maker);
	/* Back to the maker at once: from now on the context can be jumped to. */
	if (!sigsetjmp(self->env, 0)) {
		before_switch(self, maker);
		siglongjmp(maker->env, 1);
	}
	after_switch(self, NULL);
	for (;;)
		self->entry(self);
}

NOINLINE void coro_prepare(struct coro *self, struct coro *to)
{
	union ptr_halves to_u = {.p = to};
	union ptr_halves self_u = {.p = self};
	ucontext_t uc;

	_Static_assert(sizeof(void *) <= sizeof(to_u.u), "a pointer fits two ints");
	if (to->prepared)
		return;
#	if CORO_TSAN
	to->fiber = __tsan_create_fiber(0);
#	endif
	INVARIANT(getcontext(&uc) == 0);
	uc.uc_link = NULL;
	uc.uc_stack.ss_sp = to->stack;
	uc.uc_stack.ss_size = to->stack_size;
	uc.uc_stack.ss_flags = 0;
	makecontext(&uc, (void (*)(void))trampoline, 4, to_u.u[0], to_u.u[1],
		self_u.u[0], self_u.u[1]);
	to->prepared = true;
	if (!sigsetjmp(self->env, 0)) {
		before_switch(self, to);
		setcontext(&uc);
	}
	after_switch(self, NULL);
}

/* a macro: nothing that calls setjmp is inlined */
#	define LEAVE(from, to)                           \
		do {                                      \
			if (!sigsetjmp((from)->env, 0)) { \
				before_switch(from, to);  \
				siglongjmp((to)->env, 1); \
			}                                 \
		} while (0)

#endif

struct coro_probe {
	struct coro *prober; /* its bounds are learnt on the way */
	void (*fn)(void *arg);
	void *arg;
};

static ALWAYS_INLINE void after_leaving(struct coro *self)
{
	after_switch(self, UNLIKELY(self->probe) ? self->probe->prober : NULL);
}

/* Not this one's turn: do what is asked, and leave it again. */
__attribute__((cold)) NOINLINE static void answer_probes(struct coro *self)
{
	while (self->probe) {
		struct coro_probe *p = self->probe;

		self->probe = NULL;
		p->fn(p->arg);
		LEAVE(self, p->prober);
		after_leaving(self);
	}
}

/* Not inlined: its callers' copies of thread-local addresses must not move across it.
 */
NOINLINE void coro_switch(struct coro *from, struct coro *to)
{
	int saved = errno;

	from->frame = __builtin_frame_address(0);
	LEAVE(from, to);
	after_leaving(from);
	if (UNLIKELY(from->probe))
		answer_probes(from);
	errno = saved;
}

NOINLINE void coro_probe(struct coro *c, void (*fn)(void *arg), void *arg)
{
	/* Whoever runs here. */
	struct coro self = {.prepared = true};
	struct coro_probe p = {.prober = &self, .fn = fn, .arg = arg};
	int saved = errno;

#if CORO_TSAN
	self.fiber = __tsan_get_current_fiber();
#endif
	c->probe = &p;
	LEAVE(&self, c);
	after_switch(&self, NULL);
	errno = saved;
}

void coro_init_leader(struct coro *c)
{
	*c = (struct coro){.prepared = true};
#if CORO_ASAN
	/* Its bounds are needed when a coroutine switches back; ask before the first.
	 */
	pthread_attr_t attr;

	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		(void)pthread_attr_getstack(&attr, &c->stack, &c->stack_size);
		(void)pthread_attr_destroy(&attr);
	}
#endif
#if CORO_TSAN
	c->fiber = __tsan_get_current_fiber();
#endif
}

void coro_deinit(struct coro *c)
{
#if CORO_TSAN
	if (c->slab && c->fiber)
		__tsan_destroy_fiber(c->fiber);
#endif
	c->fiber = NULL;
}
