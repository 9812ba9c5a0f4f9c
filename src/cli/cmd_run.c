/* `run`: submit a job and be it: its output, its stdin, its exit code. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/job_end.h"
#include "cli/run_follow.h"
#include "cli/run_input.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "client/client.h"

/* What people have to be told of an end; `quiet` leaves the hint away. */
static void tell_end(const struct cli *c, const json_t *job, const struct job_end *end,
	const struct job_end_text *text, bool quiet)
{
	char outcome[CLI_OUTCOME_MAX];
	int64_t id = json_int(job, "id", 0);

	if (STREQ(end->result, "succeeded"))
		return;
	cli_job_outcome(outcome, sizeof(outcome), job);
	if (c->json) { /* an exit code that is not 0 has its error, whatever it is */
		cli_fail_with(c, exit_code_of_job(end), "job %" PRId64 " %s%s", id,
			text->start_failure ? "was not started: " : "",
			text->start_failure ? text->start_failure : outcome);
		return;
	}
	if (text->start_failure) {
		cli_note(c, "job %" PRId64 " was not started: %s", id,
			text->start_failure);
		return;
	}
	/* its exit code says nothing: so a line does, also for scripts */
	if (STREQ(end->result, "lost") || STREQ(end->result, "skipped"))
		cli_note(c, "job %" PRId64 " %s", id, outcome);
	else if (c->err_is_tty && !quiet)
		cli_note(c,
			"job %" PRId64 " %s: reeve logs %" PRId64
			", reeve retry %" PRId64,
			id, outcome, id, id);
}

static int judge(const struct cli *c, const struct follow_result *res, bool quiet)
{
	_cleanup_(job_end_text_deinit) struct job_end_text text = {0};
	struct job_end end;
	int r;

	r = job_end_read(&end, &text, c, res->job);
	if (r < 0)
		return cli_fail_errno(c, r, "cannot tell how the job ended");
	if (c->json && json_print(stdout, res->job, false) < 0)
		return cli_fail_write(c, -EIO);
	if (!c->json || res->lost_bytes == 0) /* one error there, and not two */
		tell_end(c, res->job, &end, &text, quiet);
	if (res->lost_bytes > 0)
		return cli_fail(c, CLI_EXIT_RUN_FAILED,
			"%" PRId64
			" bytes of output were trimmed (output-max, output-total-max) "
			"before they could be shown; the job %s",
			res->lost_bytes, end.result);
	return exit_code_of_job(&end);
}

static int follow(struct cli *c, struct client *client, int64_t id, int signal_fd)
{
	bool quiet = options_has(&c->opts, OPT_QUIET);
	struct follow_result res = {0};
	int r;

	r = follow_job(&res, c, client, id, signal_fd, quiet);
	if (r == FOLLOW_OUTPUT_CLOSED)
		return cli_fail_with(c, 128 + SIGPIPE,
			"the output is closed; job %" PRId64 " goes on", id);
	if (r == FOLLOW_OUTPUT_FAILED)
		return cli_fail(c, CLI_EXIT_RUN_FAILED,
			"cannot write the output: %s; job %" PRId64 " goes on",
			rv_strerror(res.write_error), id);
	if (r == -ENOTCONN)
		return cli_fail(c, CLI_EXIT_RUN_FAILED,
			"the daemon is gone; what becomes of job %" PRId64
			" will be seen with `reeve show %" PRId64 "`",
			id, id);
	if (r == -ECANCELED) {
		r = cli_fail_reply(c, res.error, res.error_params);
		free(res.error);
		json_decref(res.error_params);
		return r;
	}
	if (r == -ESRCH)
		return cli_fail(
			c, CLI_EXIT_RUN_FAILED, "job %" PRId64 " was removed", id);
	if (r < 0)
		return cli_fail_errno(c, r, "cannot follow job %" PRId64, id);
	r = judge(c, &res, quiet);
	json_decref(res.job);
	return r;
}

int cmd_run(struct cli *c)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	_cleanup_(client_closep) struct client *client = NULL;
	_cleanup_close_ int signal_fd = -1;
	_cleanup_free_ char *err = NULL;
	int64_t id;
	int r;

	c->failure_code = CLI_EXIT_RUN_FAILED;
	r = submit_spec(&s, c, &err);
	if (r == 0)
		r = submit_command(&s, c, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	r = cli_connect(c, &client);
	if (r == 0)
		r = run_input_spool(c, &client, &s, STDIN_FILENO);
	if (r != 0)
		return r;
	signal_fd = follow_catch_interrupts();
	if (signal_fd < 0)
		return cli_fail_errno(c, signal_fd, "cannot catch signals");
	r = submit_one(c, &client, &s, true, &id);
	return r != 0 ? r : follow(c, TAKE_PTR(client), id, signal_fd);
}
