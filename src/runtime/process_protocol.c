/* Child processes that are told of by callbacks. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "reeve/net.h"
#include "reeve/pipe.h"
#include "runtime/debug_priv.h"
#include "runtime/process_priv.h"

/* our end of a pipe: a protocol that passes on what it hears, with the number */
struct child_pipe {
	rv_protocol protocol; /* first */
	struct told *told;
	rv_transport *transport; /* NULL: none, or lost */
	int fd;                  /* the child's */
};

/* Ends when the exit was told and all pipes are gone. */
struct told {
	struct rv_ready ready; /* linked: process_exited is due */
	rv_process *process;   /* NULL: there is nobody to tell */
	rv_protocol *protocol; /* likewise */
	struct child_pipe pipes[N_STDIO];
	unsigned n_pipes; /* that are not gone */
	bool exit_told;
	int err; /* for connection_lost */
};

static void told_end_if_over(struct told *t)
{
	rv_protocol *p = t->protocol;
	rv_process *process = t->process;

	if (!t->exit_told || t->n_pipes > 0)
		return;
	if (p) {
		if (process->loop)
			LOOP_CALLBACK(process->loop, p->ops->connection_lost);
		if (p->ops->connection_lost)
			p->ops->connection_lost(p, t->err);
		if (p->ops->destroy)
			p->ops->destroy(p);
		link_remove(&process->link);
		process->told = NULL;
		process_free_unused(process);
	}
	free(t);
}

/* -- pipes -------------------------------------------------------------------------- */

static int pipe_data(rv_protocol *self, const void *buf, size_t n)
{
	struct child_pipe *c = (struct child_pipe *)self;
	rv_protocol *p = c->told->protocol;

	/* stdin is a socket, but what a child writes to it is for nobody */
	if (p && c->fd != STDIN_FILENO && p->ops->pipe_data_received)
		p->ops->pipe_data_received(p, c->fd, buf, n);
	return 0;
}

static void pipe_pause(rv_protocol *self)
{
	rv_protocol *p = ((struct child_pipe *)self)->told->protocol;

	if (p && p->ops->pause_writing)
		p->ops->pause_writing(p);
}

static void pipe_resume(rv_protocol *self)
{
	rv_protocol *p = ((struct child_pipe *)self)->told->protocol;

	if (p && p->ops->resume_writing)
		p->ops->resume_writing(p);
}

static void pipe_lost(rv_protocol *self, int err)
{
	struct child_pipe *c = (struct child_pipe *)self;
	rv_protocol *p = c->told->protocol;

	if (p && p->ops->pipe_connection_lost)
		p->ops->pipe_connection_lost(p, c->fd, err);
	c->transport = NULL;
}

static void pipe_gone(rv_protocol *self)
{
	struct told *t = ((struct child_pipe *)self)->told;

	t->n_pipes--;
	told_end_if_over(t);
}

static const rv_protocol_ops pipe_ops = {
	.data_received = pipe_data,
	.pause_writing = pipe_pause,
	.resume_writing = pipe_resume,
	.connection_lost = pipe_lost,
	.destroy = pipe_gone,
};

static int open_pipes(struct told *t, int fds[N_STDIO])
{
	int r = 0;

	for (int i = 0; i < N_STDIO && r >= 0; i++) {
		struct child_pipe *c = &t->pipes[i];

		*c = (struct child_pipe){.protocol.ops = &pipe_ops, .told = t, .fd = i};
		if (fds[i] < 0)
			continue;
		r = i == STDIN_FILENO
			    ? rv_net_open_fd(fds[i], &c->protocol, &c->transport)
			    : rv_pipe_reader(fds[i], &c->protocol, &c->transport);
		if (r < 0)
			continue;
		fds[i] = -1;
		t->n_pipes++;
	}
	return r;
}

rv_transport *rv_process_pipe(const rv_process *p, int fd)
{
	if (WRONG_THREAD(p->loop) || !p->told || fd < 0 || fd >= N_STDIO)
		return NULL;
	return p->told->pipes[fd].transport;
}

/* -- life and end ------------------------------------------------------------------- */

static void tell_exit(struct told *t)
{
	rv_protocol *p = t->protocol;

	t->exit_told = true;
	if (p->ops->process_exited)
		p->ops->process_exited(p);
}

static void told_run(struct rv_ready *ready)
{
	struct told *t = CONTAINER_OF(ready, struct told, ready);

	LOOP_CALLBACK(t->process->loop, t->protocol->ops->process_exited);
	tell_exit(t);
	told_end_if_over(t);
}

void told_drop(struct told *t)
{
	for (int i = 0; i < N_STDIO; i++)
		if (t->pipes[i].transport)
			rv_transport_abort(t->pipes[i].transport);
}

int told_new(rv_process *p, rv_protocol *proto, int fds[N_STDIO])
{
	struct told *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->ready.run = told_run;
	r = open_pipes(t, fds);
	if (r < 0) {
		/* those that were opened go in the next round, and it with them */
		t->exit_told = true;
		told_drop(t);
		told_end_if_over(t);
		return r;
	}
	t->process = p;
	t->protocol = proto;
	p->told = t;
	return 0;
}

void told_exited(struct told *t)
{
	ready_append(t->process->loop, &t->ready);
}

void told_close(struct told *t)
{
	if (link_is_linked(&t->ready.link)) {
		link_unlink(&t->ready.link);
		tell_exit(t);
	} else if (!t->exit_told) {
		t->exit_told = true;
		t->err = -RV_ELOOPCLOSED;
	}
	/* pipes that are open are lost when the loop comes to them */
	told_end_if_over(t);
}
