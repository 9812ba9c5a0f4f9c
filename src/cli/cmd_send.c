/* `send`: bytes for the stdin of a running job. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/limits.h"
#include "cli/select.h"
#include "cli/text.h"
#include "client/client.h"

/* bytes of one call, which every daemon takes in base64 */
#define PIECE ((LIMITS_MESSAGE_MIN - LIMITS_CALL_BYTES) / 4 * 3)

struct sending {
	struct cli *c;
	struct client *client;
	json_t *select;  /* who gets it; owned */
	int64_t timeout; /* -1: the daemon's */
	int64_t id, run; /* once the daemon has told */
	int64_t sent;    /* bytes, of all calls */
};

static json_t *parameters(const struct sending *s, const char *p, size_t n, bool eof)
{
	_cleanup_free_ char *text = malloc(base64_encoded_len(n) + 1);
	json_t *params;

	if (!text)
		return NULL;
	base64_encode(text, p, n);
	params = json_pack("{s:O, s:s}", "select", s->select, "data_b64", text);
	if (params &&
		((eof && json_put(params, "eof", json_true()) < 0) ||
			(s->timeout >= 0 && json_put(params, "timeout_usec",
						    json_integer(s->timeout)) < 0))) {
		json_decref(params);
		return NULL;
	}
	return params;
}

/* what the daemon says of one call holds for all of them */
static int fail_reply(const struct sending *s, const char *error, json_t *params)
{
	if (json_object_get(params, "sent"))
		(void)json_put(params, "sent",
			json_integer(s->sent + json_int(params, "sent", 0)));
	return cli_fail_reply(s->c, error, params);
}

static int fail_lost(const struct sending *s, int err)
{
	if (s->sent == 0 || exit_code_of_errno(err) != CLI_EXIT_NO_DAEMON)
		return cli_fail_lost(s->c, err);
	return cli_fail(s->c, CLI_EXIT_NO_DAEMON,
		"the daemon closed the connection before it answered; of what was "
		"sent to job %" PRId64 " at least %" PRId64 " bytes went in",
		s->id, s->sent);
}

/* 0, or the exit code */
static int send_piece(struct sending *s, const char *p, size_t n, bool eof)
{
	_cleanup_json_ json_t *params = parameters(s, p, n, eof), *reply = NULL;
	_cleanup_free_ char *error = NULL;
	int r;

	if (!params)
		return cli_fail_errno(s->c, -ENOMEM, "send");
	r = client_call(
		s->client, "io.reeve.Job.Send", params, &reply, &error, RV_FOREVER);
	if (r < 0)
		return fail_lost(s, r);
	if (r > 0)
		return fail_reply(s, error, reply);
	s->sent += json_int(reply, "sent", 0);
	s->run = json_int(reply, "run", 0);
	if (s->id != 0)
		return 0;
	/* a name may be another job's when the next piece comes */
	s->id = json_int(reply, "id", 0);
	json_decref(s->select);
	s->select = selection_of_id(s->id);
	return s->select ? 0 : cli_fail_errno(s->c, -ENOMEM, "send");
}

/* the operands with blanks between them, as echo(1) has it */
static int send_text(struct sending *s, char *const *words, size_t n_words, bool eof)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	size_t at = 0, n;
	int r = 0;

	for (size_t i = 0; i < n_words && r >= 0; i++) {
		r = buf_append_str(&text, i ? " " : "");
		if (r >= 0)
			r = buf_append_str(&text, words[i]);
	}
	if (r >= 0 && !options_has(&s->c->opts, OPT_NO_NEWLINE))
		r = buf_append_str(&text, "\n");
	if (r < 0)
		return cli_fail_errno(s->c, r, "send");
	do {
		n = MIN(buf_len(&text) - at, PIECE);
		r = send_piece(s, n ? buf_head(&text) + at : "", n,
			eof && at + n == buf_len(&text));
		at += n;
	} while (r == 0 && at < buf_len(&text));
	return r;
}

/* As it comes, so that what is typed is sent line by line. */
static int send_input(struct sending *s, int fd, bool eof)
{
	char piece[PIECE];
	ssize_t n;
	int r;

	/* whether it can be sent is said before anything is read */
	r = send_piece(s, "", 0, false);
	while (r == 0) {
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_fail_errno(
				s->c, -errno, "send: cannot read standard input");
		if (n == 0)
			break;
		r = send_piece(s, piece, (size_t)n, false);
	}
	return r == 0 && eof ? send_piece(s, "", 0, true) : r;
}

static int report(const struct sending *s)
{
	_cleanup_json_ json_t *o = NULL;

	if (!s->c->json)
		return CLI_EXIT_OK;
	o = json_pack("{s:I, s:I, s:I}", "id", (json_int_t)s->id, "run",
		(json_int_t)s->run, "sent", (json_int_t)s->sent);
	return o && json_print(stdout, o, false) >= 0
		       ? CLI_EXIT_OK
		       : cli_fail_write(s->c, o ? -EIO : -ENOMEM);
}

/* The first operand is the job, the others are the text. 0, or the exit code */
static int select_job(struct cli *c, struct selection *sel)
{
	size_t n_args = c->opts.n_args;
	int r;

	if (n_args == 0 || STREQ(c->opts.args[0], "-"))
		return cli_fail(c, CLI_EXIT_USAGE,
			"send: to which job? Its id or its name comes first");
	c->opts.n_args = 1;
	r = cli_select(c, sel, SELECT_REQUIRED);
	c->opts.n_args = n_args;
	if (r == 0 && !selection_is_single(sel))
		return cli_fail(c, CLI_EXIT_USAGE, "send: one job, please");
	return r;
}

int cmd_send(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	const char *timeout = options_get(&c->opts, OPT_TIMEOUT);
	bool eof = options_has(&c->opts, OPT_EOF);
	struct sending s = {.c = c, .timeout = -1};
	int r;

	if (timeout && duration_parse(&s.timeout, timeout) < 0)
		return cli_fail(
			c, CLI_EXIT_USAGE, "send: not a duration: '%s'", timeout);
	r = select_job(c, &sel);
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	if (r != 0)
		return r;
	s.client = client;
	s.select = selection_json(&sel, 0);
	if (!s.select)
		return cli_fail_errno(c, -ENOMEM, "send");
	if (c->opts.n_args > 1)
		r = send_text(&s, c->opts.args + 1, c->opts.n_args - 1, eof);
	else
		r = send_input(&s, STDIN_FILENO, eof);
	json_decref(s.select);
	return r != 0 ? r : report(&s);
}
