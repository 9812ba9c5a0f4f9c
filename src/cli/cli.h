/*
 * What every verb works with: the parsed command line, which daemon is meant, and how
 * results and errors are told.
 *
 * A verb is a function that gets a struct cli and returns the exit code (exit.h).
 * Errors are printed where they happen, by cli_fail and its kin, which return the code:
 * so `return cli_fail(...)` is how a verb ends badly.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>

#include "cli/connect.h"
#include "cli/exit.h"
#include "cli/json.h"
#include "cli/options.h"

struct command;
struct client;
struct selection;

struct cli {
	const struct command *command;
	struct options opts;
	struct target target; /* which daemon, and why that one */
	bool json;
	bool color_out; /* colours on stdout */
	bool out_is_tty, err_is_tty;
	int64_t now_usec; /* wall clock when the program began */
	/* a verb whose own failures must not look like its job's: `run` */
	int failure_code; /* 0: as exit.h says */
};

/* somebody listens, but does not take us in */
#define CLI_CONNECT_TIMEOUT RV_SEC(10)

/* all but the text of fmt in one line on stderr, or one JSON object with --json.
 * Returns the exit code. */
int cli_fail(const struct cli *c, int code, const char *fmt, ...) PRINTF(3, 4);
/* the same with just that code: of `run`, which answers with its job's */
int cli_fail_with(const struct cli *c, int code, const char *fmt, ...) PRINTF(3, 4);
/* for negative errors of this side: what, then the error's text */
int cli_fail_errno(const struct cli *c, int err, const char *fmt, ...) PRINTF(3, 4);
/* an error that the daemon answered with */
int cli_fail_reply(const struct cli *c, const char *error, const json_t *params);
/* the connection broke in the middle of a call */
int cli_fail_lost(const struct cli *c, int err);
/* stdout does not take what is written: told here, or, where it says so itself, once
 * when it is closed */
int cli_fail_write(const struct cli *c, int err);
/* a line for people that is no error; nothing with --json */
void cli_note(const struct cli *c, const char *fmt, ...) PRINTF(2, 3);

/**
 * Connect to the daemon, starting one where the verb may. On failure the error is
 * printed.
 *
 * Returns 0 and *ret, or the exit code (> 0).
 */
int cli_connect(const struct cli *c, struct client **ret);

/* The same, and the selection is divided into calls that this daemon takes. */
int cli_connect_for(const struct cli *c, struct client **ret, struct selection *sel);

/* For verbs that make one call: what the command line selects, if it does, is put into the
 * parameters, and we are connected. 0, or the exit code */
int cli_connect_once(
	struct cli *c, struct client **ret, struct selection *sel, json_t *params);

/* A daemon that takes us in only to close again is not waited for endlessly: so often
 * at most, while nothing is heard of it. */
#define CLI_RECONNECTS_MAX 20

/**
 * Connect again after the daemon vanished in the middle; it is given some seconds to come
 * back. Nothing is printed.
 *
 * @client  is closed, and replaced
 * @until   look no longer than until then
 *
 * Returns 0, or what connecting gives.
 */
int cli_reconnect(const struct cli *c, struct client **client, rv_time until);

/**
 * One call, one reply.
 *
 * @params  taken, also on failure; NULL: none
 * @ret     the reply's parameters, owned; may be NULL
 *
 * Returns 0, or the exit code after printing the error.
 */
int cli_call(const struct cli *c, struct client *client, const char *method,
	json_t *params, json_t **ret);

enum select_need {
	SELECT_OPTIONAL, /* nothing said is fine: the verb has a default */
	SELECT_REQUIRED, /* nothing said is a mistake: the verb changes things */
};

/**
 * The selection of the command line ("-" reads stdin). Deinit it in any case.
 *
 * Returns 0, or the exit code after printing the error: 2 where nothing was said and it
 * is required, 3 where something was said that holds nothing.
 */
int cli_select(const struct cli *c, struct selection *ret, enum select_need need);

/* bytes for how a job ended; reasons are shorter than 1 KiB (daemon/job.h) */
#define CLI_OUTCOME_MAX 1200
/* how a finished job ended: "succeeded", "failed, exit 7", "failed, signal SIGSEGV" */
char *cli_job_outcome(char *buf, size_t size, const json_t *job);

#endif
