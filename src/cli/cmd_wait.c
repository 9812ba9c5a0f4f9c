/*
 * `wait`: until jobs are finished; the exit code says whether all succeeded.
 *
 * A daemon that is started again is asked for the rest of those that it was asked for:
 * which they are it tells first (tell_ids), as what was selected may not be what the same
 * selector finds later. The counts come with the last reply of a call; of one that broke
 * they are what was told.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/progress.h"
#include "cli/select.h"
#include "cli/wait_call.h"
#include "client/client.h"

/* of a range those that were not told; told is sorted, *i stands at the first that may be
 * in it */
static int add_untold(struct selection *rest, const struct wait *w,
	struct job_id_range range, size_t *i)
{
	uint64_t first = range.first;

	for (; *i < w->n_told && w->told[*i] <= range.last; ++*i) {
		uint64_t id = w->told[*i];

		if (id > first && job_select_add_ids(&rest->ids,
					  (struct job_id_range){first, id - 1}) < 0)
			return -ENOMEM;
		first = MAX(first, id + 1);
	}
	if (first > range.last)
		return 0;
	return job_select_add_ids(&rest->ids, (struct job_id_range){first, range.last});
}

/* The rest of a call that broke, as selectors at the end of todo; what was told of it is
 * counted. Where the daemon did not come to say what it was about, all of it. */
static int put_off(struct wait *w, json_t *todo, json_t *select)
{
	_cleanup_(selection_deinit) struct selection rest = SELECTION_NULL;
	size_t n = 0;
	int r;

	if (w->n_ids == 0 || w->n_ids < w->n_in_all)
		return json_array_append(todo, select) < 0 ? -ENOMEM : 0;
	w->resumed = true;
	w->succeeded += w->told_succeeded;
	w->failed += (int64_t)w->n_told - w->told_succeeded;
	job_select_prepare(&w->ids);
	wait_sort_told(w);
	rest.filters = json_pack("{s:s}", "user", "*"); /* whoever's they are */
	r = rest.filters ? 0 : -ENOMEM;
	for (size_t i = 0; i < w->ids.n_ids && r == 0; i++)
		r = add_untold(&rest, w, w->ids.ids[i], &n);
	rest.listed = true;
	rest.ranges_max = w->ranges_max;
	for (size_t i = selection_n_chunks(&rest); i > 0 && r == 0; i--)
		r = json_array_append_new(todo, selection_json(&rest, i - 1)) < 0
			    ? -ENOMEM
			    : 0;
	return r;
}

/* Of a rest that was refused for one that is not there any more: the same without it. */
static int put_off_without(struct wait *w, json_t *todo, json_t *select)
{
	json_t *range, *ids = json_object_get(select, "ids");
	size_t i;

	w->failed++; /* as the daemon counts one that is forgotten */
	if (wait_until_is(w, "any"))
		w->first = w->gone;
	if (!options_has(&w->c->opts, OPT_QUIET))
		cli_note(w->c, "job %" PRId64 " was removed", w->gone);
	json_array_foreach(ids, i, range)
	{
		if (json_int(range, "first", 0) == w->gone &&
			json_int(range, "last", 0) == w->gone) {
			json_array_remove(ids, i);
			break;
		}
	}
	return json_array_size(ids) == 0 || json_array_append(todo, select) == 0
		       ? 0
		       : -ENOMEM;
}

static int64_t count_left(const json_t *todo)
{
	int64_t n = 0;
	size_t i, k;
	json_t *select, *range;

	json_array_foreach((json_t *)todo, i, select)
		json_array_foreach(json_object_get(select, "ids"), k, range) n +=
		json_int(range, "last", 0) - json_int(range, "first", 0) + 1;
	return n;
}

