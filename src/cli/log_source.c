#include "config.h"

#include "cli/log_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/logs.h"
#include "cli/select.h"
#include "client/client.h"

enum {
	PAGES_PER_TURN = 4, /* then it is the next one's turn */
	PAD_MAX = 32,       /* names are made as wide as the widest, up to this */
};

static const char *const colors[] = {
	"36", "33", "32", "35", "34", "96", "93", "92", "95", "94"};

/* everything from the beginning */
static void reset(struct log_source *s)
{
	const struct log_options *lo = s->view->lo;

	s->place = (struct log_place){.next = {-1, -1}};
	log_lines_deinit(&s->lines);
	s->lines = (struct log_lines){.run = 0};
	s->seen = (struct log_filter_state){.run = 0};
	log_tail_deinit(&s->tail);
	log_tail_init(&s->tail, MAX(lo->lines, INT64_C(0)));
	s->tailing = lo->lines >= 0 && log_filter_is_set(&lo->filter);
}

void log_source_set_label(struct log_source *s, const char *label)
{
	snprintf(s->label, sizeof(s->label), "%s", label);
	s->view->width =
		MAX(s->view->width, (int)MIN(strlen(s->label), (size_t)PAD_MAX));
}

struct log_source *log_source_new(struct log_view *view, int64_t id, const char *label)
{
	struct log_source *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->view = view;
	s->id = id;
	s->color = colors[view->n_colors++ % ARRAY_LEN(colors)];
	log_tail_init(&s->tail, 0);
	reset(s);
	log_source_set_label(s, label);
	return s;
}

void log_source_free(struct log_source *s)
{
	client_close(s->client);
	log_lines_deinit(&s->lines);
	log_tail_deinit(&s->tail);
	free(s);
}

/* ---- printing -------------------------------------------------------------------------------- */

static int print_name(const struct log_source *s)
{
	const struct log_view *v = s->view;

	if (!v->named)
		return 0;
	if (v->c->color_out)
		return printf("\033[%sm%-*s |\033[0m ", s->color, v->width, s->label);
	return printf("%-*s | ", v->width, s->label);
}

/* log_line_fn: one that is wanted */
static int print_line(void *arg, const struct log_line *line)
{
	struct log_source *s = arg;

	s->view->n_lines++;
	if (s->view->c->json)
		return logs_print_line(stdout, line, s->id, s->label);
	if (print_name(s) < 0 || fwrite(line->text, 1, line->n, stdout) != line->n ||
		putchar('\n') == EOF)
		return -EIO;
	return 0;
}

/* log_line_fn */
static int look_at_line(void *arg, const struct log_line *line)
{
	struct log_source *s = arg;

	if (!log_filter_wants(&s->view->lo->filter, &s->seen, line))
		return 0;
	return s->tailing ? log_tail_put(&s->tail, line) : print_line(s, line);
}

static int print_chunk(
	struct log_source *s, const struct log_chunk *chunk, const json_t *page)
{
	_cleanup_json_ json_t *copy = NULL;

