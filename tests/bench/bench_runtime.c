/*
 * The runtime against a bare scheduler of a page that does the same, in turns: nanoseconds
 * per operation of both, and the ratio. The works C1 to C9 are those that other runtimes
 * are measured by.
 *
 *	bench_runtime [ROUNDS [WORK...]]        WORK: C1 ... C9
 */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bare.h"
#include "base/heap.h"
#include "base/macro.h"
#include "reeve/reeve.h"

enum { ROUNDS_MAX = 33 };

extern char **environ;

static void die(const char *what, int err)
{
	(void)fprintf(stderr, "bench_runtime: %s: %s\n", what, rv_strerror(err));
	exit(1);
}

static int check(const char *what, int r)
{
	if (r < 0)
		die(what, r);
	return r;
}

/* -- C1: spawn and join --------------------------------------------------------------- */

static void bare_nothing(void *arg)
{
}

static void bare_spawn_join(size_t n)
{
	while (n-- > 0) {
		(void)bare_spawn(bare_nothing, NULL);
		bare_run();
	}
}

static int nothing(void *arg)
{
	return 0;
}

static int our_spawn_join(size_t n)
{
	while (n-- > 0) {
		rv_task *t = rv_spawn(nothing, NULL);

		if (!t)
			return -errno;
		check("join", rv_task_join(t, NULL));
		rv_task_unref(t);
	}
	return 0;
}

/* -- C2: ping-pong ------------------------------------------------------------------------ */

static size_t n_left;

static void bare_ping(void *arg)
{
	while (n_left > 0) {
		n_left--;
		bare_yield();
	}
}

static void bare_switches(size_t n)
{
	n_left = n;
	(void)bare_spawn(bare_ping, NULL);
	(void)bare_spawn(bare_ping, NULL);
	bare_run();
}

static int our_ping(void *arg)
{
	while (n_left > 0) {
		n_left--;
		check("yield", rv_yield());
	}
	return 0;
}

static int run_two(rv_fn a, rv_fn b, void *arg)
{
	const rv_call calls[] = {{a, arg, NULL}, {b, arg, NULL}};

	return rv_gather_calls(calls, 2, 0, NULL);
}

static int our_switches(size_t n)
{
	n_left = n;
	return run_two(our_ping, our_ping, NULL);
}

/* the same through a future that is made for each turn */
struct court {
	rv_future *ball[2];
};

static int play(struct court *c, int me)
{
	while (n_left > 0) {
		rv_future *mine = c->ball[me];

		check("await", rv_future_await(mine, NULL));
		rv_future_unref(mine);
		check("future", rv_future_new(&c->ball[me], NULL));
		if (n_left > 0)
			n_left--;
		(void)rv_future_set(c->ball[!me], NULL, NULL);
	}
	return 0;
}

static int play_first(void *c)
{
	return play(c, 0);
}

static int play_second(void *c)
{
	return play(c, 1);
}

static int our_future_switches(size_t n)
{
	struct court c;
	int r;

	n_left = n;
	check("future", rv_future_new(&c.ball[0], NULL));
	check("future", rv_future_new(&c.ball[1], NULL));
	(void)rv_future_set(c.ball[0], NULL, NULL);
	r = run_two(play_first, play_second, &c);
	rv_future_unref(c.ball[0]);
	rv_future_unref(c.ball[1]);
	return r;
}

/* -- C3: a queue -------------------------------------------------------------------------- */

struct bare_queue {
	void *items[64];
	size_t head, n, max;
	struct bare_task *getter, *putter;
	size_t n_items;
};

static void bare_wake_one(struct bare_task **t)
{
	struct bare_task *w = *t;

	*t = NULL;
	if (w)
		bare_wake(w);
}

static void bare_put_all(void *arg)
{
	struct bare_queue *q = arg;

	for (size_t i = 0; i < q->n_items; i++) {
		while (q->n == q->max) {
			q->putter = bare_self();
			bare_park();
		}
		q->items[(q->head + q->n++) % 64] = q;
		bare_wake_one(&q->getter);
	}
}