/* The daemon is to come back before the time is over. 0, or the exit code. */
static int reconnect(struct wait *w)
{
	rv_time until = w->deadline_usec == USEC_INFINITY
				? RV_FOREVER
				: usec_to_time(w->deadline_usec);

	if (w->n_reconnects++ < CLI_RECONNECTS_MAX &&
		cli_reconnect(w->c, &w->client, until) == 0)
		return 0;
	if (wait_now_usec() < w->deadline_usec)
		return cli_fail(w->c, CLI_EXIT_NO_DAEMON,
			"the daemon is gone and did not come back; `reeve wait` "
			"again when it did");
	w->timed_out = true;
	return 0;
}

/* What was asked for has come, though maybe not the end of its call. */
static bool is_satisfied(const struct wait *w)
{
	return (wait_until_is(w, "any") && w->first > 0) ||
	       (wait_until_is(w, "failure") && w->failed > 0);
}

/* select: taken; JSON's null: what a bare wait waits for. 0, or the exit code */
static int wait_chunk(struct wait *w, json_t *select)
{
	_cleanup_json_ json_t *todo = json_array();
	int r = 0;

	if (json_array_append_new(todo, select) < 0)
		return cli_fail_errno(w->c, -ENOMEM, "wait");
	while (json_array_size(todo) > 0 && !w->timed_out && !is_satisfied(w)) {
		_cleanup_json_ json_t *one =
			json_incref(json_array_get(todo, json_array_size(todo) - 1));

		if (!w->client) {
			r = reconnect(w);
			if (r != 0)
				return r;
			continue;
		}
		json_array_remove(todo, json_array_size(todo) - 1);
		r = wait_call(w, one);
		progress_hide(&w->progress);
		if (r == -ECONNRESET) {
			w->client = client_close(w->client);
			r = put_off(w, todo, one);
		} else if (r == -EAGAIN) {
			r = put_off_without(w, todo, one);
		}
		if (r == -ECANCELED)
			return w->exit_code;
		if (r < 0)
			return cli_fail_lost(w->c, r);
	}
	if (w->timed_out)
		w->waiting += count_left(todo);
	return 0;
}

/* Of --any one job counts, though others may have ended with it. */
static void count_first(struct wait *w)
{
	w->waiting += w->succeeded + w->failed - 1;
	w->succeeded = w->told_succeeded;
	w->failed = 1 - w->succeeded;
}

static int print_report(const struct wait *w)
{
	_cleanup_json_ json_t *o = NULL;

	if (!w->c->json) {
		if (w->first > 0)
			printf("%" PRId64 "\n", w->first);
		return 0;
	}
	o = json_pack("{s:I, s:I, s:I, s:b, s:O}", "waiting", (json_int_t)w->waiting,
		"succeeded", (json_int_t)w->succeeded, "failed", (json_int_t)w->failed,
		"timed_out", (int)w->timed_out, "jobs", w->jobs);
	return o ? json_print(stdout, o, false) : -ENOMEM;
}

static int report(struct wait *w)
{
	int r;

	if (w->first > 0)
		count_first(w);
	r = print_report(w);
	if (r < 0)
		return cli_fail_write(w->c, r);
	if (w->timed_out) {
		if (!options_has(&w->c->opts, OPT_QUIET))
			cli_note(w->c, "waited %s, %" PRId64 " job%s unfinished",
				options_get(&w->c->opts, OPT_TIMEOUT), w->waiting,
				w->waiting == 1 ? " is" : "s are");
		return CLI_EXIT_TIMED_OUT;
	}
	if (wait_until_is(w, "empty"))
		return CLI_EXIT_OK;
	if (w->must_match && w->failed == 0 && w->succeeded == 0)
		return cli_fail(w->c, CLI_EXIT_NOTHING, "wait: no job matches");
	return w->failed > 0 ? CLI_EXIT_SOME : CLI_EXIT_OK;
}

