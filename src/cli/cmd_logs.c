/*
 * `logs`: the output of jobs, as it is.
 *
 * Who follows goes on where he was when the daemon is started again: asked for is then the
 * run that was shown, from the first byte that was not, and, as that call ends with its
 * run, each later one by its number. A call has one offset: of two streams the one that is
 * ahead comes partly again, and that part is left out.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/select.h"
#include "client/client.h"
#include "job/state.h"

enum { STDOUT, STDERR, N_STREAMS }; /* what is not split is STDOUT here */

struct logs {
	const struct cli *c;
	json_t *params; /* what goes with every selector; owned */
	bool follow;
	int64_t run; /* that is asked for; 0: the newest */
	/* what following has shown */
	int64_t at_run;          /* of this run; 0: nothing yet */
	int64_t next[N_STREAMS]; /* offset of the first byte that was not; -1: of all */
	bool is_split;           /* in two streams */
	int64_t resumed_run;     /* asked for after a break; 0: none was */
	bool over;               /* that run is not there, and will not be */
	unsigned n_reconnects;
	size_t n_shown;
	int exit_code; /* of an error that was printed */
};

/* the data of a page, of which some was shown before a break */
struct shown {
	void *data; /* owned */
	size_t n;
	size_t cut; /* from the front */
	int64_t lost;
};

static void begin_run(struct logs *l, int64_t run)
{
	l->at_run = run;
	for (int i = 0; i < N_STREAMS; i++)
		l->next[i] = -1;
}

/* Where the page leaves us, and what of it is new. */
static void take_place(struct logs *l, struct shown *sh, const json_t *page)
{
	int s = STREQ(json_str(page, "stream"), "stderr") ? STDERR : STDOUT;
	int64_t offset = json_int(page, "offset", 0);
	int64_t run = json_int(page, "run", 0), ahead;

	if (run != l->at_run)
		begin_run(l, run);
	l->is_split = !STREQ(json_str(page, "stream"), "all");
	ahead = l->next[s] - offset;
	if (l->resumed_run > 0 && l->next[s] >= 0 && sh->n > 0) {
		sh->cut = (size_t)MIN((int64_t)sh->n, MAX(ahead, INT64_C(0)));
		/* what was lost on the way to where we were, we have */
		sh->lost = MIN(sh->lost, MAX(-ahead, INT64_C(0)));
	}
	if (sh->n > 0)
		l->next[s] = MAX(l->next[s], offset + (int64_t)sh->n);
}

static int print_json(const struct shown *sh, const json_t *page)
{
	_cleanup_json_ json_t *copy = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n = sh->n - sh->cut;

	if (sh->cut == 0)
		return json_print(stdout, page, false);
	copy = json_copy((json_t *)page);
	text = malloc(base64_encoded_len(n) + 1);
	if (!copy || !text)
		return -ENOMEM;
	base64_encode(text, (const char *)sh->data + sh->cut, n);
	if (json_put(copy, "data_b64", json_string(text)) < 0 ||
		json_put(copy, "lost_bytes", json_integer(sh->lost)) < 0 ||
		json_put(copy, "offset",
			json_integer(json_int(page, "offset", 0) + (int64_t)sh->cut)) <
			0)
		return -ENOMEM;
	return json_print(stdout, copy, false);
}

static int print_page(struct logs *l, const json_t *page)
{
	const json_t *b64 = json_object_get(page, "data_b64");
	_cleanup_free_ void *data = NULL;
	struct shown sh = {.lost = json_int(page, "lost_bytes", 0)};
	int r;

	if (json_is_string(b64)) {
		r = base64_decode(
			&data, &sh.n, json_string_value(b64), json_string_length(b64));
		if (r < 0)
			return r;
	}
	sh.data = data;
	take_place(l, &sh, page);
	if (sh.n > 0 && sh.cut == sh.n)
		return 0;
	if (l->c->json)
		return print_json(&sh, page);
	if (sh.lost > 0)
		cli_note(l->c,
			"%" PRId64 " bytes before this were trimmed "
			"(output-max, output-total-max)",
			sh.lost);
	if (sh.n == 0)
		return 0;
	return fwrite((const char *)data + sh.cut, 1, sh.n - sh.cut, stdout) ==
			       sh.n - sh.cut
		       ? 0
		       : -EIO;
}