static void bare_get_all(void *arg)
{
	struct bare_queue *q = arg;

	for (size_t i = 0; i < q->n_items; i++) {
		while (q->n == 0) {
			q->getter = bare_self();
			bare_park();
		}
		q->head++;
		q->n--;
		bare_wake_one(&q->putter);
	}
}

static void bare_queue_of(size_t n, size_t max)
{
	struct bare_queue q = {.max = max, .n_items = n};

	(void)bare_spawn(bare_put_all, &q);
	(void)bare_spawn(bare_get_all, &q);
	bare_run();
}

static void bare_queue_1(size_t n)
{
	bare_queue_of(n, 1);
}

static void bare_queue_64(size_t n)
{
	bare_queue_of(n, 64);
}

struct our_queue {
	rv_queue *q;
	size_t n_items;
};

static int put_all(void *arg)
{
	struct our_queue *o = arg;

	for (size_t i = 0; i < o->n_items; i++)
		check("put", rv_queue_put(o->q, o));
	return 0;
}

static int get_all(void *arg)
{
	struct our_queue *o = arg;
	void *item;

	for (size_t i = 0; i < o->n_items; i++)
		check("get", rv_queue_get(o->q, &item));
	return 0;
}

static int our_queue_of(size_t n, size_t max)
{
	struct our_queue o = {.n_items = n};
	int r;

	check("queue", rv_queue_new(&o.q, RV_QUEUE_FIFO, max, NULL, NULL));
	r = run_two(put_all, get_all, &o);
	rv_queue_free(o.q);
	return r;
}

static int our_queue_1(size_t n)
{
	return our_queue_of(n, 1);
}

static int our_queue_64(size_t n)
{
	return our_queue_of(n, 64);
}

/* -- C5: gather ---------------------------------------------------------------------------- */

enum { GATHERED = 10000 };

static void bare_count(void *left)
{
	--*(size_t *)left;
}

static void bare_gather(size_t n)
{
	for (; n >= GATHERED; n -= GATHERED) {
		size_t left = GATHERED;

		for (size_t i = 0; i < GATHERED; i++)
			(void)bare_spawn(bare_count, &left);
		bare_run();
	}
}

static int our_gather(size_t n)
{
	static rv_call calls[GATHERED];

	for (size_t i = 0; i < GATHERED; i++)
		calls[i].fn = nothing;
	for (; n >= GATHERED; n -= GATHERED)
		check("gather", rv_gather_calls(calls, GATHERED, 0, NULL));
	return 0;
}

/* -- C6: the executor ------------------------------------------------------------------------ */

struct bare_worker {
	sem_t go, done;
	bool stop;
};

static void *bare_work(void *arg)
{
	struct bare_worker *w = arg;

	for (;;) {
		(void)sem_wait(&w->go);
		if (w->stop)
			return NULL;
		(void)sem_post(&w->done);
	}
}

static void bare_calls(size_t n)
{
	struct bare_worker w = {.stop = false};
	pthread_t thread;

	(void)sem_init(&w.go, 0, 0);
	(void)sem_init(&w.done, 0, 0);
	if (pthread_create(&thread, NULL, bare_work, &w) != 0)
		die("thread", -EAGAIN);
	while (n-- > 0) {
		(void)sem_post(&w.go);
		(void)sem_wait(&w.done);
	}
	w.stop = true;
	(void)sem_post(&w.go);
	(void)pthread_join(thread, NULL);
}

static int our_calls(size_t n)
{
	while (n-- > 0)
		check("call", rv_run_blocking(NULL, nothing, NULL));
	return 0;
}

enum { CALLERS = 64 };

static int call_share(void *n)
{
	return our_calls(*(size_t *)n / CALLERS);
}

static int our_calls_64(size_t n)
{
	rv_call calls[CALLERS];

	for (size_t i = 0; i < CALLERS; i++)
		calls[i] = (rv_call){call_share, &n, NULL};
	return rv_gather_calls(calls, CALLERS, 0, NULL);
}

/* -- C7: children ---------------------------------------------------------------------------- */

enum { CHILDREN = 8 };

static char *const true_argv[] = {(char *)"/bin/true", NULL};

