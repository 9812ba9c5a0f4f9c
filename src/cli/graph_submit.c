#include "config.h"

#include "cli/graph_submit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/limits.h"
#include "cli/reply_error.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"
#include "config/config_file.h"
#include "config/graph_file.h"

struct submission {
	const struct cli *c;
	const char *file; /* for messages */
	struct graph *graph;
	json_t *jobs;               /* array of Spec */
	json_t *caller;             /* what goes with each call */
	size_t jobs_max, bytes_max; /* of one call */
	const char *key;
	uint64_t first_id;
};

static const char *name_of(const char *path)
{
	return STREQ(path, "-") ? "standard input" : path;
}

/* 0, or the exit code */
static int read_file(const struct cli *c, struct buf *out, const char *path)
{
	_cleanup_(fclosep) FILE *file = NULL;
	FILE *in = stdin;
	size_t n;
	char *p;

	if (!STREQ(path, "-")) {
		in = file = fopen(path, "re");
		if (!file)
			return cli_fail(c, CLI_EXIT_USAGE, "cannot read '%s': %s", path,
				strerror(errno));
	}
	do {
		if (buf_reserve(out, 65536, &p) < 0)
			return cli_fail_errno(c, -ENOMEM, "cannot submit");
		n = fread(p, 1, 65536, in);
		buf_commit(out, n);
		if (buf_len(out) > CONFIG_FILE_BYTES_MAX)
			return cli_fail(c, CLI_EXIT_USAGE, "%s: larger than %d MiB",
				name_of(path), CONFIG_FILE_BYTES_MAX >> 20);
	} while (n > 0);
	if (ferror(in))
		return cli_fail(c, CLI_EXIT_USAGE, "cannot read %s: %s", name_of(path),
			strerror(errno));
	return 0;
}

/* All that is wrong, a line each; as one error with --json. The exit code */
static int fail_errors(const struct cli *c, const struct config_errors *errors)
{
	size_t n = errors->n + errors->n_more;

	if (!c->json)
		for (size_t i = 0; i + 1 < errors->n; i++)
			cli_fail(c, CLI_EXIT_USAGE, "%s:%u: %s", errors->v[i].file,
				errors->v[i].line, errors->v[i].text);
	if (n == 0)
		return cli_fail_errno(c, -ENOMEM, "cannot submit");
	n = c->json ? 0 : errors->n - 1;
	return cli_fail(c, CLI_EXIT_USAGE, "%s:%u: %s", errors->v[n].file,
		errors->v[n].line, errors->v[n].text);
}

static int parse(struct submission *s, const char *path)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int r = read_file(s->c, &text, path);

	if (r != 0)
		return r;
	r = graph_parse(&s->graph, buf_head(&text), buf_len(&text), s->file, &errors);
	return r < 0 ? fail_errors(s->c, &errors) : 0;
}

static int fail_at(const struct submission *s, int code, size_t job, const char *field,
	const char *text)
{
	return cli_fail(s->c, code, "%s:%u: %s", s->file,
		graph_line(s->graph, job, field), text ? text : "not possible");
}

static int make_jobs(struct submission *s, const struct job_spec *defaults)
{
	s->jobs = json_array();
	for (size_t i = 0; i < s->graph->n; i++) {
		struct job_spec *spec = &s->graph->jobs[i].spec;
		_cleanup_free_ char *err = NULL;
		int r = job_spec_merge_defaults(spec, defaults);

		if (r >= 0)
			r = submit_make_whole(spec, &err);
		if (r == -EINVAL || r == -RV_ELIMIT)
			return fail_at(
				s, CLI_EXIT_USAGE, i, NULL, err ? err : rv_strerror(r));
		if (r < 0 || json_array_append_new(s->jobs, spec_to_json(spec)) < 0)
			return cli_fail_errno(s->c, -ENOMEM, "cannot submit");
	}
	return 0;
}

static int ask_limits(
	struct submission *s, struct client **client, const struct job_spec *defaults)
{
	struct limits limits;
	size_t env_bytes, taken;
	int r = submit_put_caller(s->c, s->caller, defaults, &env_bytes);

	if (r == 0)
		r = limits_ask(s->c, client, &limits);
	if (r != 0)
		return r;
	taken = env_bytes + LIMITS_CALL_BYTES;
	if (taken >= limits.message_max)
		return cli_fail(s->c, CLI_EXIT_REFUSED,
			"the daemon refuses: the environment (%zu bytes) leaves no "
			"room for jobs in a call (message-max = %zu)",
			env_bytes, limits.message_max);
	s->bytes_max = MIN(limits.message_max - taken, SUBMIT_BYTES_MAX);
	s->jobs_max = MIN((size_t)SUBMIT_JOBS_MAX, limits.submit_max);
	return 0;
}