static int fail_no_run(const struct logs *l, int64_t id)
{
	return cli_fail(l->c, CLI_EXIT_NOTHING,
		"logs: job %" PRId64 " has no run %" PRId64, id, l->run);
}

/* A run that printed nothing and one that never was have the same log. 0, or the exit
 * code */
static int check_run(const struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *reply = NULL;
	const json_t *job;
	int r;

	r = cli_call(l->c, client, "io.reeve.Job.List",
		json_pack("{s:O, s:i}", "select", select, "limit", 1), &reply);
	job = json_array_get(json_object_get(reply, "jobs"), 0);
	/* who follows waits also for a run to come */
	if (l->follow && !STREQ(json_str(job, "state"), job_state_name[JOB_FINISHED]))
		return r;
	if (r == 0 && job && json_int(job, "runs", 0) < l->run)
		r = fail_no_run(l, json_int(job, "id", 0));
	return r;
}

/* client_reply_fn */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct logs *l = arg;
	int64_t run;
	int r;

	if (reply->error) {
		l->exit_code = cli_fail_reply(l->c, reply->error, reply->params);
		return -ECANCELED;
	}
	l->n_reconnects = 0;
	run = json_int(reply->params, "run", 0);
	/* where none such came, an empty page of the last one says so */
	if (l->run > 0 && run != l->run) {
		l->exit_code = fail_no_run(l, json_int(reply->params, "id", 0));
		return -ECANCELED;
	}
	l->over = l->resumed_run > 0 && run != l->resumed_run;
	if (l->over)
		return 0;
	r = print_page(l, reply->params);
	/* who follows wants to see it now */
	if (r == 0 && l->follow && fflush(stdout) != 0)
		r = -EIO;
	return r;
}

/* The first byte that was not shown of any stream. Of one of which nothing came that is
 * its first one, but with -n 0, where what it had was not wanted. */
static int64_t from_offset(const struct logs *l)
{
	const int64_t *next = l->next;
	bool only_new = json_int(l->params, "lines", -1) == 0;

	if (!l->is_split)
		return next[STDOUT];
	if (only_new && (next[STDOUT] < 0 || next[STDERR] < 0))
		return MAX(next[STDOUT], next[STDERR]);
	return MIN(next[STDOUT], next[STDERR]);
}

/* 0, -ENOMEM */
static int call_params(json_t **ret, const struct logs *l, json_t *select)
{
	_cleanup_json_ json_t *params = json_deep_copy(l->params);
	int64_t from = -1;
	int r;

	if (!params || !select)
		return -ENOMEM;
	r = json_put(params, "select", json_incref(select));
	if (r == 0 && l->resumed_run > 0) {
		from = from_offset(l);
		json_object_del(params, "lines");
		r = json_put(params, "run", json_integer(l->resumed_run));
	}
	if (r == 0 && from > 0)
		r = json_put(params, "offset", json_integer(from));
	if (r == 0)
		*ret = TAKE_PTR(params);
	return r;
}

/* one call. 0, -ECONNRESET, or the exit code */
static int call_logs(struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *params = NULL;
	int r;

	r = call_params(&params, l, select);
	if (r < 0)
		return cli_fail_errno(l->c, r, "logs");
	r = client_call_more(
		client, "io.reeve.Job.Logs", params, take_page, l, RV_FOREVER);
	if (r == -ECANCELED)
		return l->exit_code;
	if (r == -EIO)
		return cli_fail_write(l->c, r);
	if (r < 0 && (r != -ECONNRESET || !l->follow))
		return cli_fail_lost(l->c, r);
	return r;
}

/* The newest job, or that of a name, is to be the same after a break. 0, or the exit
 * code */
static int pin_job(const struct logs *l, struct client *client, json_t **select)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *pinned;
	int64_t id;
	int r;

	r = cli_call(l->c, client, "io.reeve.Job.List",
		json_pack("{s:O, s:i}", "select", *select, "limit", 1), &reply);
	id = json_int(json_array_get(json_object_get(reply, "jobs"), 0), "id", 0);
	if (r != 0 || id <= 0)
		return r;
	pinned = selection_of_id(id);
	if (!pinned)
		return cli_fail_errno(l->c, -ENOMEM, "logs");
	json_decref(*select);
	*select = pinned;
	return 0;
}

