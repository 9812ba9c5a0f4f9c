/*
 * `logs`: the output of jobs, as it is, or the lines of it that are wanted.
 *
 * Who follows goes on where he was when the daemon is started again: asked for is then the
 * run that was shown, from the first byte that was not, and, as that call ends with its
 * run, each later one by its number.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/log_runs.h"
#include "cli/logs_many.h"
#include "cli/logs_priv.h"
#include "cli/select.h"
#include "cli/time.h"
#include "client/client.h"
#include "job/state.h"

/* ---- calls --------------------------------------------------------------------------------- */

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
	l->id = json_int(reply->params, "id", 0);
	run = json_int(reply->params, "run", 0);
	/* where none such came, an empty page of the last one says so */
	if (l->run > 0 && run != l->run) {
		l->exit_code = fail_no_run(l, l->id);
		return -ECANCELED;
	}
	l->over = l->place.resumed_run > 0 && run != l->place.resumed_run;
	if (l->over)
		return 0;
	r = logs_print_page(l, reply->params);
	/* who follows wants to see it now */
	if (r == 0 && l->follow && fflush(stdout) != 0)
		r = -EIO;
	return r;
}

/* 0, or the exit code: of what printing or taking in gave */
static int fail_print(const struct logs *l, int r)
{
	if (r == -EIO)
		return cli_fail_write(l->c, r);
	return r < 0 ? cli_fail_errno(l->c, r, "logs") : 0;
}

/* one call. 0, -ECONNRESET, or the exit code */
static int call_logs(struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *params = NULL;
	int r;

	r = log_place_params(&l->place, &params, l->params, select);
	if (r == 0 && l->follow)
		r = json_put(params, "follow", json_true());
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
	l->place.resumed_run = l->place.at_run;
	if (l->n_reconnects++ < CLI_RECONNECTS_MAX &&
		cli_reconnect(l->c, client, RV_FOREVER) == 0)
		return 0;
	return cli_fail(l->c, CLI_EXIT_NO_DAEMON,
		"the daemon is gone and did not come back; the output so far is shown");
}

/* 0, or the exit code */
static int follow(struct logs *l, struct client **client, json_t *select)
{
	struct log_place *p = &l->place;
	int r;

	for (;;) {
		r = call_logs(l, *client, select);
		if (r == -ECONNRESET) {
			r = go_on(l, client);
			if (r != 0)
				return r;
			continue;
		}
		if (r != 0 || p->resumed_run == 0 || l->run > 0 || l->over)
			return r;
		log_place_begin_run(p, ++p->resumed_run);
	}
}

/* ---- one job ------------------------------------------------------------------------------- */

/* a run of before, to its end. 0, or the exit code */
static int show_past_run(
	struct logs *l, struct client *client, json_t *select, int64_t run)
{
	struct log_place now = l->place;
	int r;

	l->place = (struct log_place){.resumed_run = run};
	log_place_begin_run(&l->place, run);
	r = call_logs(l, client, select);
	l->place = now;
	return r;
}

/* Runs that reach into the time asked for, but for the newest. 0, -ENODATA that one does not,
 * or the exit code */
static int show_past_runs(struct logs *l, struct client *client, json_t *select)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *runs, *run;
	size_t i, n;
	int r;

	r = cli_call(l->c, client, "io.reeve.Job.Show",
		json_pack("{s:O}", "select", select), &reply);
	runs = json_object_get(reply, "run_history");
	n = json_array_size(runs);
	json_array_foreach(runs, i, run)
	{
		if (r == 0 && i + 1 < n &&
			log_filter_wants_run(&l->lo->filter,
				json_int(run, "started_usec", 0),
				json_int(run, "finished_usec", 0)))
			r = show_past_run(l, client, select, json_int(run, "run", 0));
	}
	if (r != 0 || n == 0)
		return r;
	/* the last of these is asked for next, not the newest there is by then */
	run = json_array_get(runs, n - 1);
	l->place.resumed_run = json_int(run, "run", 0);
	if (log_filter_wants_run(&l->lo->filter, json_int(run, "started_usec", 0),
		    json_int(run, "finished_usec", 0))) {
		log_place_begin_run(&l->place, l->place.resumed_run);
		return 0;
	}
	/* who follows waits for the one behind it */
	log_place_begin_run(&l->place, ++l->place.resumed_run);
	return -ENODATA;
}

/* What is there already, by line, the last ones of it where only these are wanted. 0, or the
 * exit code */
static int show_lines(struct logs *l, struct client **client, json_t *select)
{
	bool then_follow = l->follow, skip;
	int r = 0;

	l->follow = false;
	l->tailing = l->lo->lines >= 0;
	log_tail_init(&l->tail, MAX(l->lo->lines, INT64_C(0)));
	l->summing = l->lo->past_runs;
	if (l->lo->past_runs)
		r = show_past_runs(l, *client, select);
	skip = r == -ENODATA;
	if (skip)
		r = 0;
	else if (r == 0 && (!then_follow || l->tailing))
		r = call_logs(l, *client, select);
	/* what is not whole yet is, when more follows */
	if (r == 0 && !then_follow)
		r = fail_print(l, log_lines_end(&l->lines, logs_look_at_line, l));
	l->summing = false;
	logs_tell_lost(l);
	if (r == 0 && l->tail.dropped > 0)
		cli_note(l->c, "%" PRId64 " lines before this are more than is kept",
			l->tail.dropped);
	if (r == 0)
		r = fail_print(l, log_tail_tell(&l->tail, logs_print_wanted, l));
	log_tail_deinit(&l->tail);
	if (l->tailing && !skip)
		l->place.resumed_run = l->place.at_run;
	l->tailing = false;
	l->follow = then_follow;
	if (r == 0 && then_follow && fflush(stdout) != 0)
		r = cli_fail_write(l->c, -EIO);
	return r;
}

