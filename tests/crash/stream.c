#include "config.h"

#include "tests/crash/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "client/client.h"

#define BATCH        5 /* short jobs in one call */
#define LONG_BATCH   100
#define REPEAT_EVERY 3 /* so many answered calls, one of them is made again */

/* ---- making calls ---------------------------------------------------------------- */

static json_t *make_spec(struct world *w, const char *script, int code)
{
	char path[PATH_MAX], text[16];

	snprintf(path, sizeof(path), "%s/%s", w->dir, script);
	snprintf(text, sizeof(text), "%d", code);
	return json_pack("{s:[s,s,s,s,s], s:s}", "command", "/bin/sh", path, text,
		w->judge, w->gate, "cwd", w->dir);
}

static json_t *make_submit(struct world *w, const char *key, const char *script,
	unsigned n, const int *codes)
{
	json_t *specs = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(specs, make_spec(w, script, codes[i]));
	return json_pack("{s:o, s:[s], s:s}", "jobs", specs, "env",
		"PATH=/usr/bin:/bin", "key", key);
}

/* until it is answered, over as many daemons as it takes; ids in the reply */
static json_t *submit(struct stream *s, struct client **c, json_t *params)
{
	for (bool again = false;; again = true) {
		_cleanup_free_ char *error = NULL;
		json_t *reply = NULL;
		int r;

		if (again) {
			pthread_mutex_lock(&s->lock);
			s->n_repeated++;
			pthread_mutex_unlock(&s->lock);
		}
		if (!*c)
			*c = world_connect(s->w);
		r = client_call(
			*c, "io.reeve.Job.Submit", params, &reply, &error, RV_SEC(60));
		if (r == 0)
			return reply;
		json_decref(reply);
		if (r > 0)
			die("Submit: %s", error);
		if (r == -ETIMEDOUT)
			die("Submit: %s", rv_strerror(r));
		*c = client_close(*c);
	}
}

/* what a repeated call answers has to be what the first one did */
static void submit_again(
	struct stream *s, struct client **c, json_t *params, json_t *reply)
{
	json_t *second = submit(s, c, params);

	if (!json_equal(reply, second))
		die("a repeated Submit gave other ids than the first");
	json_decref(second);
}

static void note_jobs(struct stream *s, const json_t *reply, unsigned n,
	const int *codes, bool is_long)
{
	const json_t *ids = json_object_get(reply, "ids");

	if (json_array_size(ids) != n)
		die("Submit of %u jobs gave %zu ids", n, json_array_size(ids));
	pthread_mutex_lock(&s->lock);
	for (unsigned i = 0; i < n; i++) {
		if (s->n_jobs == s->n_jobs_max) {
			s->n_jobs_max = s->n_jobs_max ? 2 * s->n_jobs_max : 256;
			s->jobs =
				reallocarray(s->jobs, s->n_jobs_max, sizeof(*s->jobs));
			if (!s->jobs)
				die("out of memory");
		}
		s->jobs[s->n_jobs++] = (struct known_job){
			.id = (uint64_t)json_integer_value(json_array_get(ids, i)),
			.code = codes[i],
			.is_long = is_long,
		};
	}
	pthread_mutex_unlock(&s->lock);
}

/* Gives the daemon time to run them; how it ends does not matter here. */
static void wait_for(struct client **c, const json_t *reply)
{
	const json_t *ids = json_object_get(reply, "ids");
	json_t *params, *first = json_array_get(ids, 0);

	if (!*c)
		return;
	params = json_pack("{s:{s:[{s:O, s:O}]}, s:i}", "select", "ids", "first", first,
		"last", json_array_get(ids, json_array_size(ids) - 1), "timeout_usec",
		500000);
	if (client_call(*c, "io.reeve.Job.Wait", params, NULL, NULL, RV_SEC(60)) < 0)
		*c = client_close(*c);
	json_decref(params);
}

/* ---- the thread ------------------------------------------------------------------ */

/* false: it is to end */
static bool await_turn(struct stream *s)
{
	bool on;

	pthread_mutex_lock(&s->lock);
	while (s->paused && !s->quit) {
		s->idle = true;
		pthread_cond_broadcast(&s->changed);
		pthread_cond_wait(&s->changed, &s->lock);
	}
	s->idle = false;
	on = !s->quit;
	pthread_mutex_unlock(&s->lock);
	return on;
}

static void *stream_main(void *arg)
{
	struct stream *s = arg;
	struct client *c = NULL;

	for (unsigned n = 0; await_turn(s); n++) {
		json_t *params, *reply;
		int codes[BATCH];
		char key[32];

		for (int i = 0; i < BATCH; i++)
			codes[i] = (int)((n + (unsigned)i) % 4);
		snprintf(key, sizeof(key), "batch-%u", n);
		params = make_submit(s->w, key, "short.sh", BATCH, codes);
		reply = submit(s, &c, params);
		note_jobs(s, reply, BATCH, codes, false);
		wait_for(&c, reply);
		if (n % REPEAT_EVERY == 0)
			submit_again(s, &c, params, reply);
		json_decref(params);
		json_decref(reply);
		pthread_mutex_lock(&s->lock);
		s->n_batches++;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
	client_close(c);
	return NULL;
}

/* ---- control --------------------------------------------------------------------- */

static void submit_long(struct stream *s, unsigned n_long)
{
	struct client *c = NULL;

	for (unsigned done = 0; done < n_long;) {
		unsigned n = MIN(n_long - done, (unsigned)LONG_BATCH);
		int codes[LONG_BATCH];
		json_t *params, *reply;
		char key[32];

		for (unsigned i = 0; i < n; i++)
			codes[i] = (int)(i % 5);
		snprintf(key, sizeof(key), "long-%u", done);
		params = make_submit(s->w, key, "long.sh", n, codes);
		reply = submit(s, &c, params);
		note_jobs(s, reply, n, codes, true);
		json_decref(params);
		json_decref(reply);
		done += n;
	}
	client_close(c);
}

void stream_init(struct stream *s, struct world *w, unsigned n_long)
{
	*s = (struct stream){.w = w, .paused = true};
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	submit_long(s, n_long);
	if (pthread_create(&s->thread, NULL, stream_main, s) != 0)
		die("no thread");
}

void stream_deinit(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->quit = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s->jobs);
}

void stream_resume(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->paused = s->idle = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

void stream_await_batches(struct stream *s, unsigned n)
{
	pthread_mutex_lock(&s->lock);
	for (unsigned until = s->n_batches + n; s->n_batches < until;)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void stream_pause(struct stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->paused = true;
	while (!s->idle)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}