static void bare_children(size_t n)
{
	size_t going = 0;

	while (n > 0 || going > 0) {
		pid_t pid;

		if (n > 0 && going < CHILDREN) {
			if (posix_spawn(&pid, true_argv[0], NULL, NULL, true_argv,
				    environ) != 0)
				die("posix_spawn", -EAGAIN);
			n--;
			going++;
			continue;
		}
		if (wait4(-1, NULL, 0, NULL) > 0)
			going--;
	}
}

static int run_children(void *n)
{
	for (size_t i = 0; i < *(size_t *)n / CHILDREN; i++) {
		rv_process *p;

		check("exec", rv_exec(true_argv, NULL, &p));
		check("wait", rv_process_wait(p, NULL));
		rv_process_unref(p);
	}
	return 0;
}

static int our_children(size_t n)
{
	rv_call calls[CHILDREN];

	for (size_t i = 0; i < CHILDREN; i++)
		calls[i] = (rv_call){run_children, &n, NULL};
	return rv_gather_calls(calls, CHILDREN, 0, NULL);
}

/* -- C8: a deadline that does not come ------------------------------------------------------- */

struct bare_deadline {
	struct heap_node node;
	rv_time when;
};

static bool earlier(const struct heap_node *a, const struct heap_node *b)
{
	return CONTAINER_OF((struct heap_node *)a, struct bare_deadline, node)->when <
	       CONTAINER_OF((struct heap_node *)b, struct bare_deadline, node)->when;
}

static void bare_deadlines(size_t n)
{
	struct heap h;

	heap_init(&h, earlier);
	while (n-- > 0) {
		struct bare_deadline d = {.when = rv_now() + RV_SEC(1)};

		check("heap", heap_push(&h, &d.node));
		heap_remove(&h, &d.node);
	}
	heap_deinit(&h);
}

static int our_deadlines(size_t n)
{
	while (n-- > 0)
		check("wait_for", rv_wait_for(nothing, NULL, RV_SEC(1)));
	return 0;
}

/* -- C9: a lock ------------------------------------------------------------------------------ */

static void bare_lock(size_t n)
{
	volatile bool locked = false;

	while (n-- > 0) {
		if (locked)
			abort();
		locked = true;
		locked = false;
	}
}

static int our_lock(size_t n)
{
	rv_lock l;

	rv_lock_init(&l);
	while (n-- > 0) {
		check("acquire", rv_lock_acquire(&l));
		(void)rv_lock_release(&l);
	}
	return 0;
}

static rv_lock shared_lock;

static int lock_share(void *n)
{
	for (size_t i = 0; i < *(size_t *)n / CHILDREN; i++) {
		check("acquire", rv_lock_acquire(&shared_lock));
		check("yield", rv_yield());
		(void)rv_lock_release(&shared_lock);
	}
	return 0;
}

static int our_lock_contended(size_t n)
{
	rv_call calls[CHILDREN];

	rv_lock_init(&shared_lock);
	for (size_t i = 0; i < CHILDREN; i++)
		calls[i] = (rv_call){lock_share, &n, NULL};
	return rv_gather_calls(calls, CHILDREN, 0, NULL);
}

/* two switches for each: to who has it, and back to who waits */
static void bare_lock_contended(size_t n)
{
	bare_switches(2 * n);
}

/* -- all of them ------------------------------------------------------------------------------- */

static const struct work {
	const char *name, *what;
	size_t n;
	void (*bare)(size_t n);
	int (*ours)(size_t n);
	double goal; /* ours / bare, at most */
} works[] = {
	{"C1", "spawn and join", 1000000, bare_spawn_join, our_spawn_join, 1.5},
	{"C2", "switch, by yielding", 3000000, bare_switches, our_switches, 1.4},
	{"C2f", "switch, through a future", 1000000, bare_switches, our_future_switches,
		1.4},
	{"C3", "queue of 1, an item", 1000000, bare_queue_1, our_queue_1, 1.55},
	{"C3b", "queue of 64, an item", 3000000, bare_queue_64, our_queue_64, 1.55},
	{"C5", "gather, a task", 500000, bare_gather, our_gather, 1.5},
	{"C6", "call in a thread", 20000, bare_calls, our_calls, 1.0},
	{"C6b", "the same, 64 callers", 200000, bare_calls, our_calls_64, 0.1},
	{"C7", "child, 8 at a time", 800, bare_children, our_children, 1.03},
	{"C8", "deadline that does not come", 1000000, bare_deadlines, our_deadlines,
		1.9},
	{"C9", "lock, free", 10000000, bare_lock, our_lock, 2.1},
	{"C9b", "lock, among 8", 1000000, bare_lock_contended, our_lock_contended, 1.5},
};

