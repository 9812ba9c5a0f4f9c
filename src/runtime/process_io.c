/* communicate: both directions at once, so that neither side waits for the other. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "reeve/group.h"
#include "runtime/process_priv.h"

enum { READ_CHUNK = 64 * 1024 };

struct feeding {
	rv_stream *to;
	const void *p;
	size_t n;
};

static int feed(void *arg)
{
	struct feeding *f = arg;
	int r = f->n > 0 ? rv_stream_send(f->to, f->p, f->n) : 0;

	if (r == -ECANCELED)
		return r;
	rv_stream_close(f->to);
	/* that it ended, or closed its stdin, without reading is no failure of ours */
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

struct collecting {
	rv_stream *from;
	rv_buf *to; /* NULL: nowhere */
	size_t room;
};

static int make_room(struct collecting *c)
{
	size_t room;
	char *data;

	if (!c->to || c->room - c->to->n > READ_CHUNK)
		return 0;
	room = MAX(c->room * 2, c->to->n + 2 * (size_t)READ_CHUNK);
	data = realloc(c->to->data, room);
	if (!data)
		return -ENOMEM;
	c->to->data = data;
	c->room = room;
	data[c->to->n] = '\0';
	return 0;
}

static int collect(void *arg)
{
	_cleanup_free_ char *waste = NULL;
	struct collecting *c = arg;
	ssize_t k;
	int r;

	if (!c->to && !(waste = malloc(READ_CHUNK)))
		return -ENOMEM;
	for (;;) {
		r = make_room(c);
		if (r < 0)
			return r;
		k = rv_stream_read(
			c->from, c->to ? c->to->data + c->to->n : waste, READ_CHUNK);
		if (k <= 0)
			return (int)k;
		if (!c->to)
			continue;
		c->to->n += (size_t)k;
		c->to->data[c->to->n] = '\0';
	}
}

static int spawn_if(rv_group *g, const rv_stream *s, rv_fn fn, void *arg)
{
	return s ? rv_group_spawn_ex(g, NULL, fn, arg, NULL) : 0;
}

int rv_process_communicate(rv_process *p, const void *in, size_t n_in, rv_buf *out,
	rv_buf *err, int *status)
{
	struct feeding feeding = {p->io[STDIN_FILENO], in, n_in};
	struct collecting o = {p->io[STDOUT_FILENO], out, out ? out->n : 0};
	struct collecting e = {p->io[STDERR_FILENO], err, err ? err->n : 0};
	struct rv_task *self;
	rv_group g;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	if (r < 0)
		return r;
	r = spawn_if(&g, feeding.to, feed, &feeding);
	if (r >= 0)
		r = spawn_if(&g, o.from, collect, &o);
	if (r >= 0)
		r = spawn_if(&g, e.from, collect, &e);
	r = rv_group_exit(&g, r);
	return r < 0 ? r : rv_process_wait(p, status);
}