static int show_by_line(struct logs *l, struct client **client, json_t *select)
{
	int r = show_lines(l, client, select);

	if (r == 0 && l->follow) {
		r = follow(l, client, select);
		if (r == 0)
			r = fail_print(
				l, log_lines_end(&l->lines, logs_look_at_line, l));
	}
	return r;
}

static int begin_run(void *arg, int64_t run, int64_t started_usec)
{
	struct logs *l = arg;
	char when[TIME_TEXT_MAX] = "";

	if (l->c->json)
		return 0;
	if (l->mid_line)
		putchar('\n');
	l->mid_line = false;
	if (started_usec > 0)
		time_format(when, sizeof(when), started_usec);
	return printf("-- run %" PRId64 "%s%s --\n", run, *when ? ", " : "", when) < 0
		       ? -EIO
		       : 0;
}

static int show_page(void *arg, const json_t *page)
{
	struct logs *l = arg;

	l->id = json_int(page, "id", 0);
	return logs_print_page(l, page);
}

/* select: taken. 0, or the exit code */
static int show_logs(struct logs *l, struct client **client, json_t *select)
{
	_cleanup_json_ json_t *mine = select;
	int r;

	if (!mine)
		return cli_fail_errno(l->c, -ENOMEM, "logs");
	r = l->run > 0 ? check_run(l, *client, mine) : 0;
	if (r == 0 && (l->follow || l->by_line))
		r = pin_job(l, *client, &mine);
	if (r != 0)
		return r;
	l->place = (struct log_place){.next = {-1, -1}};
	l->seen = (struct log_filter_state){.run = 0};
	if (l->by_line)
		return show_by_line(l, client, mine);
	if (l->lo->reach_back && !l->follow)
		return log_runs_show(l->c, *client, l->params, mine, l->lo->lines,
			&(const struct log_runs_ops){begin_run, show_page, l});
	return l->follow ? follow(l, client, mine) : call_logs(l, *client, mine);
}

/* ---- several ------------------------------------------------------------------------------- */

/* each_job_fn: several jobs come one after the other, under headings */
static int show_job(void *arg, struct client **client, const json_t *job)
{
	struct logs *l = arg;

	l->heading = json_int(job, "id", 0);
	if (!l->by_line)
		logs_print_heading(l);
	return show_logs(l, client, selection_of_id(json_int(job, "id", 0)));
}

/* each_job_fn */
static int add_source(void *arg, struct client **client, const json_t *job)
{
	return logs_many_add_job(arg, job);
}

/* several followed at once. 0, or the exit code */
static int follow_many(const struct cli *c, const struct log_options *lo,
	struct client **client, const struct selection *sel)
{
	struct logs_many *m;
	int r = 0;

	m = logs_many_new(c, lo);
	if (!m)
		return cli_fail_errno(c, -ENOMEM, "logs");
	for (size_t i = 0; r == 0 && i < selection_n_chunks(sel); i++)
		r = cli_each_job(c, client, selection_json(sel, i), add_source, m);
	if (r == 0)
		r = logs_many_follow(m);
	logs_many_free(m);
	return r;
}

static int show_many(
	struct logs *l, struct client **client, const struct selection *sel)
{
	int r = 0;

	l->many = true;
	for (size_t i = 0; r == 0 && i < selection_n_chunks(sel); i++)
		r = cli_each_job(l->c, client, selection_json(sel, i), show_job, l);
	if (r == 0 && l->n_shown == 0 && l->heading == 0)
		return cli_fail(l->c, CLI_EXIT_NOTHING, "logs: no job matches");
	return r;
}

static int show(struct logs *l, struct client **client, const struct selection *sel)
{
	int r;

	if (selection_is_absent(sel))
		r = show_logs(l, client, json_pack("{s:b}", "newest", 1));
	else if (selection_is_single(sel))
		r = show_logs(l, client, selection_json(sel, 0));
	else
		r = show_many(l, client, sel);
	if (r == 0 && l->by_line && l->n_lines == 0)
		r = cli_fail(l->c, CLI_EXIT_NOTHING, "logs: no line matches");
	return r;
}

int logs_show(const struct cli *c, const struct log_options *lo, struct client **client,
	const struct selection *sel)
{
	struct logs l = {.c = c,
		.lo = lo,
		.params = lo->params,
		.follow = lo->follow,
		.run = lo->run,
		.by_line = log_filter_is_set(&lo->filter),
		.place = {.next = {-1, -1}}};
	int r;

	if (lo->follow && !selection_is_absent(sel) && !selection_is_single(sel))
		return follow_many(c, lo, client, sel);
	r = show(&l, client, sel);
	log_lines_deinit(&l.lines);
	return r;
}

int cmd_logs(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(log_options_deinit) struct log_options lo = {.params = NULL};
	_cleanup_(client_closep) struct client *client = NULL;
	int r;

	r = log_options_read(&lo, c);
	if (r == 0)
		r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	return r == 0 ? logs_show(c, &lo, &client, &sel) : r;
}