/* as many as one call takes, from that one on; NULL: out of memory */
static json_t *next_jobs(const struct submission *s, size_t first)
{
	json_t *jobs = json_array();
	size_t bytes = 0;

	for (size_t i = first; i < s->graph->n && i < first + s->jobs_max; i++) {
		json_t *job = json_array_get(s->jobs, i);

		bytes += submit_json_bytes(job) + 1;
		if (i > first && bytes > s->bytes_max)
			break;
		if (json_array_append(jobs, job) < 0) {
			json_decref(jobs);
			return NULL;
		}
	}
	return jobs;
}

static int fail_reply(
	const struct submission *s, const char *error, const json_t *reply)
{
	int64_t job = json_int(reply, "job", -1);
	_cleanup_free_ char *text = NULL;

	if (job < 0 || (uint64_t)job >= s->graph->n)
		return cli_fail_reply(s->c, error, reply);
	text = submit_error_text(error, reply);
	return fail_at(s, exit_code_of_error(error), (size_t)job,
		json_str(reply, "field"), text);
}

/* One call. 0 with the number of its jobs; the exit code; -ECONNRESET: all of them again */
static int call_once(
	struct submission *s, struct client *client, size_t first, size_t *ret_n)
{
	_cleanup_json_ json_t *params = NULL, *reply = NULL;
	_cleanup_free_ char *error = NULL;
	json_t *jobs = next_jobs(s, first);
	bool more;
	int r = 0;

	*ret_n = json_array_size(jobs);
	more = first + *ret_n < s->graph->n;
	params = submit_params(jobs, s->caller, s->key);
	if (params && more)
		r = json_put(params, "more", json_true());
	if (params && first > 0 && r == 0)
		r = json_put(params, "first", json_integer((json_int_t)first));
	if (!params || r < 0)
		return cli_fail_errno(s->c, -ENOMEM, "cannot submit");
	r = client_call(
		client, "io.reeve.Job.Submit", params, &reply, &error, RV_FOREVER);
	if (r == -ECONNRESET)
		return r;
	if (r < 0)
		return cli_fail_lost(s->c, r);
	if (r > 0)
		return fail_reply(s, error, reply);
	if (!more)
		s->first_id = (uint64_t)json_integer_value(json_array_get(
				      json_object_get(reply, "ids"), 0)) -
			      first;
	return 0;
}

/* A connection that breaks takes with it what was not recorded: from the beginning again, and
 * with the same key it is one graph. */
static int call_all(struct submission *s, struct client **client)
{
	size_t first = 0, n;

	while (first < s->graph->n) {
		int r = call_once(s, *client, first, &n);

		if (r == -ECONNRESET && cli_reconnect(s->c, client, RV_FOREVER) < 0)
			return cli_fail_lost(s->c, r);
		if (r > 0)
			return r;
		first = r == 0 ? first + n : 0;
	}
	return 0;
}

static int print_ids(const struct submission *s)
{
	for (size_t i = 0; i < s->graph->n; i++)
		printf("%s%" PRIu64 "%s",
			!s->c->json ? ""
			: i         ? ",\n"
				    : "[",
			s->first_id + i, s->c->json ? "" : "\n");
	if (s->c->json)
		puts("]");
	return fflush(stdout) == 0 ? CLI_EXIT_OK : cli_fail_write(s->c, -EIO);
}

int graph_submit(const struct cli *c, const char *path, const struct job_spec *defaults)
{
	_cleanup_(client_closep) struct client *client = NULL;
	struct submission s = {.c = c, .file = name_of(path), .caller = json_object()};
	char made_key[SUBMIT_MADE_KEY_MAX];
	int r = parse(&s, path);

	if (r == 0)
		r = submit_key(c, &s.key, made_key);
	if (r == 0)
		r = make_jobs(&s, defaults);
	if (r == 0)
		r = cli_connect(c, &client);
	if (r == 0)
		r = ask_limits(&s, &client, defaults);
	if (r == 0)
		r = call_all(&s, &client);
	if (r == 0)
		r = print_ids(&s);
	graph_free(s.graph);
	json_decref(s.jobs);
	json_decref(s.caller);
	return r;
}
