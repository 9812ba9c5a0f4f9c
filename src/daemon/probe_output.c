/* Is there a line in what a run has printed? see probe.h. */
#include "config.h"

#include "daemon/probe_output.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "daemon/core.h"
#include "daemon/log_watch.h"
#include "daemon/output_read.h"
#include "daemon/outputs.h"
#include "daemon/readiness_priv.h"
#include "daemon/run.h"
#include "reeve/executor.h"
#include "spawn/stamp.h"

enum {
	LINE_BYTES = 4096,  /* of a line that are looked at */
	PAGE_BYTES = 65536, /* of one call of a worker */
};

struct stream {
	const regex_t *regex;
	int fd; /* -1: there is none */
	int64_t offset;
	struct buf page;
	char line[LINE_BYTES + 1]; /* that has not ended yet */
	size_t n_line;
	size_t n_stamp; /* bytes of the time at its front, which are not looked at */
	bool found;
	struct log_follower follower;
};

static void take(struct stream *s, const char *p, size_t n)
{
	while (n > 0 && !s->found) {
		const char *nl = memchr(p, '\n', n);
		size_t len = nl ? (size_t)(nl - p) : n;
		size_t room = LINE_BYTES - s->n_line;

		memcpy(s->line + s->n_line, p, MIN(len, room));
		s->n_line += MIN(len, room);
		if (nl) {
			s->line[s->n_line] = '\0';
			s->found =
				regexec(s->regex, s->line + MIN(s->n_line, s->n_stamp),
					0, NULL, 0) == 0;
			s->n_line = 0;
		}
		len += nl != NULL;
		p += len;
		n -= len;
	}
}

/* In a worker. More than 0: there may be more. */
static int look(void *arg)
{
	struct stream *s = arg;
	int64_t lost = 0, n;

	buf_clear(&s->page);
	n = output_page(s->fd, &s->offset, &s->page, PAGE_BYTES, &lost);
	if (n > 0)
		take(s, buf_head(&s->page), buf_len(&s->page));
	return n < 0 ? (int)n : n > 0 && !s->found;
}

/* all that is there by now */
static int look_at_all(struct run *run, struct stream *s)
{
	int r = s->fd >= 0 ? 1 : 0;

	while (r > 0)
		r = rv_run_blocking(run->core->io, look, s);
	return r;
}

static int open_stream(struct run *run, struct stream *s, const struct output_file *f,
	rv_event *changed)
{
	int r;

	if (!f)
		return 0;
	r = output_open(&s->fd, run->core->state_fd, f->name);
	return r < 0 ? r
		     : log_watch_add(
			       run->core->log_watch, &s->follower, s->fd, changed);
}

static int follow(struct run *run, struct stream s[2])
{
	rv_event changed;
	int r;

	rv_event_init(&changed);
	r = open_stream(run, &s[0], run->out, &changed);
	if (r >= 0)
		r = open_stream(run, &s[1], run->err, &changed);
	if (r >= 0 && s[0].fd < 0 && s[1].fd < 0)
		r = -EOPNOTSUPP;
	while (r >= 0) {
		rv_event_clear(&changed);
		r = look_at_all(run, &s[0]);
		if (r >= 0 && !s[0].found)
			r = look_at_all(run, &s[1]);
		if (r < 0 || s[0].found || s[1].found)
			break;
		r = rv_event_wait(&changed);
	}
	for (int i = 0; i < 2; i++)
		log_watch_remove(run->core->log_watch, &s[i].follower);
	return MIN(r, 0);
}

int probe_output(struct run *run, const char *pattern)
{
	struct stream *s = calloc(2, sizeof(*s));
	regex_t regex;
	int r;

	if (!s)
		return -ENOMEM;
	if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
		free(s);
		return -ENOMEM; /* it was checked with the configuration */
	}
	for (int i = 0; i < 2; i++) {
		s[i].regex = &regex;
		s[i].fd = -1;
		s[i].offset = run->ready->output_from[i];
		s[i].n_stamp = job_num(&run->spec, TIMESTAMPS) ? STAMP_LEN : 0;
	}
	r = follow(run, s);
	for (int i = 0; i < 2; i++) {
		close_safe(s[i].fd);
		buf_deinit(&s[i].page);
	}
	regfree(&regex);
	free(s);
	return r;
}
