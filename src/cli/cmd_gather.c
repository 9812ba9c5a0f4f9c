/* `gather`: submit jobs, wait for all of them, show their output in the order given. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each.h"
#include "cli/gather.h"
#include "cli/run_follow.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"

/* ---- where the jobs come from ------------------------------------------------------------ */

struct argument_source {
	struct batch_source src;
	char *const *args;
	size_t n;
};

static int next_argument(struct batch_source *src, struct job_spec *ret,
	const struct job_spec *defaults, char **err)
{
	struct argument_source *a = CONTAINER_OF(src, struct argument_source, src);
	_cleanup_free_ char *why = NULL;
	enum job_field field;
	int r;

	job_spec_init(ret);
	if (src->no == a->n)
		return 0;
	r = spec_copy(ret, defaults);
	if (r == 0)
		r = spec_put_str(
			ret, JOB_FIELD_SHELL_COMMAND, a->args[src->no++], &why);
	if (r == 0)
		r = job_spec_check(ret, &field, &why);
	if (r == -EINVAL) {
		*err = text_printf("%s %" PRIu64 ": %s", src->what, src->no,
			why ? why : "not a job");
		return *err ? -EINVAL : -ENOMEM;
	}
	return r < 0 ? r : 1;
}

static int submit_each(
	struct gather *g, struct client **client, const struct job_spec *defaults)
{
	const struct options *o = &g->c->opts;
	_cleanup_(each_deinit) struct each e;
	_cleanup_free_ char *err = NULL;
	int r;

	r = each_init(&e, o->args, o->n_args,
		job_spec_has(defaults, JOB_FIELD_SHELL_COMMAND)
			? job_str(defaults, SHELL_COMMAND)
			: NULL,
		STDIN_FILENO, g->signal_fd, options_has(o, OPT_NUL), &err);
	if (r < 0)
		return cli_fail(
			g->c, CLI_EXIT_USAGE, "gather: %s", err ? err : rv_strerror(r));
	return batch_submit_from(g->c, client, &e.src, defaults, gather_take_ids, g);
}

static int submit(
	struct gather *g, struct client **client, const struct job_spec *defaults)
{
	const struct options *o = &g->c->opts;
	struct argument_source a = {
		.src = {.next = next_argument, .what = "command"},
		.args = o->args,
		.n = o->n_args,
	};

	if (options_has(o, OPT_EACH))
		return submit_each(g, client, defaults);
	if (o->n_args == 1 && STREQ(o->args[0], "-") && !o->dash_dash)
		return batch_submit(g->c, client, STDIN_FILENO, g->signal_fd, defaults,
			gather_take_ids, g);
	return batch_submit_from(g->c, client, &a.src, defaults, gather_take_ids, g);
}

/* ---- the end ------------------------------------------------------------------------------- */

/* What follows from how all of them ended. */
static int judge(const struct gather *g)
{
	const struct cli *c = g->c;
	size_t n_failed = g->n - g->n_succeeded - g->n_cancelled;

	if (g->lost_bytes > 0 || g->n_unshown > 0)
		return cli_fail(c, CLI_EXIT_RUN_FAILED,
			"output is missing: %" PRId64
			" bytes were trimmed (output-max, output-total-max), and %zu "
			"job%s removed, before it could be shown",
			g->lost_bytes, g->n_unshown,
			g->n_unshown == 1 ? " was" : "s were");
	if (g->n_succeeded == g->n)
		return CLI_EXIT_OK;
	if (c->json || !options_has(&c->opts, OPT_QUIET))
		cli_fail(c,
			g->n_interrupts > 0 ? CLI_EXIT_RUN_CANCELLED : CLI_EXIT_SOME,
			"of %zu job%s %zu succeeded, %zu failed, %zu cancelled", g->n,
			text_plural((int64_t)g->n), g->n_succeeded, n_failed,
			g->n_cancelled);
	return g->n_interrupts > 0 ? CLI_EXIT_RUN_CANCELLED : CLI_EXIT_SOME;
}

static int follow(struct gather *g, struct client *client)
{
	const struct cli *c = g->c;
	int code = CLI_EXIT_SOME;
	int r = gather_follow(g, client, &code);

	if (g->write_error == -EPIPE)
		return cli_fail(
			c, 128 + SIGPIPE, "the output is closed; the jobs go on");
	if (g->write_error < 0)
		return cli_fail(c, CLI_EXIT_RUN_FAILED,
			"cannot write the output: %s; the jobs go on",
			rv_strerror(g->write_error));
	if (r == -ENOTCONN)
		return cli_fail(c, CLI_EXIT_NO_DAEMON,
			"the daemon is gone and did not come back; the jobs are "
			"%" PRIu64 " to %" PRIu64,
			g->jobs[0].id, g->jobs[g->n - 1].id);
	if (r == -ECANCELED)
		return code;
	return r < 0 ? cli_fail_lost(c, r) : judge(g);
}

/* Of what could not be submitted whole nothing is to go on. */
static int give_up(struct gather *g, struct client *client, int code)
{
	struct pollfd fd = {.fd = g->signal_fd, .events = POLLIN};

	client_close(client);
	if (g->n > 0)
		gather_cancel(g);
	if (g->n > 0 && !options_has(&g->c->opts, OPT_QUIET))
		cli_note(g->c, "they are cancelled");
	return poll(&fd, 1, 0) > 0 ? CLI_EXIT_RUN_CANCELLED : code;
}

static int check_options(const struct cli *c)
{
	const struct options *o = &c->opts;
	bool each = options_has(o, OPT_EACH);

	if (!each && options_has(o, OPT_NUL))
		return cli_fail(c, CLI_EXIT_USAGE, "gather: -0 needs --each");
	if (!each && o->n_args == 0)
		return cli_fail(c, CLI_EXIT_USAGE,
			"gather: which commands? Give one as each argument, or - for "
			"lines of standard input");
	if (!each && (job_spec_has(&o->spec, JOB_FIELD_SHELL_COMMAND) ||
			     job_spec_has(&o->spec, JOB_FIELD_FUNCTION)))
		return cli_fail(c, CLI_EXIT_USAGE,
			"gather: the arguments are the commands, without -c");
	return 0;
}

int cmd_gather(struct cli *c)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	_cleanup_(gather_deinit) struct gather g = {
		.c = c,
		.keep_going = options_has(&c->opts, OPT_KEEP_GOING),
		.no_output = options_has(&c->opts, OPT_NO_OUTPUT),
	};
	struct client *client = NULL;
	_cleanup_close_ int signal_fd = -1;
	_cleanup_free_ char *err = NULL;
	int r;

	r = submit_spec(&s, c, &err);
	if (r == 0 && !job_spec_has(&s, JOB_FIELD_SPLIT_OUTPUT) &&
		STREQ(job_str(&s, OUTPUT), "file"))
		r = spec_put_num(&s, JOB_FIELD_SPLIT_OUTPUT, 1);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	r = check_options(c);
	if (r == 0)
		r = cli_connect(c, &client);
	if (r != 0)
		return r;
	g.signal_fd = signal_fd = follow_catch_interrupts();
	r = signal_fd < 0 ? cli_fail_errno(c, signal_fd, "cannot catch signals")
			  : submit(&g, &client, &s);
	if (r != 0)
		return give_up(&g, client, r);
	if (g.n == 0) {
		client_close(client);
		return cli_fail(c, CLI_EXIT_NOTHING, "gather: no commands");
	}
	return follow(&g, client);
}