	if (chunk->n > 0 && chunk->cut == chunk->n)
		return 0;
	if (s->view->c->json && !log_filter_is_set(&s->view->lo->filter)) {
		copy = log_chunk_json(chunk, page);
		if (!copy || json_put(copy, "name", json_string(s->label)) < 0)
			return -ENOMEM;
		return json_print(stdout, copy, false);
	}
	if (chunk->lost > 0)
		cli_note(s->view->c,
			"%s: %" PRId64 " bytes before this were trimmed "
			"(output-max, output-total-max)",
			s->label, chunk->lost);
	return log_lines_feed(&s->lines, chunk, look_at_line, s);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* ask for what follows where it is. 0, negative */
static int source_call(struct log_source *s)
{
	_cleanup_json_ json_t *params = NULL, *select = selection_of_id(s->id);
	int r = log_place_params(&s->place, &params, s->view->lo->params, select);

	if (r == 0 && !s->tailing)
		r = json_put(params, "follow", json_true());
	s->more = true;
	return r < 0 ? r
		     : client_start(s->client, "io.reeve.Job.Logs", params, true,
			       RV_FOREVER);
}

/* 0, or the exit code */
static int begin_or_fail(struct log_source *s)
{
	int r = source_call(s);

	/* one that broke at once is found so when it is read */
	return r < 0 && r != -ECONNRESET ? cli_fail_lost(s->view->c, r) : 0;
}

int log_source_begin(struct log_source *s)
{
	int r = cli_connect(s->view->c, &s->client);

	return r == 0 ? begin_or_fail(s) : r;
}

int log_source_begin_next(struct log_source *s)
{
	s->over = false;
	s->place.resumed_run = s->place.at_run + 1;
	log_place_begin_run(&s->place, s->place.resumed_run);
	return log_source_begin(s);
}

int log_reconnect(const struct cli *c, struct client **client, unsigned *n_reconnects)
{
	if ((*n_reconnects)++ < CLI_RECONNECTS_MAX &&
		cli_reconnect(c, client, RV_FOREVER) == 0)
		return 0;
	return cli_fail(c, CLI_EXIT_NO_DAEMON,
		"the daemon is gone and did not come back; the output so far is shown");
}

/* The connection broke: on where it was. 0, or the exit code */
static int source_go_on(struct log_source *s)
{
	int r;

	if (s->tailing)
		reset(s); /* nothing of it was shown yet */
	else
		s->place.resumed_run = s->place.at_run;
	do {
		r = log_reconnect(s->view->c, &s->client, &s->n_reconnects);
		if (r != 0)
			return r;
		r = source_call(s);
	} while (r == -ECONNRESET);
	return r < 0 ? cli_fail_lost(s->view->c, r) : 0;
}

/* 0, negative */
static int source_stop(struct log_source *s)
{
	s->client = client_close(s->client);
	s->more = false;
	return log_lines_end(&s->lines, look_at_line, s);
}

/* The call has ended, and with it the job, or what there was at first. 0, negative */
static int source_call_ended(struct log_source *s)
{
	int r;

	if (s->tailing) {
		s->tailing = false;
		s->place.resumed_run = s->place.at_run;
		r = log_tail_tell(&s->tail, print_line, s);
		return r < 0 ? r : source_call(s);
	}
	if (s->place.resumed_run == 0 || s->view->lo->run > 0 || s->over)
		return source_stop(s);
	log_place_begin_run(&s->place, ++s->place.resumed_run);
	return source_call(s);
}

static int source_take_page(struct log_source *s, const json_t *page)
{
	struct log_chunk chunk;
	int64_t run = json_int(page, "run", 0);
	int r;

	s->n_reconnects = 0;
	s->over = s->place.resumed_run > 0 && run != s->place.resumed_run;
	if (s->over)
		return 0;
	r = log_place_take(&s->place, &chunk, page);
	if (r < 0)
		return r;
	r = print_chunk(s, &chunk, page);
	free(chunk.data);
	return r;
}

/* a reply; 0, negative */
static int take_reply(
	struct log_source *s, const struct client_message *msg, int *ret_failed)
{
	int r;

	if (msg->error) {
		*ret_failed = cli_fail_reply(s->view->c, msg->error, msg->params);
		return source_stop(s);
	}
	r = source_take_page(s, msg->params);
	return r == 0 && !msg->continues ? source_call_ended(s) : r;
}

static int read_some(struct log_source *s, int *ret_failed)
{
	for (int i = 0; i < PAGES_PER_TURN && s->client; i++) {
		struct client_message msg;
		int r = client_next(s->client, &msg, 0);

		if (r <= 0) {
			s->more = false;
			return r;
		}
		r = take_reply(s, &msg, ret_failed);
		client_message_deinit(&msg);
		if (r < 0)
			return r;
	}
	s->more = s->client != NULL;
	return 0;
}

int log_source_read(struct log_source *s, int *ret_failed)
{
	int r = read_some(s, ret_failed);

	if (r == 0)
		return 0;
	if (r == -ECONNRESET)
		return source_go_on(s);
	if (r == -EIO)
		return cli_fail_write(s->view->c, r);
	if (r == -ENOMEM || r == -EINVAL)
		return cli_fail_errno(s->view->c, r, "logs");
	return cli_fail_lost(s->view->c, r);
}
