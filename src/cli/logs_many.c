#include "config.h"

#include "cli/logs_many.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/log_options.h"
#include "cli/log_source.h"
#include "client/client.h"

static const rv_time look_every = RV_MS(200); /* at most so often at what there is */

struct logs_many {
	struct log_view view;
	struct log_source **v;
	size_t n;
	bool full_told;
	bool has_looked; /* what comes from now on was not there at first */
	int exit_code;   /* of the first error that ended no more than its source */
	const struct logs_many_ops *ops; /* NULL: they are what they are */
	struct client *control, *news;
	unsigned n_reconnects;
	rv_time looked_at, look_at; /* RV_FOREVER: nothing has changed */
};

/* ---- sources --------------------------------------------------------------------------------- */

struct logs_many *logs_many_new(const struct cli *c, const struct log_options *lo)
{
	struct logs_many *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->view.c = c;
	m->view.lo = lo;
	m->look_at = RV_FOREVER;
	return m;
}

void logs_many_free(struct logs_many *m)
{
	for (size_t i = 0; i < m->n; i++)
		log_source_free(m->v[i]);
	free(m->v);
	client_close(m->control);
	client_close(m->news);
	free(m);
}

/* 0, -RV_ELIMIT, -ENOMEM */
static int add_source(
	struct logs_many *m, int64_t id, const char *label, struct log_source **ret)
{
	struct log_source *s, **v;

	if (m->n >= LOGS_MANY_MAX)
		return -RV_ELIMIT;
	v = reallocarray(m->v, m->n + 1, sizeof(struct log_source *));
	if (!v)
		return -ENOMEM;
	m->v = v;
	s = log_source_new(&m->view, id, label);
	if (!s)
		return -ENOMEM;
	s->wanted = true;
	m->v[m->n++] = s;
	m->view.named = m->view.named || m->n > 1;
	*ret = s;
	return 0;
}

/* two of one name are told apart by their ids */
static void tell_apart(
	struct logs_many *m, const struct log_source *s, const char *label)
{
	char text[LOG_LABEL_MAX];

	for (size_t i = 0; i < m->n; i++) {
		struct log_source *other = m->v[i];

		if (other == s || !STREQ(other->label, label))
			continue;
		snprintf(text, sizeof(text), "%s/%" PRId64, label, other->id);
		log_source_set_label(other, text);
	}
}

static bool has_same_name(
	const struct logs_many *m, const struct log_source *s, const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; i < m->n; i++) {
		const char *other = m->v[i]->label;

		if (m->v[i] != s && strncmp(other, label, n) == 0 &&
			(!other[n] || other[n] == '/'))
			return true;
	}
	return false;
}

int logs_many_add_job(struct logs_many *m, const json_t *job)
{
	int64_t id = json_int(job, "id", 0);
	const char *name = json_str(job, "name");
	char label[LOG_LABEL_MAX], text[LOG_LABEL_MAX + 24];
	struct log_source *s;
	int r;

	if (json_is_set(job, "finished_usec") &&
		!log_filter_wants_run(
			&m->view.lo->filter, 0, json_int(job, "finished_usec", 0)))
		return 0;
	if (*name && json_int(job, "instance", 0) > 0)
		snprintf(label, sizeof(label), "%s.%" PRId64, name,
			json_int(job, "instance", 0));
	else if (*name)
		snprintf(label, sizeof(label), "%s", name);
	else
		snprintf(label, sizeof(label), "%" PRId64, id);
	m->view.named = true;
	r = add_source(m, id, label, &s);
	if (r == -RV_ELIMIT)
		return cli_fail(m->view.c, CLI_EXIT_USAGE,
			"logs: at most %d jobs can be followed at once", LOGS_MANY_MAX);
	if (r < 0)
		return cli_fail_errno(m->view.c, r, "logs");
	if (has_same_name(m, s, label)) {
		tell_apart(m, s, label);
		snprintf(text, sizeof(text), "%s/%" PRId64, label, id);
		log_source_set_label(s, text);
	}
	return 0;
}

/* ---- sources that come and go ------------------------------------------------------------- */

void logs_many_watch(struct logs_many *m, const struct logs_many_ops *ops)
{
	m->ops = ops;
}

void logs_many_name_all(struct logs_many *m)
{
	m->view.named = true;
}

static void look_soon(struct logs_many *m)
{
	if (m->ops)
		m->look_at = MIN(m->look_at, MAX(rv_now(), m->looked_at + look_every));
}

static struct log_source *find_source(const struct logs_many *m, int64_t id)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i]->id == id)
			return m->v[i];
	return NULL;
}

/* 0, -ENOMEM, or -ECANCELED with the exit code in m */
int logs_many_want(struct logs_many *m, int64_t id, const char *label, bool goes_on,
	int64_t starts)
{
	struct log_source *s = find_source(m, id);
	int r = 0;

	if (!s) {
		r = add_source(m, id, label, &s);
		if (r == -RV_ELIMIT && !m->full_told) {
			cli_note(m->view.c, "only %d are followed at once",
				LOGS_MANY_MAX);
			m->full_told = true;
		}
		if (r < 0)
			return r == -RV_ELIMIT ? 0 : r;
		if (m->has_looked)
			cli_note(m->view.c, "%s is followed, too", label);
		r = log_source_begin(s);
	} else if (!s->client && (goes_on || starts > s->place.at_run)) {
		r = log_source_begin_next(s);
	}
	s->wanted = true;
	log_source_set_label(s, label);
	if (r == 0)
		return 0;
	m->exit_code = r;
	return -ECANCELED;
}

static void drop_unwanted(struct logs_many *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i]->wanted || m->v[i]->client)
			m->v[n++] = m->v[i];
		else
			log_source_free(m->v[i]);
	}
	m->n = n;
}

