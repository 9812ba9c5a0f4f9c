/* What `gather` shows of a job that has ended: its output, or with --json an object. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/gather.h"
#include "cli/output.h"
#include "cli/select.h"
#include "client/client.h"
#include "varlink/bytes_field.h"

enum { STDOUT, STDERR, N_STREAMS }; /* what is not split is STDOUT here */

/* one job's output on its way */
struct shown {
	struct gather *g;
	struct buf text[N_STREAMS]; /* with --json: collected */
	int64_t next[N_STREAMS];    /* offset of the first byte that was not taken */
	int64_t lost;
	bool gone; /* with the job */
};

static int write_out(struct gather *g, int fd, const char *p, size_t n)
{
	int r = write_interruptibly(fd, p, n, g->signal_fd, gather_interrupted, g);

	if (r < 0)
		g->write_error = r;
	return r;
}

static int write_text(struct gather *g, const char *text)
{
	return write_out(g, STDOUT_FILENO, text, strlen(text));
}

/* client_reply_fn; of what comes again after a break the first part was taken */
static int take_page(void *arg, const struct client_reply *reply)
{
	struct shown *sh = arg;
	const json_t *b64 = json_object_get(reply->params, "data_b64");
	int s = STREQ(json_str(reply->params, "stream"), "stderr") ? STDERR : STDOUT;
	int64_t offset = json_int(reply->params, "offset", 0), cut;
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	int r;

	if (reply->error) {
		sh->gone = true;
		return 0;
	}
	if (!json_is_string(b64))
		return 0;
	r = base64_decode(&data, &n, json_string_value(b64), json_string_length(b64));
	if (r < 0)
		return r;
	cut = MIN(MAX(sh->next[s] - offset, INT64_C(0)), (int64_t)n);
	if (offset >= sh->next[s])
		sh->lost += json_int(reply->params, "lost_bytes", 0);
	n -= (size_t)cut;
	if (n == 0)
		return 0;
	sh->next[s] = offset + cut + (int64_t)n;
	if (sh->g->c->json)
		return buf_append(&sh->text[s], (const char *)data + cut, n);
	return write_out(sh->g, s == STDERR ? STDERR_FILENO : STDOUT_FILENO,
		(const char *)data + cut, n);
}

/* A daemon that vanishes meanwhile is waited for here, so that nothing is shown twice. */
static int take_output(struct shown *sh, uint64_t id)
{
	struct gather *g = sh->g;
	_cleanup_json_ json_t *params =
		json_pack("{s:o}", "select", selection_of_id((int64_t)id));
	int r;

	if (!params)
		return -ENOMEM;
	for (;;) {
		r = g->control ? client_call_more(g->control, "io.reeve.Job.Logs",
					 params, take_page, sh, RV_FOREVER)
			       : -ECONNRESET;
		if (r != -ECONNRESET || g->write_error != 0)
			return r;
		if (g->n_reconnects++ >= CLI_RECONNECTS_MAX ||
			cli_reconnect(g->c, &g->control, RV_FOREVER) < 0)
			return -ENOTCONN;
	}
}

/* The Job object, with its output; a job that is not there any more is its id. */
static int make_object(struct shown *sh, uint64_t id, json_t **ret)
{
	struct gather *g = sh->g;
	_cleanup_json_ json_t *params = json_pack(
		"{s:o, s:i}", "select", selection_of_id((int64_t)id), "limit", 1);
	_cleanup_json_ json_t *reply = NULL, *job = NULL;
	int r;

	if (!params)
		return -ENOMEM;
	r = client_call(
		g->control, "io.reeve.Job.List", params, &reply, NULL, RV_FOREVER);
	if (r < 0)
		return r;
	job = json_incref(json_array_get(json_object_get(reply, "jobs"), 0));
	if (!job)
		job = json_pack("{s:I, s:n}", "id", (json_int_t)id, "result");
	r = job ? 0 : -ENOMEM;
	if (r == 0 && !g->no_output)
		r = vl_put_bytes(job, "output", buf_head(&sh->text[STDOUT]),
			buf_len(&sh->text[STDOUT]));
	if (r == 0 && !g->no_output)
		r = vl_put_bytes(job, "error_output", buf_head(&sh->text[STDERR]),
			buf_len(&sh->text[STDERR]));
	if (r == 0)
		*ret = TAKE_PTR(job);
	return r;
}

static int show_json(struct shown *sh, size_t i)
{
	_cleanup_json_ json_t *job = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	r = make_object(sh, sh->g->jobs[i].id, &job);
	if (r < 0)
		return r;
	text = json_dumps(job, JSON_COMPACT);
	if (!text)
		return -ENOMEM;
	r = i > 0 ? write_text(sh->g, ",\n") : 0;
	return r < 0 ? r : write_text(sh->g, text);
}

int gather_show(struct gather *g, size_t i)
{
	struct shown sh = {.g = g, .text = {BUF_NULL, BUF_NULL}};
	uint64_t id = g->jobs[i].id;
	int r = 0;

	if (!g->no_output)
		r = take_output(&sh, id);
	if (r == 0 && g->c->json)
		r = show_json(&sh, i);
	for (int s = 0; s < N_STREAMS; s++)
		buf_deinit(&sh.text[s]);
	if (r < 0)
		return r;
	g->lost_bytes += sh.lost;
	g->n_unshown += sh.gone;
	return 0;
}

int gather_show_begin(struct gather *g)
{
	return g->c->json ? write_text(g, "[") : 0;
}

int gather_show_end(struct gather *g)
{
	return g->c->json ? write_text(g, "]\n") : 0;
}
