#include "config.h"

#include "cli/batch_submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/macro.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/limits.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"

/* Enough to keep the daemon's commits filled; the memory of that many calls is ours. */
#define WINDOW 4

/*
 * Which lines a call holds depends on the settings of the daemon and on the environment, but
 * a key that the user gave has to mean the same lines again. So with such a key one call is
 * made after the other, and it is the answer that says how many lines the key's call had:
 * where they were fewer the rest goes into the next call, where they were more the next lines
 * are left out.
 */

/* a call that was made and not answered yet */
struct call {
	json_t *params;
	uint64_t *line_no; /* of each of its jobs, for the daemon's errors */
	size_t n_jobs;
};

struct batch {
	const struct cli *c;
	const struct job_spec *defaults;
	struct batch_source *src;
	batch_ids_fn take_ids; /* NULL: print them */
	void *arg;
	json_t *caller; /* what goes with each call */
	struct limits limits;
	size_t jobs_max_bytes; /* of one call, beside the environment */
	const char *key;       /* what the keys of the calls begin with */
	bool key_is_given;
	uint64_t n_calls; /* made so far: the end of their keys */
	uint64_t n_done;  /* jobs that have their id */
	uint64_t done_line;
	struct call calls[WINDOW]; /* a ring, the oldest at first */
	unsigned first, n;
	unsigned n_sent; /* of those, on this connection */
	/* read, and in no call yet: one that did not fit into the last call, and those
	 * that an answer left over */
	struct ahead {
		json_t *job;
		uint64_t line_no;
	} * ahead;
	size_t ahead_first, n_ahead;
	uint64_t n_skip; /* so many that come next are in an answer already */
	bool at_end;
	char *bad_line; /* why reading ended early; told when all before it is done */
	int bad_code;   /* its exit code */
	int exit_code;  /* of an error that was printed */
};

static void call_deinit(struct call *call)
{
	json_decref(call->params);
	free(call->line_no);
	*call = (struct call){0};
}

static int bad_line(struct batch *b, int code)
{
	b->bad_code = code;
	return -EINVAL;
}

static int too_long(struct batch *b, uint64_t line_no)
{
	free(b->bad_line);
	b->bad_line = text_printf("%s %" PRIu64
				  ": longer than a call can be (message-max = %zu)",
		b->src->what, line_no, b->limits.message_max);
	return b->bad_line ? bad_line(b, CLI_EXIT_REFUSED) : -ENOMEM;
}

/* A place for n jobs in front of those in b->ahead. */
static int make_room(struct batch *b, size_t n)
{
	struct ahead *v;

	if (n > b->ahead_first) {
		v = calloc(n + b->n_ahead, sizeof(*v));
		if (!v)
			return -ENOMEM;
		if (b->n_ahead > 0)
			memcpy(v + n, b->ahead + b->ahead_first,
				b->n_ahead * sizeof(*v));
		free(b->ahead);
		b->ahead = v;
		b->ahead_first = n;
	}
	b->ahead_first -= n;
	b->n_ahead += n;
	return 0;
}

static json_t *take_ahead(struct batch *b)
{
	b->n_ahead--;
	return TAKE_PTR(b->ahead[b->ahead_first++].job);
}

/* The next line's job into b->ahead, where none is. 1, 0 at the end, -EINVAL with
 * b->bad_line, others */
static int read_ahead(struct batch *b)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	json_t *job;
	int r;

	if (b->bad_line)
		return -EINVAL;
	r = b->src->next(b->src, &s, b->defaults, &b->bad_line);
	if (r == -EMSGSIZE)
		return too_long(b, b->src->no);
	if (r == -EINVAL)
		return bad_line(b, CLI_EXIT_USAGE);
	if (r <= 0)
		return r;
	job = spec_to_json(&s);
	if (!job || make_room(b, 1) < 0) {
		json_decref(job);
		return -ENOMEM;
	}
	b->ahead[b->ahead_first] = (struct ahead){job, b->src->no};
	return 1;
}

/* The next job that is to be sent is b->ahead's first, and fits into a call; results as
 * read_ahead. *ret_bytes: what it takes there */
static int look_ahead(struct batch *b, size_t *ret_bytes)
{
	const struct ahead *next;
	int r;

	for (;;) {
		r = b->n_ahead > 0 ? 1 : read_ahead(b);
		if (r <= 0)
			return r;
		if (b->n_skip == 0)
			break;
		json_decref(take_ahead(b));
		b->n_skip--;
	}
	next = &b->ahead[b->ahead_first];
	*ret_bytes = submit_json_bytes(next->job) + 1;
	return *ret_bytes <= b->jobs_max_bytes ? 1 : too_long(b, next->line_no);
}

