#include "config.h"

#include "daemon/service_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "daemon/jobs.h"
#include "daemon/run.h"
#include "daemon/services_priv.h"
#include "daemon/supervisor.h"
#include "reeve/scope.h"
#include "spawn/procfs.h"

enum { DEPTH_MAX = 1024 }; /* of a tree of processes, where numbers were used again */

/* ---- measuring: blocking --------------------------------------------------------------------- */

struct pass {
	struct memory_of *v;
	size_t n;
	struct proc_list all; /* every process there is */
};

static int compare_pids(const void *a, const void *b)
{
	const struct proc_stat *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct memory_of *root_at(const struct pass *p, pid_t pid)
{
	size_t from = 0, to = p->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (p->v[mid].pid == pid)
			return &p->v[mid];
		if (p->v[mid].pid < pid)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

static const struct proc_stat *process_at(const struct pass *p, pid_t pid)
{
	const struct proc_stat key = {.pid = pid};

	return p->all.n ? bsearch(&key, p->all.v, p->all.n, sizeof(key), compare_pids)
			: NULL;
}

static bool is_there(const struct pass *p, const struct memory_of *m)
{
	const struct proc_stat *st = process_at(p, m->pid);

	return st && st->start_time == m->start_time;
}

/* The first that it is below, or in whose session. NULL: none */
static struct memory_of *owner_of(const struct pass *p, const struct proc_stat *st)
{
	for (int i = 0; st && i < DEPTH_MAX; i++) {
		struct memory_of *m = root_at(p, st->pid);

		if (!m)
			m = root_at(p, st->session);
		if (m)
			return is_there(p, m) ? m : NULL;
		st = process_at(p, st->ppid);
	}
	return NULL;
}

static int64_t resident_of(pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int64_t pages = 0;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	if (file_read(&text, AT_FDCWD, path, 4096) < 0 ||
		buf_append_byte(&text, '\0') < 0 ||
		sscanf(buf_head(&text), "%*d %" SCNd64, &pages) != 1)
		return 0; /* it has ended */
	return pages * sysconf(_SC_PAGESIZE);
}

/* -1: that is not told */
static int64_t proportional_of(pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	const char *at;
	int64_t kib;
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if (file_read(&text, AT_FDCWD, path, 16384) < 0 ||
		buf_append_byte(&text, '\0') < 0)
		return -1;
	at = strstr(buf_head(&text), "\nPss:");
	return at && sscanf(at, "\nPss: %" SCNd64, &kib) == 1 ? kib * 1024 : -1;
}

/* twice: the second time of those alone that are above their limit */
static void add_up(struct pass *p, bool shared)
{
	for (size_t i = 0; i < p->all.n; i++) {
		const struct proc_stat *st = &p->all.v[i];
		struct memory_of *m = proc_stat_is_dead(st) ? NULL : owner_of(p, st);
		int64_t resident, proportional = -1;

		if (!m)
			continue;
		if (!shared) {
			m->bytes = MAX(m->bytes, 0) + resident_of(st->pid);
			continue;
		}
		if (m->bytes <= m->max_bytes)
			continue;
		resident = resident_of(st->pid);
		proportional = proportional_of(st->pid);
		if (proportional >= 0 && proportional < resident)
			m->bytes -= resident - proportional;
	}
}

static int note(pid_t pid, void *arg)
{
	struct pass *p = arg;
	struct proc_stat st;

	if (proc_stat_read(&st, pid) < 0)
		return 0;
	return proc_list_add(&p->all, &st);
}

int memory_measure(struct memory_of *v, size_t n)
{
	struct pass p = {.v = v, .n = n, .all = PROC_LIST_NULL};
	int r = proc_each(note, &p);

	for (size_t i = 0; i < n; i++)
		v[i].bytes = -1;
	if (r >= 0 || r == -RV_ELIMIT) {
		if (p.all.n)
			qsort(p.all.v, p.all.n, sizeof(*p.all.v), compare_pids);
		add_up(&p, false);
		add_up(&p, true);
	}
	proc_list_deinit(&p.all);
	return r;
}

/* ---- those that have a limit ------------------------------------------------------------------- */

struct service_memory {
	struct core *core;
	rv_event changed; /* the configuration is another one */
	/* of the pass that goes on, ordered by pid */
	struct memory_of *v;
	size_t n;
};

int service_memory_new(struct service_memory **ret, struct core *core)
{
	struct service_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	m->core = core;
	rv_event_init(&m->changed);
	*ret = m;
	return 0;
}

struct service_memory *service_memory_free(struct service_memory *m)
{
	if (m)
		free(m->v);
	free(m);
	return NULL;
}

void service_memory_changed(struct service_memory *m)
{
	if (m)
		rv_event_set(&m->changed);
}

static int64_t limit_of(const struct service *s)
{
	return s->section ? s->section->v[CONFIG_MAX_MEMORY].num : INT64_MAX;
}

/* INT64_MAX: none has a limit */
static int64_t shortest_interval(const struct services *ss)
{
	int64_t usec = INT64_MAX;
	struct service *s;

	HASHMAP_FOREACH(s, ss->by_name)
		if (limit_of(s) != INT64_MAX)
			usec = MIN(usec, s->section->v[CONFIG_MEMORY_INTERVAL].num);
	return usec;
}

static struct run *running(const struct services *ss, const struct instance *in)
{
	const struct job *j = instance_job(ss, in);
	struct run *run = j ? j->run : NULL;

	return run && run->started && !run->ended && run->stop == RUN_STOP_NONE ? run
										: NULL;
}

static int compare_roots(const void *a, const void *b)
{
	const struct memory_of *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int gather(struct service_memory *m)
{
	struct services *ss = m->core->services;
	struct service *s;
	size_t n = 0;

	HASHMAP_FOREACH(s, ss->by_name)
		n += limit_of(s) != INT64_MAX ? s->n : 0;
	free(m->v);
	m->n = 0;
	m->v = calloc(n + 1, sizeof(*m->v));
	if (!m->v)
		return -ENOMEM;
	HASHMAP_FOREACH(s, ss->by_name)
		for (size_t i = 0; i < s->n && limit_of(s) != INT64_MAX; i++) {
			const struct run *run = running(ss, s->v[i]);

			if (run)
				m->v[m->n++] = (struct memory_of){.pid = run->info.pid,
					.start_time = run->info.start_time,
					.max_bytes = limit_of(s)};
		}
	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), compare_roots);
	return 0;
}

/* What was looked at may be over by now, or another's. */
static void judge(struct service_memory *m, struct service *s, struct run *run)
{
	const struct pass p = {.v = m->v, .n = m->n};
	const struct memory_of *of = root_at(&p, run->info.pid);
	char is[SIZE_TEXT_MAX], may[SIZE_TEXT_MAX];

	if (!of || of->start_time != run->info.start_time || of->bytes <= limit_of(s))
		return;
	size_format(is, sizeof(is), of->bytes);
	size_format(may, sizeof(may), limit_of(s));
	snprintf(run->stop_text, sizeof(run->stop_text), "memory: %s, max-memory = %s",
		is, may);
	log_at(LOG_NOTICE, "service", "service '%s': job %" PRIu64 ": %s, ending it",
		s->name, run->job->id, run->stop_text);
	run_request_stop(run, RUN_STOP_MEMORY);
}

static int measure(void *arg)
{
	struct service_memory *m = arg;

	return memory_measure(m->v, m->n);
}

static int look(struct service_memory *m)
{
	struct services *ss = m->core->services;
	struct service *s;
	int r = gather(m);

	if (r < 0 || m->n == 0)
		return r;
	r = rv_run_blocking(m->core->io, measure, m);
	if (r < 0)
		return r;
	HASHMAP_FOREACH(s, ss->by_name)
		for (size_t i = 0; i < s->n && limit_of(s) != INT64_MAX; i++) {
			struct run *run = running(ss, s->v[i]);

			if (run)
				judge(m, s, run);
		}
	return 0;
}

static int wait_until(rv_event *event, rv_time when)
{
	rv_scope scope;
	int r = rv_scope_enter(&scope, 0, when);

	return r < 0 ? r : rv_scope_exit(&scope, rv_event_wait(event));
}

int service_memory_main(void *arg)
{
	struct service_memory *m = arg;
	rv_time from = rv_now(); /* of the interval: reloads do not begin it anew */
	int logged = 0;

	for (;;) {
		int64_t interval_usec = shortest_interval(m->core->services);
		int r = wait_until(&m->changed, time_after(from, interval_usec));
		bool due = r == -ETIMEDOUT;

		rv_event_clear(&m->changed);
		if (due)
			r = look(m);
		if (due || interval_usec == INT64_MAX)
			from = rv_now();
		if (r == -ECANCELED)
			return r;
		if (r < 0 && r != logged)
			log_at(LOG_ERR, "service",
				"cannot see how much memory services take: %s, trying "
				"again",
				rv_strerror(r));
		logged = r;
	}
}
