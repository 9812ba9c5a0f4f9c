/*
 * Children of a fork. The copy of a loop shares the kernel's half of it with the parent:
 * its epoll, its eventfd, its timers. Whatever the child adds or removes there, the parent
 * gains or loses. So each loop of before is closed in the child, and nothing of it is given
 * back: its tasks are frozen copies that nobody goes on with.
 *
 * pthread_atfork tells of every fork(3). What it runs in the child allocates nothing, waits
 * for nobody and makes no system call but for the signals', so it is harmless also where
 * other threads held locks; and it goes with the library where that is unloaded. A vfork, a
 * posix_spawn or a clone of one's own runs none of it: those who go on in the child of a
 * clone say so by rv_atfork_child.
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "runtime/coro_switch.h"
#include "runtime/loop_priv.h"

/* rv_loop.all: those of this process, and in a child those of the parent */
static struct rv_link loops = {&loops, &loops};
static pthread_mutex_t loops_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registered; /* 0, or an error */

/* It is run here: nothing that stood in line shall run, and what asks sees that it is in no
 * list. */
static void run_end(rv_loop *l)
{
	while (link_pop(&l->ready))
		;
	poll_forked(l);
	/* so every await of the task that forked is refused; see debug_await_outside */
	current.task = NULL;
}

/*
 * What other threads were at may be half done, and memory is no picture of one moment: it is
 * copied page by page while they go on. So of a loop that is not run here only what is one
 * word is touched, and no list followed.
 */
static void loop_poison(rv_loop *l)
{
	l->forked = l->closed = l->stop = true;
	if (current.loop == l)
		run_end(l);
	inbox_forked(&l->inbox);
	signals_forked(l);
}

void rv_atfork_child(void)
{
	pid_t pid = getpid();

	for (struct rv_link *it = loops.next; it != &loops; it = it->next) {
		rv_loop *l = LINK_ENTRY(it, rv_loop, all);

		if (l->pid != pid && !l->forked)
			loop_poison(l);
	}
}

static void before_fork(void)
{
	(void)pthread_mutex_lock(&loops_lock);
}

static void in_parent(void)
{
	(void)pthread_mutex_unlock(&loops_lock);
}

static void in_child(void)
{
	(void)pthread_mutex_unlock(&loops_lock);
	rv_atfork_child();
}

static void register_handlers(void)
{
	registered = -pthread_atfork(before_fork, in_parent, in_child);
}

int loop_enlist(rv_loop *l)
{
	(void)pthread_once(&once, register_handlers);
	if (registered < 0)
		return registered;
	(void)pthread_mutex_lock(&loops_lock);
	l->pid = getpid();
	link_append(&loops, &l->all);
	(void)pthread_mutex_unlock(&loops_lock);
	return 0;
}

void loop_delist(rv_loop *l)
{
	(void)pthread_mutex_lock(&loops_lock);
	link_remove(&l->all);
	(void)pthread_mutex_unlock(&loops_lock);
}

/* Its frames stay where they are, and so does all that they own. */
void fork_leave(rv_loop *l, struct coro *c)
{
	coro_switch(c, &l->leader);
}