/* Fill a call with as many jobs as fit. 1, 0 when there are no more, negative. */
static int make_call(struct batch *b, struct call *ret)
{
	size_t n_max = MIN((size_t)SUBMIT_JOBS_MAX, b->limits.submit_max);
	_cleanup_free_ uint64_t *line_no = calloc(n_max, sizeof(*line_no));
	_cleanup_json_ json_t *jobs = json_array();
	size_t bytes_max = MIN(SUBMIT_BYTES_MAX, b->jobs_max_bytes);
	size_t bytes = 0, n = 0, job_bytes;
	_cleanup_free_ char *key = NULL;
	int r;

	if (!line_no || !jobs)
		return -ENOMEM;
	while (n < n_max) {
		r = look_ahead(b, &job_bytes);
		if (r < 0)
			return r;
		if (r == 0 || (n > 0 && bytes + job_bytes > bytes_max))
			break;
		bytes += job_bytes;
		line_no[n++] = b->ahead[b->ahead_first].line_no;
		if (json_array_append_new(jobs, take_ahead(b)) < 0)
			return -ENOMEM;
	}
	if (n == 0)
		return 0;
	key = text_printf("%s-%" PRIu64, b->key, b->n_calls);
	if (!key)
		return -ENOMEM;
	ret->params = submit_params(TAKE_PTR(jobs), b->caller, key);
	if (!ret->params)
		return -ENOMEM;
	b->n_calls++;
	ret->line_no = TAKE_PTR(line_no);
	ret->n_jobs = n;
	return 1;
}

/* client_request_fn: what a broken connection left unanswered goes first */
static int next_call(void *arg, struct client_request *ret)
{
	struct batch *b = arg;
	struct call *call = &b->calls[(b->first + b->n_sent) % WINDOW];
	int r;

	if (b->n_sent == b->n) {
		r = b->at_end ? 0 : make_call(b, call);
		/* Of a bad line nothing is sent, nor of its call; the answers to the
		 * calls before it are still waited for. */
		if (r == -EINVAL)
			r = 0;
		b->at_end = r == 0;
		if (r <= 0)
			return r;
		b->n++;
	}
	b->n_sent++;
	ret->method = "io.reeve.Job.Submit";
	ret->params = json_incref(call->params);
	return 1;
}

static int fail_reply(
	struct batch *b, const struct call *call, const struct client_reply *reply)
{
	int64_t job = json_int(reply->params, "job", -1);

	/* which job of the call it was: people know the line */
	if (job >= 0 && (uint64_t)job < call->n_jobs) {
		b->exit_code = cli_fail(b->c, CLI_EXIT_USAGE, "%s %" PRIu64 ": %s: %s",
			b->src->what, call->line_no[job],
			json_str(reply->params, "field"),
			json_str(reply->params, "message"));
		return -ECANCELED;
	}
	b->exit_code = cli_fail_reply(b->c, reply->error, reply->params);
	return -ECANCELED;
}

