/* It jumps between stacks, which the fortified longjmp forbids. */
#undef _FORTIFY_SOURCE

#include "config.h"

#include "bare.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { STACK = 64 * 1024 };

struct bare_task {
	sigjmp_buf env;
	struct bare_task *next;
	void (*fn)(void *arg);
	void *arg;
};

static struct {
	struct bare_task leader, *current, *first, *last, *pool;
	struct bare_task *starting;
	ucontext_t maker;
} bare;

static void push(struct bare_task *t)
{
	t->next = NULL;
	if (bare.last)
		bare.last->next = t;
	else
		bare.first = t;
	bare.last = t;
}

static struct bare_task *pop(void)
{
	struct bare_task *t = bare.first;

	if (t) {
		bare.first = t->next;
		if (!bare.first)
			bare.last = NULL;
	}
	return t;
}

static __attribute__((noinline)) void switch_to(struct bare_task *to)
{
	struct bare_task *from = bare.current;

	bare.current = to;
	if (!sigsetjmp(from->env, 0))
		siglongjmp(to->env, 1);
}

static void leave(void)
{
	struct bare_task *next = pop();

	switch_to(next ? next : &bare.leader);
}

static void trampoline(void)
{
	struct bare_task *self = bare.starting;

	if (!sigsetjmp(self->env, 0))
		setcontext(&bare.maker);
	for (;;) {
		self->fn(self->arg);
		self->next = bare.pool;
		bare.pool = self;
		leave();
	}
}

static struct bare_task *make(void)
{
	/* the first return of getcontext is the making, the second the return to it */
	volatile int made = 0;
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	struct bare_task *t;
	ucontext_t uc;

	if (stack == MAP_FAILED)
		abort();
	t = (struct bare_task *)(void *)(stack + STACK - sizeof(*t));
	bare.starting = t;
	getcontext(&bare.maker);
	if (!made) {
		made = 1;
		getcontext(&uc);
		uc.uc_link = NULL;
		uc.uc_stack.ss_sp = stack;
		uc.uc_stack.ss_size = STACK - sizeof(*t);
		makecontext(&uc, trampoline, 0);
		setcontext(&uc);
	}
	return t;
}

void bare_init(void)
{
	bare.current = &bare.leader;
}

struct bare_task *bare_spawn(void (*fn)(void *arg), void *arg)
{
	struct bare_task *t = bare.pool;

	if (t)
		bare.pool = t->next;
	else
		t = make();
	t->fn = fn;
	t->arg = arg;
	push(t);
	return t;
}

void bare_run(void)
{
	struct bare_task *t;

	while ((t = pop()))
		switch_to(t);
}

void bare_yield(void)
{
	push(bare.current);
	leave();
}

void bare_park(void)
{
	leave();
}

struct bare_task *bare_self(void)
{
	return bare.current;
}

void bare_wake(struct bare_task *t)
{
	push(t);
}
