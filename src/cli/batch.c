#include "config.h"

#include "cli/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/json.h"
#include "cli/spec_json.h"
#include "cli/text.h"
#include "job/deps.h"

#define CHUNK_BYTES 65536

void batch_reader_init(
	struct batch_reader *b, int fd, int interrupt_fd, size_t line_max_bytes)
{
	*b = (struct batch_reader){
		.fd = fd,
		.interrupt_fd = interrupt_fd,
		.what = "line",
		.end = '\n',
		.line_max_bytes = line_max_bytes,
	};
}

void batch_reader_deinit(struct batch_reader *b)
{
	buf_deinit(&b->line);
	free(TAKE_PTR(b->chunk));
}

/* ---- bytes ---------------------------------------------------------------------------- */

/* Wait until it can be read. 1; 0 not in time; -ECANCELED, -errno */
static int wait_readable(const struct batch_reader *b, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = b->fd, .events = POLLIN},
		{.fd = b->interrupt_fd, .events = POLLIN}};

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), timeout_ms) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			return -ECANCELED;
		if (fds[0].revents)
			return 1;
		if (timeout_ms == 0)
			return 0;
	}
}

/* More behind what is in the chunk, where there is room. 1, 0 at the end; -EAGAIN: there is
 * nothing after all; -errno */
static int read_more(struct batch_reader *b)
{
	ssize_t n;

	if (!b->chunk && !(b->chunk = malloc(CHUNK_BYTES)))
		return -ENOMEM;
	if (b->chunk_at > 0) {
		memmove(b->chunk, b->chunk + b->chunk_at, b->chunk_n);
		b->chunk_at = 0;
	}
	do {
		n = read(b->fd, b->chunk + b->chunk_n, CHUNK_BYTES - b->chunk_n);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	b->at_end = n == 0;
	b->chunk_n += (size_t)n;
	return n > 0;
}

bool batch_reader_is_ready(struct batch_reader *b)
{
	int r = 1;

	while (r > 0 && !b->at_end && b->chunk_n < CHUNK_BYTES &&
		!(b->chunk_n && memchr(b->chunk + b->chunk_at, b->end, b->chunk_n))) {
		r = wait_readable(b, 0);
		if (r > 0)
			r = read_more(b);
		else if (r == 0)
			return false;
	}
	return r != -EAGAIN; /* an error comes when it is read */
}

/* 1 with the next byte, 0 at the end, -errno */
static int next_byte(struct batch_reader *b, char *ret)
{
	int r;

	while (b->chunk_n == 0) {
		if (b->at_end)
			return 0;
		r = wait_readable(b, -1);
		if (r > 0)
			r = read_more(b);
		if (r < 0 && r != -EAGAIN)
			return r;
	}
	*ret = b->chunk[b->chunk_at++];
	b->chunk_n--;
	return 1;
}

/* ---- lines ---------------------------------------------------------------------------- */

static int refuse_line(const struct batch_reader *b, const char *why, char **err)
{
	*err = text_printf("%s %" PRIu64 ": %s", b->what, b->line_no, why);
	return -EINVAL;
}

static int refuse_long(const struct batch_reader *b, char **err)
{
	refuse_line(b, "longer than a job can be", err);
	return -EMSGSIZE;
}

/* Not getline: it would take memory for a line without end. */
int batch_read(struct batch_reader *b, char **err)
{
	char why[128], c;
	int r;

	buf_clear(&b->line);
	b->line_no++;
	while ((r = next_byte(b, &c)) > 0 && c != b->end) {
		if (buf_len(&b->line) >= b->line_max_bytes)
			return refuse_long(b, err);
		if (c == '\0')
			return refuse_line(b, "a NUL byte", err);
		if (buf_append_byte(&b->line, c) < 0)
			return -ENOMEM;
	}
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		snprintf(why, sizeof(why), "cannot be read: %s", strerror(-r));
		return refuse_line(b, why, err);
	}
	if (r == 0 && buf_len(&b->line) == 0)
		return 0;
	return buf_append_byte(&b->line, '\0') < 0 ? -ENOMEM : 1;
}

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t\r");
}

static bool is_object(const char *line)
{
	if (*line != '{')
		return false;
	line = skip_space(line + 1);
	return *line == '"' || *line == '}';
}

static int spec_from_line(struct job_spec *s, const char *line, char **why)
{
	_cleanup_json_ json_t *obj = NULL;
	json_error_t error;

	if (!is_object(line))
		return spec_put_str(s, JOB_FIELD_SHELL_COMMAND, line, why);
	obj = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!obj) {
		*why = text_printf("not JSON: %s, column %d", error.text, error.column);
		return -EINVAL;
	}
	return spec_from_json(s, obj, why);
}

int batch_next(struct batch_reader *b, struct job_spec *ret,
	const struct job_spec *defaults, char **err)
{
	_cleanup_free_ char *why = NULL;
	enum job_field field;
	const char *line;
	int r;

	job_spec_init(ret);
	do {
		r = batch_read(b, err);
		if (r <= 0)
			return r;
		line = skip_space(buf_head(&b->line));
	} while (!*line || *line == '#');

	r = spec_copy(ret, defaults);
	if (r == 0)
		r = spec_from_line(ret, line, &why);
	/* it would count from the beginning of a call, which no line knows */
	for (int k = 0; r == 0 && k < DEP_KIND_N; k++)
		if (dep_list_kinds(ret->v[dep_field[k]].strv) >> DEP_REF_INDEX & 1)
			return refuse_line(
				b, "'#N' is no job here: give it a name", err);
	if (r == 0)
		r = job_spec_says_work(ret) ? job_spec_check(ret, &field, &why)
					    : job_spec_check_options(ret, &field, &why);
	if (r == -EINVAL)
		return refuse_line(b, why ? why : "not a job", err);
	return r < 0 ? r : 1;
}