/* Of the call only the first n_done jobs are the key's: the rest comes next. */
static int put_back(struct batch *b, const struct call *call, size_t n_done)
{
	const json_t *jobs = json_object_get(call->params, "jobs");
	size_t n = call->n_jobs - n_done;

	if (make_room(b, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		b->ahead[b->ahead_first + i] =
			(struct ahead){json_incref(json_array_get(jobs, n_done + i)),
				call->line_no[n_done + i]};
	b->at_end = false;
	return 0;
}

static int print_ids(struct batch *b, const json_t *ids)
{
	json_t *id;
	size_t i;

	json_array_foreach((json_t *)ids, i, id)
	{
		const char *before = !b->c->json ? "" : b->n_done + i > 0 ? ",\n" : "[";

		printf("%s%" PRId64 "%s", before, (int64_t)json_integer_value(id),
			b->c->json ? "" : "\n");
	}
	return fflush(stdout) != 0 ? -EIO : 0;
}

/* client_reply_fn: the oldest call has its answer */
static int take_answer(void *arg, const struct client_reply *reply)
{
	struct batch *b = arg;
	struct call *call = &b->calls[b->first];
	const json_t *ids = json_object_get(reply->params, "ids");
	size_t n_ids = json_array_size(ids);
	int r, told;

	if (reply->error)
		return fail_reply(b, call, reply);
	if (n_ids == 0)
		return -RV_EPROTOCOL;
	told = b->take_ids ? b->take_ids(b->arg, ids) : print_ids(b, ids);
	b->n_done += n_ids;
	b->done_line = call->line_no[MIN(n_ids, call->n_jobs) - 1];
	r = n_ids < call->n_jobs ? put_back(b, call, n_ids) : 0;
	if (n_ids > call->n_jobs)
		b->n_skip += n_ids - call->n_jobs;
	call_deinit(call);
	b->first = (b->first + 1) % WINDOW;
	b->n--;
	b->n_sent--;
	return told < 0 ? told : r;
}

static int submit_all(struct batch *b, struct client **client)
{
	unsigned window = b->key_is_given ? 1 : WINDOW;
	int r;

	for (;;) {
		r = client_batch(
			*client, window, next_call, take_answer, b, RV_FOREVER);
		if (r == 0 && !b->at_end)
			continue; /* the last answer left jobs over */
		if (r != -ECONNRESET)
			return r;
		b->n_sent = 0;
		if (cli_reconnect(b->c, client, RV_FOREVER) < 0)
			return r;
	}
}

static int finish(struct batch *b, int r)
{
	if (b->c->json && !b->take_ids)
		printf(b->n_done > 0 ? "]\n" : "[]\n");
	if (r == 0 && !b->bad_line)
		return CLI_EXIT_OK;
	if (b->n_done > 0)
		cli_note(b->c, "%ss 1 to %" PRIu64 " are submitted: %" PRIu64 " job%s",
			b->src->what, b->done_line, b->n_done,
			text_plural((int64_t)b->n_done));
	if (r == -ECANCELED)
		return b->exit_code;
	if (r == 0)
		return cli_fail(b->c, b->bad_code, "%s", b->bad_line);
	return cli_fail_lost(b->c, r);
}

static int submit_jobs(struct batch *b, struct client **client)
{
	size_t env_bytes = 0, taken;

	b->exit_code = submit_put_caller(b->c, b->caller, b->defaults, &env_bytes);
	if (b->exit_code == 0)
		b->exit_code = limits_ask(b->c, client, &b->limits);
	if (b->exit_code != 0)
		return -ECANCELED;
	taken = env_bytes + LIMITS_CALL_BYTES;
	if (taken >= b->limits.message_max) {
		b->exit_code = cli_fail(b->c, CLI_EXIT_REFUSED,
			"the daemon refuses: the environment (%zu bytes) leaves no "
			"room for "
			"jobs in a call (message-max = %zu)",
			env_bytes, b->limits.message_max);
		return -ECANCELED;
	}
	b->jobs_max_bytes = b->limits.message_max - taken;
	b->src->bytes_max = b->limits.message_max;
	return submit_all(b, client);
}

int batch_submit_from(const struct cli *c, struct client **client,
	struct batch_source *src, const struct job_spec *defaults, batch_ids_fn fn,
	void *arg)
{
	struct batch b = {.c = c,
		.defaults = defaults,
		.src = src,
		.take_ids = fn,
		.arg = arg,
		.caller = json_object()};
	char made_key[SUBMIT_MADE_KEY_MAX];
	int r;

	b.exit_code = submit_key(c, &b.key, made_key);
	b.key_is_given = b.key != made_key;
	r = b.exit_code == 0 ? submit_jobs(&b, client) : -ECANCELED;
	r = finish(&b, r);
	for (unsigned i = 0; i < WINDOW; i++)
		call_deinit(&b.calls[i]);
	while (b.n_ahead > 0)
		json_decref(take_ahead(&b));
	free(b.ahead);
	free(b.bad_line);
	json_decref(b.caller);
	return r;
}

struct line_source {
	struct batch_source src;
	struct batch_reader reader;
};

static int next_line(struct batch_source *src, struct job_spec *ret,
	const struct job_spec *defaults, char **err)
{
	struct line_source *l = CONTAINER_OF(src, struct line_source, src);
	int r;

	l->reader.line_max_bytes = src->bytes_max;
	r = batch_next(&l->reader, ret, defaults, err);
	src->no = l->reader.line_no;
	return r;
}

int batch_submit(const struct cli *c, struct client **client, FILE *in,
	const struct job_spec *defaults, batch_ids_fn fn, void *arg)
{
	struct line_source l = {.src = {.next = next_line, .what = "line"}};
	int r;

	batch_reader_init(&l.reader, in, 0);
	r = batch_submit_from(c, client, &l.src, defaults, fn, arg);
	batch_reader_deinit(&l.reader);
	return r;
}
