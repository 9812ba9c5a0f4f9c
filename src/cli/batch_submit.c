#include "config.h"

#include "cli/batch_submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/macro.h"
#include "cli/batch.h"
#include "cli/cli.h"
#include "cli/limits.h"
#include "cli/reply_error.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"
#include "job/deps.h"

/* Enough to keep the daemon's commits filled; the memory of that many calls is ours. */
#define WINDOW 4

/*
 * Which lines a call holds depends on the settings of the daemon and on the environment, but
 * a key that the user gave has to mean the same lines again. So with such a key one call is
 * made after the other, and it is the answer that says how many lines the key's call had:
 * where they were fewer the rest goes into the next call, where they were more the next lines
 * are left out.
 *
 * A daemon may be told meanwhile to take fewer jobs in a call (a reload that lowers
 * submit-max). What it refuses then is cut smaller and sent again, while calls that were
 * made after it may be through: their ids are kept until those of all lines before are there.
 */

/* a call that was made, and whose ids were not printed yet */
struct call {
	struct list link; /* in batch.calls */
	struct list sent; /* in batch.sent while its answer is waited for */
	json_t *params;
	uint64_t *line_no; /* of each of its jobs, for the daemon's errors */
	size_t n_jobs;
	json_t *ids;    /* the answer; NULL: there is none yet */
	bool must_wait; /* it failed; again when it is the first, to be told in order */
	bool has_names; /* that jobs of calls before may have: sent when these are answered */
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
	struct list calls; /* of struct call.link, in the order of their lines */
	unsigned n;        /* of those */
	struct list sent;  /* of struct call.sent, in the order of their answers */
	/* read, and in no call yet: one that did not fit into the last call, and those
	 * that an answer left over */
	struct ahead {
		json_t *job;
		uint64_t line_no;
		bool has_names;
	} * ahead;
	size_t ahead_first, n_ahead;
	uint64_t n_skip; /* so many that come next are in an answer already */
	bool at_end;
	char *bad_line;  /* why reading ended early; told when all before it is done */
	int bad_code;    /* its exit code */
	int exit_code;   /* of an error that was printed */
	bool has_failed; /* such is the answer to the first of the calls */
};

static struct call *call_free(struct call *call)
{
	if (!call)
		return NULL;
	list_remove(&call->link);
	list_remove(&call->sent);
	json_decref(call->params);
	json_decref(call->ids);
	free(call->line_no);
	free(call);
	return NULL;
}
DEFINE_CLEANUP(struct call *, call_free)

/* jobs and line_no: taken, also on failure. NULL when out of memory */
static struct call *call_new(
	struct batch *b, json_t *jobs, uint64_t *line_no, size_t n_jobs)
{
	_cleanup_free_ char *key = text_printf("%s-%" PRIu64, b->key, b->n_calls);
	_cleanup_(call_freep) struct call *call = calloc(1, sizeof(*call));

	if (!key || !call) {
		json_decref(jobs);
		free(line_no);
		return NULL;
	}
	call->line_no = line_no;
	call->n_jobs = n_jobs;
	call->params = submit_params(jobs, b->caller, key);
	if (!call->params)
		return NULL;
	b->n_calls++;
	b->n++;
	return TAKE_PTR(call);
}

static struct call *first_call(const struct batch *b)
{
	return list_is_empty(&b->calls)
		       ? NULL
		       : LIST_ENTRY(list_first(&b->calls), struct call, link);
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

/* It waits for jobs by their names or labels, which the daemon has to know. */
static bool has_names(const struct job_spec *s)
{
	unsigned kinds = 0;

	for (int k = 0; k < DEP_KIND_N; k++)
		kinds |= dep_list_kinds(s->v[dep_field[k]].strv);
	return kinds & (1u << DEP_REF_NAME | 1u << DEP_REF_LABEL);
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
	b->ahead[b->ahead_first] = (struct ahead){job, b->src->no, has_names(&s)};
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

/* A call of as many jobs as fit, last of all. 1, 0 when there are no more, negative. */
static int make_call(struct batch *b)
{
	size_t n_max = MIN((size_t)SUBMIT_JOBS_MAX, b->limits.submit_max);
	_cleanup_free_ uint64_t *line_no = calloc(n_max, sizeof(*line_no));
	_cleanup_json_ json_t *jobs = json_array();
	size_t bytes_max = MIN(SUBMIT_BYTES_MAX, b->jobs_max_bytes);
	size_t bytes = 0, n = 0, job_bytes;
	bool names = false;
	struct call *call;
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
		names |= b->ahead[b->ahead_first].has_names;
		line_no[n++] = b->ahead[b->ahead_first].line_no;
		if (json_array_append_new(jobs, take_ahead(b)) < 0)
			return -ENOMEM;
	}
	if (n == 0)
		return 0;
	call = call_new(b, TAKE_PTR(jobs), TAKE_PTR(line_no), n);
	if (!call)
		return -ENOMEM;
	call->has_names = names;
	list_append(&b->calls, &call->link);
	return 1;
}

/* made, but under way no more, or not yet: a broken connection left it unanswered, or it was
 * cut smaller; NULL: none */
static struct call *find_unsent(const struct batch *b)
{
	LIST_FOREACH(it, &b->calls) {
		struct call *call = LIST_ENTRY(it, struct call, link);

		if (!call->ids && !list_is_linked(&call->sent) &&
			(!call->must_wait || call == first_call(b)))
			return call;
	}
	return NULL;
}

/* client_request_fn */
static int next_call(void *arg, struct client_request *ret)
{
	struct batch *b = arg;
	struct call *call = b->has_failed ? NULL : find_unsent(b);
	int r;

	if (!call) {
		if (b->has_failed || b->at_end || b->n >= WINDOW)
			return 0;
		r = make_call(b);
		/* Of a bad line nothing is sent, nor of its call; the answers to the
		 * calls before it are still waited for. */
		if (r == -EINVAL)
			r = 0;
		b->at_end = r == 0;
		if (r <= 0)
			return r;
		call = find_unsent(b);
	}
	if (call->has_names && call != first_call(b))
		return 0; /* what it names may be in those that are under way */
	list_append(&b->sent, &call->sent);
	ret->method = "io.reeve.Job.Submit";
	ret->params = json_incref(call->params);
	return 1;
}

/* From now on nothing is sent; the answers to what was sent are still taken. */
static void fail_reply(
	struct batch *b, const struct call *call, const struct client_reply *reply)
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
				call->line_no[n_done + i], call->has_names};
	b->at_end = false;
	return 0;
}