/* The pool that is to be empty is there. 0, or the exit code */
static int check_pool(struct wait *w)
{
	const char *name = options_get(&w->c->opts, OPT_POOL);
	_cleanup_json_ json_t *reply = NULL;
	json_t *pool;
	size_t i;
	int r;

	r = client_call(
		w->client, "io.reeve.Pool.List", NULL, &reply, NULL, RV_FOREVER);
	while (r == -ECONNRESET && w->n_reconnects++ < CLI_RECONNECTS_MAX &&
		cli_reconnect(w->c, &w->client, RV_FOREVER) == 0)
		r = client_call(w->client, "io.reeve.Pool.List", NULL, &reply, NULL,
			RV_FOREVER);
	if (r < 0)
		return cli_fail_lost(w->c, r);
	json_array_foreach(json_object_get(reply, "pools"), i, pool)
	{
		if (STREQ(json_str(pool, "name"), name))
			return 0;
	}
	return cli_fail(w->c, CLI_EXIT_NOTHING, "wait: no pool is named '%s'", name);
}

/* What is waited for, from the options. 0, or the exit code */
static int read_until(struct wait *w)
{
	const struct options *o = &w->c->opts;
	const char *condition = options_get(o, OPT_FOR);

	if (options_has(o, OPT_ANY) + options_has(o, OPT_FIRST_FAILURE) +
			options_has(o, OPT_FOR) >
		1)
		return cli_fail(w->c, CLI_EXIT_USAGE,
			"wait: --any, --first-failure and --for exclude each other");
	if (condition && !STREQ(condition, "empty"))
		return cli_fail(w->c, CLI_EXIT_USAGE, "wait: --for is empty, not '%s'",
			condition);
	if (condition && (!options_has(o, OPT_POOL) || o->n_args > 0))
		return cli_fail(w->c, CLI_EXIT_USAGE,
			"wait: --for empty needs --pool, and takes no ids and names");
	w->until = options_has(o, OPT_ANY)             ? "any"
		   : options_has(o, OPT_FIRST_FAILURE) ? "failure"
						       : condition;
	return 0;
}

static int read_timeout(struct wait *w)
{
	const char *timeout = options_get(&w->c->opts, OPT_TIMEOUT);
	int64_t usec;

	if (timeout && duration_parse(&usec, timeout) < 0)
		return cli_fail(
			w->c, CLI_EXIT_USAGE, "wait: not a duration: '%s'", timeout);
	if (timeout && usec < USEC_INFINITY - wait_now_usec())
		w->deadline_usec = wait_now_usec() + usec;
	return 0;
}

/* 0, or the exit code */
static int wait_selected(struct wait *w, struct selection *sel)
{
	size_t n;
	int r;

	r = cli_connect_for(w->c, &w->client, sel);
	if (r == 0 && wait_until_is(w, "empty"))
		r = check_pool(w);
	if (r != 0)
		return r;
	w->ranges_max = sel->ranges_max;
	if (selection_is_absent(sel))
		return wait_chunk(w, json_null());
	n = selection_n_chunks(sel);
	if (w->until &&
		n > 1) /* one call after the other would see the first end late */
		return cli_fail(w->c, CLI_EXIT_REFUSED,
			"wait: too many ids that are not in a row (at most %zu ranges)",
			sel->ranges_max);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = wait_chunk(w, selection_json(sel, i));
	return r;
}

int cmd_wait(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_json_ json_t *jobs = c->json ? json_array() : NULL;
	struct wait w = {.c = c, .deadline_usec = USEC_INFINITY, .jobs = jobs};
	int r;

	progress_init(&w.progress, c);
	r = read_timeout(&w);
	if (r == 0)
		r = read_until(&w);
	if (r == 0)
		r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r != 0)
		return r;
	w.must_match = !selection_is_absent(&sel) && !options_has(&c->opts, OPT_ALL) &&
		       !wait_until_is(&w, "empty");
	w.said_why = c->json || options_has(&c->opts, OPT_QUIET); /* not to be told */
	w.patience = w.said_why ? RV_FOREVER : WAIT_PATIENCE;
	r = wait_selected(&w, &sel);
	if (r == 0)
		r = report(&w);
	wait_forget(&w);
	free(w.told);
	client_close(w.client);
	return r;
}
