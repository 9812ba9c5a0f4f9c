/*
 * A thousand services that crash as soon as they are started, all at once: how long a ping
 * takes meanwhile, what share of the time reeved and its spawner are on a CPU, how many lines
 * are in the log, and how many starts that were.
 *
 *	bench_crash [SERVICES [SECONDS [usual|short]]]
 *
 * Goal: p99 of a ping below 50 ms; the CPU time falls with the delays.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "bench.h"

enum { PINGS_MAX = 1 << 20, PING_EVERY_MS = 5, N_PARTS = 4 };

static double pings[PINGS_MAX];

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* nanoseconds on a CPU, of all threads of the process */
static int64_t cpu_time(pid_t pid)
{
	struct timespec ts;
	clockid_t id;

	bench_check("clock of a process", -clock_getcpuclockid(pid, &id));
	bench_check("clock of a process", clock_gettime(id, &ts) < 0 ? -errno : 0);
	return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static pid_t spawner_of(struct client *c)
{
	json_t *reply = NULL;
	pid_t pid;

	bench_check("status", client_call(c, "io.reeve.Daemon.Status", NULL, &reply,
				      NULL, RV_SEC(60)));
	pid = (pid_t)json_integer_value(json_object_get(reply, "spawner_pid"));
	json_decref(reply);
	return pid;
}

/* of all jobs */
static int64_t n_starts(struct client *c)
{
	json_t *reply = NULL, *s;
	int64_t n = 0;
	size_t i;

	bench_check("list", client_call_pages(c, "io.reeve.Service.List", NULL,
				    "services", &reply, NULL, RV_SEC(60)));
	json_array_foreach(json_object_get(reply, "services"), i, s)
	{
		json_t *instance = json_array_get(json_object_get(s, "instances"), 0);

		n += json_integer_value(json_object_get(instance, "starts"));
	}
	json_decref(reply);
	return n;
}

static size_t n_lines(const char *path)
{
	size_t n = 0;
	FILE *f = fopen(path, "re");
	int c;

	while (f && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f)
		(void)fclose(f);
	return n;
}

static void wait_until(int timer, rv_time when)
{
	struct itimerspec at = {
		.it_value = {.tv_sec = when / RV_SEC(1), .tv_nsec = when % RV_SEC(1)}};
	uint64_t n;

	if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0 ||
		read(timer, &n, sizeof(n)) < 0)
		bench_die("timer", errno);
}

/* A ping each few milliseconds. Where one takes longer, those that were due meanwhile count
 * as sent then and answered with it, as others' would have been. Times go into v, at most max
 * of them. */
static size_t ping_for(struct client *c, rv_time seconds, double *v, size_t max)
{
	const rv_time every = PING_EVERY_MS * RV_SEC(1) / 1000;
	rv_time due = rv_now(), end = due + seconds * RV_SEC(1);
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	size_t n = 0;

	bench_check("timer", fd < 0 ? -errno : 0);
	while (due < end && n < max) {
		rv_time now;

		wait_until(fd, due);
		bench_check("ping", client_call(c, "io.reeve.Daemon.Ping", NULL, NULL,
					    NULL, RV_SEC(60)));
		now = rv_now();
		do {
			v[n++] = (double)(now - due) / 1e6;
			due += every;
		} while (due < now && n < max);
	}
	close(fd);
	return n;
}

static void print_pings(const char *what, double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	printf("  %-12s ping p50 %6.2f p99 %6.2f max %6.2f ms", what, v[n / 2],
		v[n * 99 / 100], v[n - 1]);
}

/* so many more pings, from n on; how many */
static size_t part(const struct bench_daemon *d, struct client *c, pid_t spawner,
	rv_time from, rv_time seconds, size_t n)
{
	int64_t starts = n_starts(c);
	rv_time began = rv_now();
	int64_t reeved = cpu_time(d->pid), other = cpu_time(spawner);
	size_t k = ping_for(c, seconds, pings + n, PINGS_MAX - n);
	double wall = (double)(rv_now() - began);
	char what[32];

	reeved = cpu_time(d->pid) - reeved;
	other = cpu_time(spawner) - other;
	snprintf(what, sizeof(what), "from %d s", (int)from);
	print_pings(what, pings + n, k);
	printf("; on a CPU: reeved %5.1f, spawner %4.1f %% of the time; %6d starts\n",
		100 * (double)reeved / wall, 100 * (double)other / wall,
		(int)(n_starts(c) - starts));
	(void)fflush(stdout);
	return k;
}

static void measure(const char *name, int n, rv_time seconds, const char *keys)
{
	struct buf conf = BUF_NULL;
	struct bench_daemon d;
	struct client *c;
	size_t n_pings = 0;
	char log[128];
	pid_t spawner;

	bench_check("conf", buf_append_str(&conf, "[reeved]\nmin-free = 0\n"));
	for (int i = 0; i < n; i++)
		bench_check("conf",
			buf_printf(&conf, "[service s%d]\ncommand = /bin/false\n%s", i,
				keys));
	bench_check("conf", buf_append_byte(&conf, '\0'));
	bench_daemon_start_logged(&d, buf_head(&conf), log, sizeof(log));
	c = bench_connect(&d);
	spawner = spawner_of(c);
	printf("%d services, %s\n", n, name);
	for (int i = 0; i < N_PARTS; i++)
		n_pings += part(&d, c, spawner, i * seconds / N_PARTS,
			seconds / N_PARTS, n_pings);
	print_pings("in all", pings, n_pings);
	printf("; goal p99 50; %zu lines in the log of %d starts\n", n_lines(log),
		(int)n_starts(c));
	client_close(c);
	bench_daemon_stop(&d);
	buf_deinit(&conf);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000;
	rv_time seconds = argc > 2 ? atoi(argv[2]) : 60;
	const char *which = argc > 3 ? argv[3] : "";

	if (strcmp(which, "short") != 0)
		measure("the usual delays", n, seconds, "");
	if (strcmp(which, "usual") != 0)
		measure("delays of at most 1 s", n, seconds,
			"restart-delay = 1ms\nrestart-delay-max = 1s\n");
	return 0;
}
