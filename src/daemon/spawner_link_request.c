/* What the spawner is asked for; see spawner_link.h. */
#include "config.h"

#include "daemon/spawner_link_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/failpoint.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/supervisor.h"

void link_send_acks(struct spawner_link *l)
{
	size_t n = 0;

	while (n < l->n_acks && spawn_client_ack(l->client, &l->acks[n]) >= 0)
		n++;
	if (!n)
		return;
	l->n_acks -= n;
	memmove(l->acks, l->acks + n, l->n_acks * sizeof(*l->acks));
	spawn_client_flush(l->client);
}

static void flush(void *arg)
{
	struct spawner_link *l = arg;

	l->flush_posted = false;
	if (l->client)
		spawn_client_flush(
			l->client); /* an error is seen by the next process() */
	if (l->start_unsent)
		FAILPOINT("reeved-start-sent");
	if (l->ack_unsent)
		FAILPOINT("reeved-exit-acked");
	l->start_unsent = l->ack_unsent = false;
}

/* After each request. What one round of the loop asks for goes in one message: a commit
 * ends many runs and starts as many. What does not fit goes with the next write edge. */
static int sent(struct spawner_link *l, int r)
{
	if (r < 0)
		return r;
	if (l->flush_posted)
		return 0;
	l->flush = rv_call_soon(rv_loop_current(), flush, l);
	l->flush_posted = l->flush.p != NULL;
	if (!l->flush_posted)
		flush(l);
	return 0;
}

int spawner_link_start(
	struct spawner_link *l, struct run *run, struct spawn_request *req)
{
	int r;

	if (!l->ready)
		return -EAGAIN;
	/* recorded with a spawner that is gone: it was never sent, so this one may have
	 * it, but then its record must say so */
	if (!STREQ(run->rec.spawner_id, l->instance))
		return -ESTALE;
	r = spawn_client_start(l->client, req);
	if (r < 0)
		return r;
	run->sent = true;
	l->start_unsent = true;
	r = sent(l, r);
	run_ready_sent(run, true);
	return r;
}

int spawner_link_start_token(struct spawner_link *l, struct spawn_request *req)
{
	int r = l->ready ? spawn_client_start(l->client, req) : -EAGAIN;

	return sent(l, r);
}

/* where it did not go through the run is woken when there is room, or a spawner */
static int sent_for(struct spawner_link *l, struct run *run, int r)
{
	if (r == -EAGAIN && !list_is_linked(&run->want_room))
		list_append(&l->want_room, &run->want_room);
	return sent(l, r);
}

int spawner_link_stop(struct spawner_link *l, struct run *run, bool now)
{
	struct spawn_token t = run_spawn_token(run);
	int64_t grace = now ? 0 : job_num(&run->spec, KILL_GRACE);
	int r = -EAGAIN;

	if (l->ready)
		r = spawn_client_stop(l->client, &t,
			(int)job_num(&run->spec, KILL_SIGNAL), false,
			usec_to_time(grace), NULL);
	return sent_for(l, run, r);
}

int spawner_link_take_notify(struct spawner_link *l)
{
	return TAKE_FD(l->notify_fd);
}

int spawner_link_keep_notify(struct spawner_link *l, int fd)
{
	int copy, r;

	if (!l->client)
		return -EAGAIN;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	r = spawn_client_keep_notify(l->client, copy);
	if (r < 0)
		close_safe(copy);
	return sent(l, r);
}

int spawner_link_set_said(
	struct spawner_link *l, const struct run *run, const char *text)
{
	struct spawn_token t = run_spawn_token(run);

	return spawner_link_set_said_token(l, &t, text);
}

int spawner_link_set_said_token(
	struct spawner_link *l, const struct spawn_token *t, const char *text)
{
	return l->ready ? sent(l, spawn_client_set_said(l->client, t, text)) : -EAGAIN;
}

int spawner_link_stop_token(
	struct spawner_link *l, const struct spawn_token *t, int sig, rv_time grace)
{
	if (!l->ready)
		return -EAGAIN;
	return sent(l, spawn_client_stop(l->client, t, sig, false, grace, NULL));
}

int spawner_link_pause(struct spawner_link *l, struct run *run, bool on)
{
	struct spawn_token t = run_spawn_token(run);
	int r = -EAGAIN;

	if (l->ready)
		r = on ? spawn_client_pause(l->client, &t, NULL)
		       : spawn_client_resume(l->client, &t, NULL);
	return sent_for(l, run, r);
}

int spawner_link_recall(struct spawner_link *l, struct run *run)
{
	struct spawn_token t = run_spawn_token(run);
	int r = -EAGAIN;

	if (l->ready)
		r = spawn_client_recall(l->client, &t);
	return sent_for(l, run, r);
}

int spawner_link_close_stdin(struct spawner_link *l, struct run *run, uint32_t *ret_seq)
{
	struct spawn_token t = run_spawn_token(run);
	int r = -EAGAIN;

	if (l->ready)
		r = spawn_client_close_stdin(l->client, &t, ret_seq);
	return sent_for(l, run, r);
}

int spawner_link_signal(struct spawner_link *l, struct run *run, int sig)
{
	struct spawn_token t = run_spawn_token(run);

	if (!l->ready)
		return -EAGAIN;
	return sent(l, spawn_client_signal(l->client, &t, sig, false, NULL));
}

void spawner_link_ack_token(struct spawner_link *l, const struct spawn_token *t)
{
	if (!l->client)
		return; /* told again on the next connection, and acknowledged then */
	l->ack_unsent = true;
	if (!l->n_acks && sent(l, spawn_client_ack(l->client, t)) >= 0)
		return;
	if (l->n_acks == l->n_acks_max) {
		size_t n = l->n_acks_max ? 2 * l->n_acks_max : 64;
		struct spawn_token *v = reallocarray(l->acks, n, sizeof(*v));

		if (!v)
			return; /* likewise */
		l->acks = v;
		l->n_acks_max = n;
	}
	l->acks[l->n_acks++] = *t;
}

void spawner_link_ack(struct spawner_link *l, const struct run *run)
{
	struct spawn_token t = run_spawn_token(run);

	spawner_link_ack_token(l, &t);
}