/* 0, or the exit code */
static int look(struct logs_many *m)
{
	int r;

	m->looked_at = rv_now();
	m->look_at = RV_FOREVER;
	for (size_t i = 0; i < m->n; i++)
		m->v[i]->wanted = false;
	do {
		r = m->ops->list(m->ops->arg, m->control, m);
		if (r == -ECANCELED)
			return m->exit_code;
		if (r >= 0)
			break;
		if (r != -ECONNRESET && r != -ENOTCONN)
			return cli_fail_lost(m->view.c, r);
		r = log_reconnect(m->view.c, &m->control, &m->n_reconnects);
	} while (r == 0);
	if (r < 0)
		return r;
	if (r == 0)
		drop_unwanted(m);
	m->has_looked = true;
	m->n_reconnects = 0;
	return 0;
}

/* 0, or the exit code */
static int call_news(struct logs_many *m)
{
	_cleanup_json_ json_t *params = json_pack("{s:b}", "follow", 1);
	int r;

	if (!params)
		return cli_fail_errno(m->view.c, -ENOMEM, "logs");
	r = client_start(m->news, "io.reeve.Job.Events", params, true, RV_FOREVER);
	return r < 0 && r != -ECONNRESET ? cli_fail_lost(m->view.c, r) : 0;
}

static void take_news(struct logs_many *m, const json_t *page)
{
	json_t *e;
	size_t i;

	if (json_int(page, "lost", 0) > 0)
		look_soon(m);
	json_array_foreach(json_object_get(page, "events"), i, e)
	{
		if (m->ops->wants(m->ops->arg, json_str(e, "name")))
			look_soon(m);
	}
}

/* 0, or the exit code */
static int read_news(struct logs_many *m)
{
	struct client_message msg;
	int r;

	while ((r = client_next(m->news, &msg, 0)) > 0) {
		bool failed = msg.error != NULL;

		if (failed)
			r = cli_fail_reply(m->view.c, msg.error, msg.params);
		else
			take_news(m, msg.params);
		client_message_deinit(&msg);
		if (failed)
			return r;
	}
	if (r == 0)
		return 0;
	if (r != -ECONNRESET)
		return cli_fail_lost(m->view.c, r);
	r = log_reconnect(m->view.c, &m->news, &m->n_reconnects);
	look_soon(m);
	return r != 0 ? r : call_news(m);
}

/* before the list: nothing that comes meanwhile is missed. 0, or the exit code */
static int begin_watching(struct logs_many *m)
{
	int r = cli_connect(m->view.c, &m->news);

	if (r == 0)
		r = cli_connect(m->view.c, &m->control);
	if (r == 0)
		r = call_news(m);
	return r == 0 ? look(m) : r;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static int ms_until(rv_time t)
{
	rv_time left;

	if (t == RV_FOREVER)
		return -1;
	left = t - rv_now();
	return left <= 0 ? 0 : (int)MIN(left / RV_MS(1) + 1, RV_SEC(1) / RV_MS(1));
}

/* Wait until something has come. Returns how many are followed, negative */
static int wait_for_any(struct logs_many *m)
{
	_cleanup_free_ struct pollfd *p = calloc(m->n + 1, sizeof(*p));
	int n_live = 0, timeout = ms_until(m->look_at);

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < m->n; i++) {
		p[i].fd = m->v[i]->client ? client_fd(m->v[i]->client) : -1;
		p[i].events = POLLIN;
		n_live += m->v[i]->client != NULL;
		if (m->v[i]->more)
			timeout = 0;
	}
	p[m->n].fd = m->news ? client_fd(m->news) : -1;
	p[m->n].events = POLLIN;
	if (n_live == 0 && !m->ops)
		return 0;
	/* who follows wants to see it now */
	if (timeout != 0 && fflush(stdout) != 0)
		return -EIO;
	if (poll(p, m->n + 1, timeout) < 0 && errno != EINTR)
		return -errno;
	for (size_t i = 0; i < m->n; i++)
		m->v[i]->more |= p[i].revents != 0;
	return n_live + (m->ops != NULL);
}

/* 0, or the exit code */
static int read_sources(struct logs_many *m)
{
	int r = 0;

	for (size_t i = 0; i < m->n && r == 0; i++) {
		int failed = 0;

		if (!m->v[i]->more)
			continue;
		r = log_source_read(m->v[i], &failed);
		m->exit_code = m->exit_code ? m->exit_code : failed;
		if (!m->v[i]->client)
			look_soon(m); /* it may have been started again meanwhile */
	}
	return r;
}

static int begin_sources(struct logs_many *m)
{
	int r = 0;

	if (m->ops)
		return begin_watching(m);
	for (size_t i = 0; i < m->n && r == 0; i++)
		r = log_source_begin(m->v[i]);
	if (r == 0 && m->n == 0)
		return cli_fail(m->view.c, CLI_EXIT_NOTHING, "logs: no job matches");
	return r;
}

int logs_many_follow(struct logs_many *m)
{
	int r = begin_sources(m);

	while (r == 0) {
		r = wait_for_any(m);
		if (r == -EIO)
			return cli_fail_write(m->view.c, r);
		if (r < 0)
			return cli_fail_errno(m->view.c, r, "logs");
		if (r == 0)
			break;
		r = read_sources(m);
		if (r == 0 && m->news)
			r = read_news(m);
		if (r == 0 && m->look_at <= rv_now())
			r = look(m);
	}
	if (r == 0)
		r = m->exit_code;
	if (r == 0 && m->view.n_lines == 0 && log_filter_is_set(&m->view.lo->filter))
		return cli_fail(m->view.c, CLI_EXIT_NOTHING, "logs: no line matches");
	return r;
}
