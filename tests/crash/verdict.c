#include "config.h"

#include "tests/crash/verdict.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"

/* what the judge has of a job; index is the id */
struct testimony {
	unsigned n_starts, n_ends;
	unsigned run;
	int pid;
};

struct testimonies {
	struct testimony *v;
	uint64_t n;
};

static void read_line(struct testimonies *t, const char *line)
{
	struct testimony *j;
	uint64_t id;
	unsigned run;
	char what;
	int pid;

	if (sscanf(line, "%c %" SCNu64 ".%u %d", &what, &id, &run, &pid) != 4 ||
		(what != 'S' && what != 'E') || id == 0 || id > 10000000)
		die("the judge has a line that no run writes: '%s'", line);
	if (id >= t->n) {
		t->v = reallocarray(t->v, 2 * id, sizeof(*t->v));
		if (!t->v)
			die("out of memory");
		memset(t->v + t->n, 0, (2 * id - t->n) * sizeof(*t->v));
		t->n = 2 * id;
	}
	j = &t->v[id];
	if (what == 'S' && j->n_starts++ > 0)
		die("job %" PRIu64 " ran twice: run %u as %d, run %u as %d", id, j->run,
			j->pid, run, pid);
	if (what == 'E' && j->n_ends++ > 0)
		die("job %" PRIu64 " ended twice", id);
	if (what == 'E' && (j->run != run || j->pid != pid))
		die("job %" PRIu64 " began as run %u and ended as run %u", id, j->run,
			run);
	j->run = run;
	j->pid = pid;
}

