/*
 * Those of the works of ../works.h that libuv has something for: timers, its thread pool,
 * children. It knows no tasks.
 *
 * usage: peer_uv WORK MS    prints what bench_runtime --one does, or "-"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { CALLERS = 64, CHILDREN = 8 };

static uv_loop_t *loop;

static void die(const char *what, int err)
{
	(void)fprintf(stderr, "peer_uv: %s: %s\n", what, uv_strerror(err));
	exit(1);
}

static void check(const char *what, int r)
{
	if (r < 0)
		die(what, r);
}

/* -- C6: the thread pool ------------------------------------------------------------- */

struct caller {
	uv_work_t req;
	size_t n_left;
};

static void no_call(uv_work_t *req)
{
	(void)req;
}

static void call_next(uv_work_t *req, int status)
{
	struct caller *c = req->data;

	check("call", status);
	if (c->n_left-- > 0)
		check("queue", uv_queue_work(loop, &c->req, no_call, call_next));
}

static void calls_of(size_t n, size_t n_callers)
{
	struct caller callers[CALLERS];

	for (size_t i = 0; i < n_callers; i++) {
		callers[i] = (struct caller){.n_left = n / n_callers};
		callers[i].req.data = &callers[i];
		call_next(&callers[i].req, 0);
	}
	check("run", uv_run(loop, UV_RUN_DEFAULT));
}

static void calls(size_t n)
{
	calls_of(n, 1);
}

static void calls_64(size_t n)
{
	calls_of(n, CALLERS);
}

/* -- C7: children --------------------------------------------------------------------- */

struct place {
	uv_process_t process;
	size_t n_left;
};

static void begin(struct place *p);

static void on_closed(uv_handle_t *h)
{
	begin(h->data);
}

static void on_exit_of_child(uv_process_t *p, int64_t status, int sig)
{
	if (status != 0 || sig != 0)
		die("/bin/true", UV_EIO);
	uv_close((uv_handle_t *)p, on_closed);
}

static void begin(struct place *p)
{
	char *argv[] = {(char *)"/bin/true", NULL};
	uv_stdio_container_t inherited[3];
	uv_process_options_t o = {
		.exit_cb = on_exit_of_child,
		.file = argv[0],
		.args = argv,
		.stdio_count = 3,
		.stdio = inherited,
	};

	if (p->n_left-- == 0)
		return;
	for (int fd = 0; fd < 3; fd++) {
		inherited[fd].flags = UV_INHERIT_FD;
		inherited[fd].data.fd = fd;
	}
	check("spawn", uv_spawn(loop, &p->process, &o));
	p->process.data = p;
}

static void children(size_t n)
{
	struct place places[CHILDREN];

	for (size_t i = 0; i < CHILDREN; i++) {
		places[i].n_left = n / CHILDREN;
		begin(&places[i]);
	}
	check("run", uv_run(loop, UV_RUN_DEFAULT));
}

/* -- C4: sleepers ---------------------------------------------------------------------- */

static const int64_t second = 1000000000;
static int64_t
	*late; /* ns; the timer's clock is rounded down to ms, so it may be early */
static size_t n_woken;

struct sleeper {
	uv_timer_t timer;
	uint64_t began;
};

static void on_timer(uv_timer_t *t)
{
	const struct sleeper *s = t->data;

	late[n_woken++] = (int64_t)(uv_hrtime() - s->began) - second;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void sleepers(size_t n)
{
	size_t before, asleep;
	struct sleeper *sleepers;

	late = calloc(n, sizeof(*late));
	if (!late)
		die("sleepers", UV_ENOMEM);
	check("rss", uv_resident_set_memory(&before));
	sleepers = calloc(n, sizeof(*sleepers));
	if (!sleepers)
		die("sleepers", UV_ENOMEM);
	for (size_t i = 0; i < n; i++) {
		struct sleeper *s = &sleepers[i];

		uv_update_time(loop);
		check("timer", uv_timer_init(loop, &s->timer));
		s->timer.data = s;
		s->began = uv_hrtime();
		check("timer", uv_timer_start(&s->timer, on_timer, 1000, 0));
	}
	check("rss", uv_resident_set_memory(&asleep));
	check("run", uv_run(loop, UV_RUN_DEFAULT));
	qsort(late, n, sizeof(*late), compare);
	printf("%.0f %.2f\n", (double)(asleep - before) / (double)n,
		(double)late[n - 1 - n / 100] / 1e6);
	free(sleepers);
	free(late);
}

/* -- which, and how long ----------------------------------------------------------------- */

static const struct work {
	const char *name;
	void (*fn)(size_t n);
	size_t unit;
} works[] = {
	{"C6", calls, 1},
	{"C6b", calls_64, CALLERS},
	{"C7", children, CHILDREN},
};

static void measure(const struct work *w, double ms)
{
	size_t n = w->unit;

	for (int is_warm = ms <= 0;; is_warm = 1) {
		uint64_t began = uv_hrtime();
		double took;

		w->fn(n);
		took = (double)(uv_hrtime() - began);
		if (took < ms * 1e6 / 2) {
			double factor = 0.75 * ms * 1e6 / (took + 1);

			factor = factor < 2 ? 2 : factor > 100 ? 100 : factor;
			n = ((size_t)((double)n * factor) + w->unit - 1) / w->unit *
			    w->unit;
		} else if (is_warm) {
			printf("%.2f\n", took / (double)n);
			return;
		}
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: peer_uv WORK MS", UV_EINVAL);
	loop = uv_default_loop();
	if (strcmp(argv[1], "C4") == 0) {
		sleepers(strtoul(argv[2], NULL, 10));
		return 0;
	}
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(argv[1], works[i].name) == 0) {
			measure(&works[i], strtod(argv[2], NULL));
			return 0;
		}
	(void)puts("-");
	return 0;
}
