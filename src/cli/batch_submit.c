#include "config.h"

#include "cli/batch_submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/macro.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"

extern char **environ;

/* Enough to keep the daemon's commits filled; the memory of that many calls is ours. */
#define WINDOW 4

/* a call that was made and not answered yet */
struct call {
	json_t *params;
	uint64_t *line_no; /* of each of its jobs, for the daemon's errors */
	size_t n_jobs;
};

struct batch {
	const struct cli *c;
	const struct job_spec *defaults;
	struct batch_reader reader;
	json_t *env;
	size_t jobs_max_bytes; /* of one call, beside the environment */
	const char *key;       /* what the keys of the calls begin with */
	uint64_t n_calls;      /* made so far: the end of their keys */
	uint64_t n_done;       /* jobs that have their id */
	uint64_t done_line;
	struct call calls[WINDOW]; /* a ring, the oldest at first */
	unsigned first, n;
	unsigned n_sent; /* of those, on this connection */
	json_t *ahead;   /* a job that did not fit into the last call */
	size_t ahead_bytes;
	uint64_t ahead_line;
	bool at_end;
	char *bad_line; /* why reading ended early; told when all before it is done */
	int exit_code;  /* of an error that was printed */
};

static void call_deinit(struct call *call)
{
	json_decref(call->params);
	free(call->line_no);
	*call = (struct call){0};
}

/* The next job into b->ahead. 1, 0 at the end, -EINVAL with b->bad_line, others */
static int read_ahead(struct batch *b)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	int r;

	r = batch_next(&b->reader, &s, b->defaults, &b->bad_line);
	if (r <= 0)
		return r;
	b->ahead = spec_to_json(&s);
	if (!b->ahead)
		return -ENOMEM;
	b->ahead_bytes = submit_json_bytes(b->ahead) + 1;
	b->ahead_line = b->reader.line_no;
	if (b->ahead_bytes > b->jobs_max_bytes) {
		b->bad_line = text_printf(
			"line %" PRIu64 ": longer than a call can be", b->ahead_line);
		return -EINVAL;
	}
	return 1;
}

/* Fill a call with as many jobs as fit. 1, 0 when there are no more, negative. */
static int make_call(struct batch *b, struct call *ret)
{
	_cleanup_free_ uint64_t *line_no = calloc(SUBMIT_JOBS_MAX, sizeof(*line_no));
	_cleanup_json_ json_t *jobs = json_array();
	size_t bytes = 0, n = 0;
	_cleanup_free_ char *key = NULL;
	int r;

	if (!line_no || !jobs)
		return -ENOMEM;
	while (n < SUBMIT_JOBS_MAX) {
		if (!b->ahead) {
			r = read_ahead(b);
			if (r < 0)
				return r;
			if (r == 0)
				break;
		}
		if (bytes + b->ahead_bytes > b->jobs_max_bytes)
			break;
		bytes += b->ahead_bytes;
		line_no[n++] = b->ahead_line;
		if (json_array_append_new(jobs, TAKE_PTR(b->ahead)) < 0)
			return -ENOMEM;
	}
	if (n == 0)
		return 0;
	key = text_printf("%s-%" PRIu64, b->key, b->n_calls);
	if (!key)
		return -ENOMEM;
	ret->params = submit_params(TAKE_PTR(jobs), b->env, key);
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
		b->exit_code =
			cli_fail(b->c, CLI_EXIT_USAGE, "line %" PRIu64 ": %s: %s",
				call->line_no[job], json_str(reply->params, "field"),
				json_str(reply->params, "message"));
		return -ECANCELED;
	}
	b->exit_code = cli_fail_reply(b->c, reply->error, reply->params);
	return -ECANCELED;
}

/* client_reply_fn: the oldest call has its answer */
static int print_ids(void *arg, const struct client_reply *reply)
{
	struct batch *b = arg;
	struct call *call = &b->calls[b->first];
	const json_t *ids = json_object_get(reply->params, "ids"), *id;
	size_t i;
	int r = 0;

	if (reply->error)
		return fail_reply(b, call, reply);
	json_array_foreach((json_t *)ids, i, id)
	{
		const char *before = !b->c->json ? "" : b->n_done > 0 ? ",\n" : "[";

		printf("%s%" PRId64 "%s", before, (int64_t)json_integer_value(id),
			b->c->json ? "" : "\n");
		b->n_done++;
	}
	b->done_line = call->line_no[call->n_jobs - 1];
	if (fflush(stdout) != 0)
		r = -EIO;
	call_deinit(call);
	b->first = (b->first + 1) % WINDOW;
	b->n--;
	b->n_sent--;
	return r;
}

static int submit_all(struct batch *b, struct client **client)
{
	int r;

	for (;;) {
		r = client_batch(*client, WINDOW, next_call, print_ids, b, RV_FOREVER);
		if (r != -ECONNRESET)
			return r;
		b->n_sent = 0;
		if (cli_reconnect(b->c, client, RV_FOREVER) < 0)
			return r;
	}
}

static int finish(struct batch *b, int r)
{
	if (b->c->json)
		printf(b->n_done > 0 ? "]\n" : "[]\n");
	if (r == 0 && !b->bad_line)
		return CLI_EXIT_OK;
	if (b->n_done > 0)
		cli_note(b->c,
			"lines 1 to %" PRIu64 " are submitted: %" PRIu64 " job%s",
			b->done_line, b->n_done, text_plural((int64_t)b->n_done));
	if (r == -ECANCELED)
		return b->exit_code;
	if (r == 0)
		return cli_fail(b->c, CLI_EXIT_USAGE, "%s", b->bad_line);
	return cli_fail_lost(b->c, r);
}

/* @env_bytes  what the environment takes of a call */
static int submit_with_env(struct batch *b, struct client **client, size_t env_bytes)
{
	if (env_bytes + 4096 > SUBMIT_CALL_MAX) {
		b->exit_code = cli_fail(b->c, CLI_EXIT_USAGE,
			"the environment (%zu bytes) leaves no room in a call for jobs",
			env_bytes);
		return -ECANCELED;
	}
	b->jobs_max_bytes = MIN(SUBMIT_BYTES_MAX, SUBMIT_CALL_MAX - env_bytes);
	return submit_all(b, client);
}

int batch_submit(const struct cli *c, struct client **client, FILE *in,
	const struct job_spec *defaults)
{
	struct batch b = {.c = c, .defaults = defaults, .env = json_object()};
	char made_key[33];
	size_t env_bytes;
	int r;

	random_id(made_key);
	b.key = options_get(&c->opts, OPT_KEY);
	if (!b.key)
		b.key = made_key;
	batch_reader_init(&b.reader, in, SUBMIT_BYTES_MAX);
	r = b.env ? submit_put_env(b.env, environ, &env_bytes) : -ENOMEM;
	if (r == 0)
		r = submit_with_env(&b, client, env_bytes);
	r = finish(&b, r);
	for (unsigned i = 0; i < WINDOW; i++)
		call_deinit(&b.calls[i]);
	free(b.bad_line);
	json_decref(b.ahead);
	json_decref(b.env);
	batch_reader_deinit(&b.reader);
	return r;
}