static void read_judge(struct testimonies *t, struct world *w)
{
	_cleanup_(fclosep) FILE *f = fopen(w->judge, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	ssize_t n;

	*t = (struct testimonies){NULL, 0};
	if (!f)
		die("the judge is gone");
	while ((n = getline(&line, &size, f)) > 0)
		if (line[n - 1] == '\n') /* else it is just being written */
			read_line(t, line);
}

static struct testimony testimony_of(const struct testimonies *t, uint64_t id)
{
	return id < t->n ? t->v[id] : (struct testimony){.n_starts = 0};
}

/* ---- what reeved says ------------------------------------------------------------ */

/* all jobs, an object with the id as its key */
static json_t *list_jobs(struct world *w)
{
	json_t *all = json_object(), *next = json_integer(0);

	while (json_is_integer(next)) {
		json_t *page, *job;
		size_t i;

		page = world_call(w, "io.reeve.Job.List",
			json_pack(
				"{s:{s:b}, s:O}", "select", "all", 1, "from_id", next));
		json_array_foreach(json_object_get(page, "jobs"), i, job)
		{
			char id[32];

			snprintf(id, sizeof(id), "%" PRIi64,
				(int64_t)json_integer_value(
					json_object_get(job, "id")));
			json_object_set(all, id, job);
		}
		json_decref(next);
		next = json_incref(json_object_get(page, "next_id"));
		json_decref(page);
	}
	json_decref(next);
	return all;
}

static const json_t *find_job(const json_t *all, uint64_t id)
{
	const json_t *job;
	char key[32];

	snprintf(key, sizeof(key), "%" PRIu64, id);
	job = json_object_get(all, key);
	if (!job)
		die("job %" PRIu64 " was acknowledged and is not there any more", id);
	return job;
}

static const char *text_of(const json_t *job, const char *key)
{
	const char *s = json_string_value(json_object_get(job, key));

	return s ? s : "";
}

/* server-side, and not for long: held jobs do not finish */
static void wait_a_moment(struct world *w, uint64_t id)
{
	json_decref(world_call(w, "io.reeve.Job.Wait",
		json_pack("{s:{s:[{s:I, s:I}]}, s:i}", "select", "ids", "first",
			(json_int_t)id, "last", (json_int_t)id, "timeout_usec",
			20000)));
}

static bool is_settled(const json_t *job)
{
	return STREQ(text_of(job, "state"), "finished") ||
	       STREQ(text_of(job, "state"), "held");
}

void settle(struct stream *s, bool with_long)
{
	size_t i = 0;

	while (i < s->n_jobs) {
		json_t *all = list_jobs(s->w);
		const struct known_job *k = NULL;

		for (; i < s->n_jobs; i++) {
			k = &s->jobs[i];
			if ((with_long || !k->is_long) &&
				!is_settled(find_job(all, k->id)))
				break;
		}
		json_decref(all);
		if (i < s->n_jobs)
			wait_a_moment(s->w, k->id);
	}
}

/* ---- long jobs ------------------------------------------------------------------- */

void await_long_jobs(struct stream *s, unsigned n_long)
{
	for (unsigned i = 0; i < n_long;) {
		struct testimonies t;

		read_judge(&t, s->w);
		while (i < n_long && testimony_of(&t, s->jobs[i].id).n_starts)
			i++;
		free(t.v);
		if (i < n_long)
			wait_a_moment(s->w, s->jobs[i].id);
	}
}

void check_long_jobs(struct stream *s)
{
	struct testimonies t;
	json_t *all = list_jobs(s->w);

	read_judge(&t, s->w);
	for (size_t i = 0; i < s->n_jobs; i++) {
		const struct known_job *k = &s->jobs[i];
		struct testimony j = testimony_of(&t, k->id);
		const json_t *job;

		if (!k->is_long)
			continue;
		job = find_job(all, k->id);
		if (kill(j.pid, 0) < 0)
			die("job %" PRIu64 " does not run any more", k->id);
		if (!STREQ(text_of(job, "state"), "running") ||
			json_integer_value(json_object_get(job, "pid")) != j.pid)
			die("job %" PRIu64
			    " runs as process %d, reeved says: %s, %" PRIi64,
				k->id, j.pid, text_of(job, "state"),
				(int64_t)json_integer_value(
					json_object_get(job, "pid")));
	}
	free(t.v);
	json_decref(all);
}

/* ---- the verdict ----------------------------------------------------------------- */

struct output {
	char text[256];
	size_t len;
};

static void add_page(const json_t *page, void *arg)
{
	const json_t *data = json_object_get(page, "data_b64");
	_cleanup_free_ void *bytes = NULL;
	struct output *o = arg;
	size_t n;

	if (base64_decode(&bytes, &n, json_string_value(data),
		    json_string_length(data)) < 0 ||
		n >= sizeof(o->text) - o->len)
		die("a page of output that no job wrote");
	memcpy(o->text + o->len, bytes, n);
	o->len += n;
}

static void check_output(struct world *w, uint64_t id, unsigned run)
{
	struct output o = {.len = 0};
	char expected[64];

	world_call_more(w, "io.reeve.Job.Logs",
		json_pack("{s:{s:[{s:I, s:I}]}}", "select", "ids", "first",
			(json_int_t)id, "last", (json_int_t)id),
		add_page, &o);
	snprintf(expected, sizeof(expected), "out %" PRIu64 ".%u\n", id, run);
	if (!STREQ(o.text, expected))
		die("the output of job %" PRIu64 " is not what it wrote but '%s'", id,
			o.text);
}

static void check_ended(struct world *w, const struct known_job *k,
	const struct testimony *j, const json_t *job)
{
	const char *result = text_of(job, "result");

	if (j->n_starts != 1 || j->n_ends != 1)
		die("job %" PRIu64 " is %s, but the judge has %u starts and %u ends",
			k->id, result, j->n_starts, j->n_ends);
	if (json_integer_value(json_object_get(job, "runs")) != j->run)
		die("job %" PRIu64 " ran as run %u, and reeved has another", k->id,
			j->run);
	if (!STREQ(result, k->code ? "failed" : "succeeded") ||
		json_integer_value(json_object_get(job, "exit_code")) != k->code)
		die("job %" PRIu64 " exited with %d; reeved says: %s (%s)", k->id,
			k->code, result, text_of(job, "reason"));
	check_output(w, k->id, j->run);
}

void judge(struct verdict *ret, struct stream *s, size_t lost_max)
{
	size_t n_lost_short = 0;
	struct testimonies t;
	json_t *all = list_jobs(s->w);

	*ret = (struct verdict){.n_jobs = s->n_jobs};
	read_judge(&t, s->w);
	if (json_object_size(all) != s->n_jobs)
		die("%zu jobs were acknowledged, reeved has %zu", s->n_jobs,
			json_object_size(all));
	for (size_t i = 0; i < s->n_jobs; i++) {
		const struct known_job *k = &s->jobs[i];
		struct testimony j = testimony_of(&t, k->id);
		const json_t *job = find_job(all, k->id);

		if (!STREQ(text_of(job, "result"), "lost")) {
			check_ended(s->w, k, &j, job);
			continue;
		}
		if (lost_max == 0)
			die("job %" PRIu64 " is lost, though the spawner lived (%s)",
				k->id, text_of(job, "reason"));
		if (!STREQ(text_of(job, "state"), "held"))
			die("job %" PRIu64 " is lost and not held but %s", k->id,
				text_of(job, "state"));
		ret->n_lost++;
		n_lost_short += !k->is_long;
	}
	if (n_lost_short > lost_max)
		die("%zu short jobs are lost, and at most %zu were going on",
			n_lost_short, lost_max);
	/* every job that reeved has is one of ours: here is whether the judge has
	 * others */
	for (uint64_t id = 1; id < t.n; id++)
		if (t.v[id].n_starts)
			find_job(all, id);
	free(t.v);
	json_decref(all);
}