/* The jobs from n on into a call of their own, after this one. 0, -ENOMEM */
static int split_call(struct batch *b, struct call *call, size_t n)
{
	const json_t *jobs = json_object_get(call->params, "jobs");
	size_t n_rest = call->n_jobs - n;
	uint64_t *line_no = calloc(n_rest, sizeof(*line_no));
	json_t *rest = json_array();
	struct call *next;
	int r = line_no && rest ? 0 : -ENOMEM;

	for (size_t i = 0; i < n_rest && r == 0; i++) {
		line_no[i] = call->line_no[n + i];
		r = json_array_append(rest, json_array_get(jobs, n + i));
	}
	if (r < 0) {
		free(line_no);
		json_decref(rest);
		return -ENOMEM;
	}
	next = call_new(b, rest, line_no, n_rest);
	if (!next)
		return -ENOMEM;
	next->has_names = call->has_names;
	list_prepend(&call->link, &next->link);
	return 0;
}

/* The daemon takes no more than n_max jobs in a call by now; it took none of this one. */
static int cut_call(struct batch *b, struct call *call, size_t n_max)
{
	int r;

	b->limits.submit_max = n_max;
	while (call->n_jobs > n_max) {
		json_t *jobs = json_object_get(call->params, "jobs");

		/* with a key that was given the answer to this call decides on the next
		 */
		r = b->key_is_given ? put_back(b, call, n_max)
				    : split_call(b, call, n_max);
		if (r < 0)
			return r;
		call->n_jobs = n_max;
		while (json_array_size(jobs) > n_max)
			json_array_remove(jobs, json_array_size(jobs) - 1);
		if (!b->key_is_given)
			call = LIST_ENTRY(call->link.next, struct call, link);
	}
	return 0;
}

static int take_error(
	struct batch *b, struct call *call, const struct client_reply *reply)
{
	int64_t max = json_int(reply->params, "maximum", 0);

	if (STREQ(reply->error, "io.reeve.Job.LimitReached") &&
		STREQ(json_str(reply->params, "limit"), "submit-max") && max > 0 &&
		(uint64_t)max < call->n_jobs)
		return cut_call(b, call, (size_t)max);
	if (call != first_call(b))
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
static int tell_ids(struct batch *b, const struct call *call)
{
	size_t n_ids = json_array_size(call->ids);
	int told =
		b->take_ids ? b->take_ids(b->arg, call->ids) : print_ids(b, call->ids);

	b->n_done += n_ids;
	b->done_line = call->line_no[MIN(n_ids, call->n_jobs) - 1];
	if (told < 0)
		return told;
	if (n_ids < call->n_jobs)
		return put_back(b, call, n_ids);
	b->n_skip += n_ids - call->n_jobs;
	return 0;
}

/* client_reply_fn: the call that was sent first has its answer */
static int take_reply(void *arg, const struct client_reply *reply)
{
	struct batch *b = arg;
	struct call *call = LIST_ENTRY(list_pop(&b->sent), struct call, sent);
	json_t *ids = json_object_get(reply->params, "ids");
	int r = 0;

	if (reply->error)
		return take_error(b, call, reply);
	if (json_array_size(ids) == 0)
		return -RV_EPROTOCOL;
	call->ids = json_incref(ids);
	while (r == 0 && (call = first_call(b)) && call->ids) {
		r = tell_ids(b, call);
		call_free(call);
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
		const struct call *call = LIST_ENTRY(it, struct call, link);
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
		call_free(first_call(&b));
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
