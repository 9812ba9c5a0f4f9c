#include "config.h"

#include "cli/batch_submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "cli/batch.h"
#include "cli/batch_calls.h"
#include "cli/cli.h"
#include "cli/reply_error.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"

/* Enough to keep the daemon's commits filled; the memory of that many calls is ours. */
#define WINDOW 4

/* made, but under way no more, or not yet: a broken connection left it unanswered, or it was
 * cut smaller; NULL: none */
static struct batch_call *find_unsent(const struct batch *b)
{
	LIST_FOREACH(it, &b->calls) {
		struct batch_call *call = LIST_ENTRY(it, struct batch_call, link);

		if (!call->ids && !list_is_linked(&call->sent) &&
			(!call->must_wait || call == batch_first_call(b)))
			return call;
	}
	return NULL;
}

/* client_request_fn */
static int next_call(void *arg, struct client_request *ret)
{
	struct batch *b = arg;
	struct batch_call *call = b->has_failed ? NULL : find_unsent(b);
	int r;

	if (!call) {
		if (b->has_failed || b->at_end || b->n >= WINDOW)
			return 0;
		/* while answers can be taken nothing is waited for */
		if (!list_is_empty(&b->sent) && !batch_is_ready(b))
			return 0;
		r = batch_make_call(b);
		/* Of a bad line nothing is sent, nor of its call; the answers to the
		 * calls before it are still waited for. */
		if (r == -EINVAL)
			r = 0;
		b->at_end = r == 0;
		if (r <= 0)
			return r;
		call = find_unsent(b);
	}
	if (call->has_names && call != batch_first_call(b))
		return 0; /* what it names may be in those that are under way */
	list_append(&b->sent, &call->sent);
	ret->method = "io.reeve.Job.Submit";
	ret->params = json_incref(call->params);
	return 1;
}

/* From now on nothing is sent; the answers to what was sent are still taken. */
static void fail_reply(struct batch *b, const struct batch_call *call,
	const struct client_reply *reply)
{
	int64_t job = json_int(reply->params, "job", -1);

	b->has_failed = true;
	/* which job of the call it was: people know the line */
	if (job >= 0 && (uint64_t)job < call->n_jobs) {
		_cleanup_free_ char *text =
			submit_error_text(reply->error, reply->params);

		b->exit_code = cli_fail(b->c, exit_code_of_error(reply->error),
			"%s %" PRIu64 ": %s", b->src->what, call->line_no[job],
			text ? text : "?");
		return;
	}
	b->exit_code = cli_fail_reply(b->c, reply->error, reply->params);
}

static int take_error(
	struct batch *b, struct batch_call *call, const struct client_reply *reply)
{
	int64_t max = json_int(reply->params, "maximum", 0);

	if (STREQ(reply->error, "io.reeve.Job.LimitReached") &&
		STREQ(json_str(reply->params, "limit"), "submit-max") && max > 0 &&
		(uint64_t)max < call->n_jobs)
		return batch_cut_call(b, call, (size_t)max);
	if (call != batch_first_call(b))
		call->must_wait = true;
	else if (!b->has_failed)
		fail_reply(b, call, reply);
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
	return 0;
}

/* The first of the calls has its answer: its ids are told. */
static int tell_ids(struct batch *b, const struct batch_call *call)
{
	size_t n_ids = json_array_size(call->ids);
	int told =
		b->take_ids ? b->take_ids(b->arg, call->ids) : print_ids(b, call->ids);

	b->n_done += n_ids;
	b->done_line = call->line_no[MIN(n_ids, call->n_jobs) - 1];
	if (told < 0)
		return told;
	if (told > 0)
		b->enough = b->at_end = true;
	if (n_ids < call->n_jobs)
		return batch_put_back(b, call, n_ids);
	b->n_skip += n_ids - call->n_jobs;
	return 0;
}

/* client_reply_fn: the call that was sent first has its answer */
static int take_reply(void *arg, const struct client_reply *reply)
{
	struct batch *b = arg;
	struct batch_call *call =
		LIST_ENTRY(list_pop(&b->sent), struct batch_call, sent);
	json_t *ids = json_object_get(reply->params, "ids");
	int r = 0;

	if (reply->error)
		return take_error(b, call, reply);
	if (json_array_size(ids) == 0)
		return -RV_EPROTOCOL;
	call->ids = json_incref(ids);
	while (r == 0 && (call = batch_first_call(b)) && call->ids) {
		r = tell_ids(b, call);
		batch_call_free(call);
		b->n--;
	}
	return fflush(stdout) != 0 ? -EIO : r;
}

static int submit_all(struct batch *b, struct client **client)
{
	unsigned window = b->key_is_given ? 1 : WINDOW;
	int r;

	for (;;) {
		r = client_batch(*client, window, next_call, take_reply, b, RV_FOREVER);
		if (b->has_failed && (r == 0 || r == -ECONNRESET))
			return -ECANCELED;
		if (r == 0 && (!b->at_end || !list_is_empty(&b->calls)))
			continue; /* the last answers left jobs over */
		if (r != -ECONNRESET)
			return r;
		while (!list_is_empty(&b->sent))
			list_pop(&b->sent);
		if (cli_reconnect(b->c, client, RV_FOREVER) < 0)
			return r;
	}
}

/* Of calls that were under way when one before them failed: they are through, and who reads
 * this, or takes the ids, has to know it. */
static void tell_later_calls(struct batch *b)
{
	LIST_FOREACH(it, &b->calls) {
		const struct batch_call *call = LIST_ENTRY(it, struct batch_call, link);
		size_t n = json_array_size(call->ids);

		if (n > 0 && b->take_ids)
			(void)!b->take_ids(b->arg, call->ids); /* it is over anyhow */
		else if (n > 0)
			cli_note(b->c,
				"%ss %" PRIu64 " to %" PRIu64
				" are submitted, too: jobs %" PRId64 " to %" PRId64,
				b->src->what, call->line_no[0],
				call->line_no[call->n_jobs - 1],
				(int64_t)json_integer_value(
					json_array_get(call->ids, 0)),
				(int64_t)json_integer_value(
					json_array_get(call->ids, n - 1)));
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
	tell_later_calls(b);
	if (r == -ECANCELED)
		return b->exit_code;
	if (r == 0)
		return cli_fail(b->c, b->bad_code, "%s", b->bad_line);
	if (ferror(stdout))
		return cli_fail_write(b->c, r);
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
	list_init(&b.calls);
	list_init(&b.sent);
	r = b.exit_code == 0 ? submit_jobs(&b, client) : -ECANCELED;
	r = finish(&b, r);
	while (!list_is_empty(&b.calls))
		batch_call_free(batch_first_call(&b));
	while (b.n_ahead > 0)
		json_decref(batch_take_ahead(&b));
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

static bool line_is_ready(struct batch_source *src)
{
	return batch_reader_is_ready(
		&CONTAINER_OF(src, struct line_source, src)->reader);
}

int batch_submit(const struct cli *c, struct client **client, int fd, int interrupt_fd,
	const struct job_spec *defaults, batch_ids_fn fn, void *arg)
{
	struct line_source l = {
		.src = {.next = next_line, .is_ready = line_is_ready, .what = "line"}};
	int r;

	batch_reader_init(&l.reader, fd, interrupt_fd, 0);
	r = batch_submit_from(c, client, &l.src, defaults, fn, arg);
	batch_reader_deinit(&l.reader);
	return r;
}