/* 0, or the exit code */
static int go_on(struct logs *l, struct client **client)
{
	l->resumed_run = l->at_run;
	if (l->n_reconnects++ < CLI_RECONNECTS_MAX &&
		cli_reconnect(l->c, client, RV_FOREVER) == 0)
		return 0;
	return cli_fail(l->c, CLI_EXIT_NO_DAEMON,
		"the daemon is gone and did not come back; the output so far is shown");
}

/* select: taken. 0, or the exit code */
static int follow(struct logs *l, struct client **client, json_t *select)
{
	_cleanup_json_ json_t *mine = select;
	int r;

	r = mine ? pin_job(l, *client, &mine) : cli_fail_errno(l->c, -ENOMEM, "logs");
	while (r == 0) {
		r = call_logs(l, *client, mine);
		if (r == -ECONNRESET) {
			r = go_on(l, client);
			continue;
		}
		if (r != 0 || l->resumed_run == 0 || l->run > 0 || l->over)
			break;
		begin_run(l, ++l->resumed_run);
	}
	return r;
}

/* select: taken. 0, or the exit code */
static int show_logs(struct logs *l, struct client **client, json_t *select)
{
	_cleanup_json_ json_t *mine = select;
	int r;

	if (!mine)
		return cli_fail_errno(l->c, -ENOMEM, "logs");
	r = l->run > 0 ? check_run(l, *client, mine) : 0;
	if (r != 0)
		return r;
	return l->follow ? follow(l, client, TAKE_PTR(mine))
			 : call_logs(l, *client, mine);
}

/* each_job_fn: several jobs come one after the other, under headings */
static int show_job(void *arg, struct client **client, const json_t *job)
{
	struct logs *l = arg;
	int64_t id = json_int(job, "id", 0);

	if (!l->c->json)
		printf("%s==> job %" PRId64 " <==\n", l->n_shown > 0 ? "\n" : "", id);
	l->n_shown++;
	return show_logs(l, client, selection_of_id(id));
}

/* the options into l->params. 0, or the exit code */
static int read_options(struct logs *l)
{
	const struct options *o = &l->c->opts;
	const char *lines = options_get(o, OPT_LINES), *run = options_get(o, OPT_RUN);
	const char *stream = options_get(o, OPT_STREAM);
	int64_t n;
	int r = l->params ? 0 : -ENOMEM;

	l->follow = options_has(o, OPT_FOLLOW);
	if (r == 0 && l->follow)
		r = json_put(l->params, "follow", json_true());
	if (r == 0 && lines) {
		if (parse_i64(&n, lines, 0, INT64_MAX) < 0)
			return cli_fail(l->c, CLI_EXIT_USAGE,
				"logs: not a number of lines: '%s'", lines);
		r = json_put(l->params, "lines", json_integer(n));
	}
	if (r == 0 && run) {
		if (parse_i64(&l->run, run, 1, INT32_MAX) < 0)
			return cli_fail(
				l->c, CLI_EXIT_USAGE, "logs: not a run: '%s'", run);
		r = json_put(l->params, "run", json_integer(l->run));
	}
	if (r == 0 && stream) {
		if (!STREQ(stream, "all") && !STREQ(stream, "stdout") &&
			!STREQ(stream, "stderr"))
			return cli_fail(l->c, CLI_EXIT_USAGE,
				"logs: --stream is all, stdout, or stderr");
		r = json_put(l->params, "stream", json_string(stream));
	}
	return r < 0 ? cli_fail_errno(l->c, r, "logs") : 0;
}

int cmd_logs(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_json_ json_t *params = json_object();
	struct logs l = {.c = c, .params = params, .next = {-1, -1}};
	bool single;
	int r;

	r = read_options(&l);
	if (r == 0)
		r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r != 0)
		return r;
	single = selection_is_absent(&sel) || selection_is_single(&sel);
	if (l.follow && !single)
		return cli_fail(c, CLI_EXIT_USAGE, "logs: --follow takes one job");
	r = cli_connect_for(c, &client, &sel);
	if (r != 0)
		return r;
	if (selection_is_absent(&sel))
		return show_logs(&l, &client, json_pack("{s:b}", "newest", 1));
	if (single)
		return show_logs(&l, &client, selection_json(&sel, 0));
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = cli_each_job(c, &client, selection_json(&sel, i), show_job, &l);
	if (r == 0 && l.n_shown == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "logs: no job matches");
	return r;
}
