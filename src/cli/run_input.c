#include "config.h"

#include "cli/run_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/limits.h"
#include "cli/spec_json.h"
#include "cli/text.h"

#define PATIENCE_MS 1000

static bool has_nothing_to_read(int fd)
{
	struct stat st;

	if (isatty(fd) || fstat(fd, &st) < 0)
		return true;
	return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3); /* /dev/null */
}

/* what a call of so many bytes can hold, as base64 */
static size_t piece_of(size_t message_max)
{
	return MIN(RUN_INPUT_CHUNK, (message_max - LIMITS_CALL_BYTES) / 4 * 3);
}

/* Whole chunks, so that a pipe of small writes makes no call for each. Bytes, 0 at the
 * end, -errno. */
static ssize_t read_chunk(
	const struct cli *c, int fd, char *chunk, size_t size, bool *told)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t n = 0;
	ssize_t got;

	while (n < size) {
		if (poll(&p, 1, *told ? -1 : PATIENCE_MS) == 0) {
			*told = true;
			cli_note(c, "reading standard input for the job "
				    "(--stdin null passes none)");
			continue;
		}
		got = read(fd, chunk + n, size - n);
		if (got == 0)
			break;
		if (got > 0)
			n += (size_t)got;
		else if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return (ssize_t)n;
}

/* One PutInput; *name is its input from then on. 0, or the exit code */
static int put(const struct cli *c, struct client *client, char **name,
	const char *chunk, size_t n, bool last)
{
	_cleanup_free_ char *text = malloc(base64_encoded_len(n) + 1);
	_cleanup_json_ json_t *reply = NULL;
	json_t *params;
	int r;

	if (!text)
		return cli_fail_errno(c, -ENOMEM, "cannot pass standard input on");
	base64_encode(text, chunk, n);
	params = json_pack("{s:s, s:b}", "data_b64", text, "last", (int)last);
	if (params && *name && json_put(params, "input", json_string(*name)) < 0) {
		json_decref(params);
		params = NULL;
	}
	if (!params)
		return cli_fail_errno(c, -ENOMEM, "cannot pass standard input on");
	r = cli_call(c, client, "io.reeve.Job.PutInput", params, &reply);
	if (r != 0)
		return r;
	if (!*name)
		*name = strdup(json_str(reply, "input"));
	return 0;
}

/* The first piece: no call is made for a short one, for a longer one the daemon is asked how
 * long pieces may be. Bytes, and -1 after printing the error with the exit code in *code */
static ssize_t read_first(const struct cli *c, struct client **client, int fd,
	char *chunk, size_t *piece, bool *told, int *code)
{
	size_t least = piece_of(LIMITS_MESSAGE_MIN);
	struct limits limits;
	ssize_t n, more = 0;

	*piece = least;
	n = read_chunk(c, fd, chunk, least, told);
	if (n == (ssize_t)least) {
		*code = limits_ask(c, client, &limits);
		if (*code != 0)
			return -1;
		*piece = piece_of(limits.message_max);
		more = read_chunk(c, fd, chunk + n, *piece - least, told);
	}
	if (n >= 0 && more >= 0)
		return n + more;
	*code = cli_fail_errno(
		c, (int)(n < 0 ? n : more), "cannot read standard input");
	return -1;
}

/* All of it, in calls. *name stays NULL where there was nothing. 0, or the exit code */
static int spool(const struct cli *c, struct client **client, int fd, char **name)
{
	_cleanup_free_ char *chunk = malloc(RUN_INPUT_CHUNK);
	bool told = false;
	size_t piece;
	ssize_t n;
	int r = 0;

	if (!chunk)
		return cli_fail_errno(c, -ENOMEM, "cannot pass standard input on");
	n = read_first(c, client, fd, chunk, &piece, &told, &r);
	while (r == 0 && (n > 0 || *name)) {
		r = put(c, *client, name, chunk, (size_t)n, (size_t)n < piece);
		if (r != 0 || (size_t)n < piece)
			break;
		n = read_chunk(c, fd, chunk, piece, &told);
		if (n < 0)
			return cli_fail_errno(c, (int)n, "cannot read standard input");
	}
	return r;
}

int run_input_spool(
	const struct cli *c, struct client **client, struct job_spec *s, int fd)
{
	_cleanup_free_ char *name = NULL, *value = NULL, *err = NULL;
	int r;

	if (job_spec_has(s, JOB_FIELD_STDIN) || job_num(s, STDIN_OPEN) ||
		has_nothing_to_read(fd))
		return 0;
	r = spool(c, client, fd, &name);
	if (r != 0 || !name)
		return r;
	value = text_printf("input:%s", name);
	if (!value || spec_put_str(s, JOB_FIELD_STDIN, value, &err) < 0)
		return cli_fail(c, CLI_EXIT_REFUSED, "cannot pass standard input on");
	return 0;
}
