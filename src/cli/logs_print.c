/* What `logs` prints: pages as they are, lines that are wanted, what was trimmed. */
#include "config.h"

#include "cli/logs_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "cli/cli.h"

enum { LABEL_MAX = 112 };

/* the name of a service, or of its instance; "" */
static const char *label_of(const struct logs *l, int64_t id)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, id);
	return json_str(l->lo->labels, text);
}

/* "web.1: ", "job 7: ": which of several a note is about; "" of one */
static const char *about(const struct logs *l, char *buf, size_t size)
{
	const char *label = label_of(l, l->id);

	buf[0] = '\0';
	if (l->many && *label)
		snprintf(buf, size, "%s: ", label);
	else if (l->many)
		snprintf(buf, size, "job %" PRId64 ": ", l->id);
	return buf;
}

void logs_print_heading(struct logs *l)
{
	const char *label = label_of(l, l->heading);

	if (l->heading > 0 && !l->c->json)
		printf("%s==> %s%sjob %" PRId64 " <==\n", l->n_shown > 0 ? "\n" : "",
			label, *label ? ", " : "", l->heading);
	l->n_shown += l->heading > 0;
	l->heading = 0;
}

int logs_print_line(FILE *f, const struct log_line *line, int64_t id, const char *name)
{
	_cleanup_json_ json_t *o = NULL;
	_cleanup_free_ char *text = malloc(base64_encoded_len(line->n + 1) + 1);
	_cleanup_free_ char *bytes = malloc(line->n + 1);

	if (!text || !bytes)
		return -ENOMEM;
	memcpy(bytes, line->text, line->n);
	bytes[line->n] = '\n';
	base64_encode(text, bytes, line->n + line->whole);
	o = json_pack("{s:I, s:s*, s:I, s:s, s:s, s:I}", "id", (json_int_t)id, "name",
		name, "run", (json_int_t)line->run, "stream",
		!line->split                 ? "all"
		: line->stream == LOG_STDERR ? "stderr"
					     : "stdout",
		"data_b64", text, "offset", (json_int_t)line->offset);
	return o ? json_print(f, o, false) : -ENOMEM;
}

int logs_print_wanted(void *arg, const struct log_line *line)
{
	struct logs *l = arg;

	logs_print_heading(l);
	l->n_lines++;
	if (l->c->json)
		return logs_print_line(
			stdout, line, l->id, l->lo->labels ? label_of(l, l->id) : NULL);
	if (fwrite(line->text, 1, line->n, stdout) != line->n || putchar('\n') == EOF)
		return -EIO;
	return 0;
}

int logs_look_at_line(void *arg, const struct log_line *line)
{
	struct logs *l = arg;

	if (!log_filter_wants(&l->lo->filter, &l->seen, line))
		return 0;
	return l->tailing ? log_tail_put(&l->tail, line) : logs_print_wanted(l, line);
}

static void sum_lost(struct logs *l, const struct log_chunk *chunk)
{
	l->lost += chunk->lost;
	if (l->n_lost_runs > 0 && chunk->run == l->last_lost_run)
		return;
	if (l->n_lost_runs++ == 0)
		l->first_lost_run = chunk->run;
	l->last_lost_run = chunk->run;
}

void logs_tell_lost(struct logs *l)
{
	char name[LABEL_MAX];

	about(l, name, sizeof(name));
	if (l->n_lost_runs == 1)
		cli_note(l->c,
			"%s%" PRId64 " bytes of run %" PRId64
			" were trimmed (output-max, output-total-max)",
			name, l->lost, l->first_lost_run);
	else if (l->n_lost_runs > 1)
		cli_note(l->c,
			"%s%" PRId64 " bytes of %zu runs, %" PRId64 " to %" PRId64
			", were trimmed (output-max, output-total-max)",
			name, l->lost, l->n_lost_runs, l->first_lost_run,
			l->last_lost_run);
	l->lost = 0;
	l->n_lost_runs = 0;
}

static int print_chunk(
	struct logs *l, const struct log_chunk *chunk, const json_t *page)
{
	_cleanup_json_ json_t *copy = NULL;
	size_t n = chunk->n - chunk->cut;
	char name[LABEL_MAX];

	if (chunk->n > 0 && n == 0)
		return 0;
	if (l->c->json && !l->by_line) {
		copy = log_chunk_json(chunk, page);
		if (copy && l->lo->labels &&
			json_put(copy, "name", json_string(label_of(l, l->id))) < 0)
			return -ENOMEM;
		return copy ? json_print(stdout, copy, false) : -ENOMEM;
	}
	if (chunk->lost > 0 && l->mid_line && !l->c->json)
		putchar('\n'); /* what follows is not the rest of that line */
	if (chunk->lost > 0 && l->summing)
		sum_lost(l, chunk);
	else if (chunk->lost > 0)
		cli_note(l->c,
			"%s%" PRId64 " bytes before this were trimmed "
			"(output-max, output-total-max)",
			about(l, name, sizeof(name)), chunk->lost);
	if (l->by_line)
		return log_lines_feed(&l->lines, chunk, logs_look_at_line, l);
	if (n > 0)
		l->mid_line = chunk->data[chunk->n - 1] != '\n';
	return fwrite(chunk->data + chunk->cut, 1, n, stdout) == n ? 0 : -EIO;
}

int logs_print_page(struct logs *l, const json_t *page)
{
	struct log_chunk chunk;
	int r = log_place_take(&l->place, &chunk, page);

	if (r < 0)
		return r;
	r = print_chunk(l, &chunk, page);
	free(chunk.data);
	return r;
}