static const struct work *current_work;
static double ours_ns;

static int run_ours(void *arg)
{
	rv_time t = rv_now();
	int r = current_work->ours(current_work->n);

	ours_ns = (double)(rv_now() - t) / (double)current_work->n;
	return r;
}

static double measure_bare(const struct work *w)
{
	rv_time t = rv_now();

	w->bare(w->n);
	return (double)(rv_now() - t) / (double)w->n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void run_work(const struct work *w, int rounds)
{
	double bare[ROUNDS_MAX], ours[ROUNDS_MAX], ratio[ROUNDS_MAX];

	for (int i = -1; i < rounds; i++) { /* the first warms up */
		double b = measure_bare(w);

		current_work = w;
		check(w->name, rv_run(run_ours, NULL, NULL));
		if (i < 0)
			continue;
		bare[i] = b;
		ours[i] = ours_ns;
		ratio[i] = ours_ns / b;
	}
	qsort(bare, (size_t)rounds, sizeof(*bare), compare);
	qsort(ours, (size_t)rounds, sizeof(*ours), compare);
	qsort(ratio, (size_t)rounds, sizeof(*ratio), compare);
	printf("%-4s %-28s bare %9.1f  ours %9.1f ns  ratio %6.2f (%.2f .. %.2f), goal "
	       "%.2f\n",
		w->name, w->what, bare[rounds / 2], ours[rounds / 2], ratio[rounds / 2],
		ratio[0], ratio[rounds - 1], w->goal);
	(void)fflush(stdout);
}

/* -- C4: sleepers --------------------------------------------------------------------------- */

enum { SLEEPERS = 100000 };

static rv_time lateness[SLEEPERS];
static size_t n_woken;

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long size, resident = 0;

	if (!f || fscanf(f, "%ld %ld", &size, &resident) != 2)
		die("statm", -EIO);
	(void)fclose(f);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static int sleep_a_second(void *until)
{
	rv_time when = *(rv_time *)until;

	check("sleep", rv_sleep_until(when));
	lateness[n_woken++] = rv_now() - when;
	return 0;
}

static int compare_times(const void *a, const void *b)
{
	rv_time x = *(const rv_time *)a, y = *(const rv_time *)b;

	return (x > y) - (x < y);
}

static int sleepers(void *arg)
{
	long before = resident_kib(), asleep;
	rv_time until = rv_now() + RV_SEC(3);
	rv_group g;

	check("group", rv_group_enter(&g, RV_GROUP_FAIL_FAST));
	for (size_t i = 0; i < SLEEPERS; i++)
		if (!rv_group_spawn(&g, sleep_a_second, &until))
			die("spawn", -errno);
	check("yield", rv_yield());
	asleep = resident_kib();
	check("exit", rv_group_exit(&g, 0));
	qsort(lateness, SLEEPERS, sizeof(*lateness), compare_times);
	printf("C4   %d sleepers: %.0f bytes each (a stack page is 4096), late p50 "
	       "%.2f "
	       "p99 %.2f ms; goals 4400, 2\n",
		SLEEPERS, (double)(asleep - before) * 1024 / SLEEPERS,
		(double)lateness[SLEEPERS / 2] / 1e6,
		(double)lateness[SLEEPERS / 100 * 99] / 1e6);
	return 0;
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	if (argc < 3)
		return true;
	for (int i = 2; i < argc; i++)
		if (strncmp(name, argv[i], strlen(argv[i])) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? MIN(MAX(atoi(argv[1]), 1), ROUNDS_MAX) : 7;

	bare_init();
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (is_wanted(works[i].name, argc, argv))
			run_work(&works[i], rounds);
	if (is_wanted("C4", argc, argv))
		check("sleepers", rv_run(sleepers, NULL, NULL));
	return 0;
}
