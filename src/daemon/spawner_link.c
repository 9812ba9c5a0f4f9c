/* The connection to the spawner: made, kept, made again; see spawner_link.h. */
#include "config.h"

#include "daemon/spawner_link_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"
#include "reeve/signal.h"
#include "spawn/launch.h"

static const rv_time retry_first = RV_MS(50), retry_last = RV_SEC(5);
/* a connection that lasted so long was a good one */
static const rv_time good_after = RV_SEC(5);

static void disconnected(struct spawner_link *l, int error)
{
	struct jobs *jobs = l->core->jobs;

	rv_fd_unwatch(TAKE_PTR(l->watch));
	l->client = spawn_client_free(l->client);
	l->ready = false;
	l->pid = 0;
	l->n_acks = 0;
	l->must_drop = false;
	link_drop_table(l);
	if (l->core->detaching)
		return;
	l->failed = true;
	log_at(LOG_ERR, "spawn",
		"lost the spawner (%s), looking for it or starting another",
		rv_strerror(error));
	scheduler_block(l->core->scheduler, BLOCK_SPAWNER, true);
	/* its runs are told when the next table shows whether it was only the
	 * connection */
	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1))
		if (j->run) {
			j->run->recall_sent = false;
			j->run->in_doubt =
				j->run->sent && !j->run->ended && !j->run->spawner_gone;
		}
	aux_told_lost_link(l->core->aux);
	jobs_wake_waiters(jobs); /* for what the spawner was to take back */
	spawner_link_wake(l);
}

static void process(struct spawner_link *l);

static void process_more(void *arg)
{
	struct spawner_link *l = arg;

	l->more_posted = false;
	process(l);
}

static void process(struct spawner_link *l)
{
	int r;

	if (!l->client)
		return;
	r = spawn_client_process(l->client);
	if (r >= 0 && l->must_drop)
		r = -ENOMEM;
	if (r < 0) {
		disconnected(l, r);
		return;
	}
	if (r > 0 && !l->more_posted) {
		/* more is there to be read, and no edge will tell: others get their turn first */
		l->more = rv_call_soon(rv_loop_current(), process_more, l);
		l->more_posted = true;
	}
	if (l->n_acks)
		link_send_acks(l);
	link_wake_wanting(l);
	spawner_link_wake(l);
}

static void on_ready(int fd, unsigned ev, void *arg)
{
	process(arg);
}

static int attach(struct spawner_link *l, int fd)
{
	int r;

	r = spawn_client_new(&l->client, fd, &link_client_ops, l);
	if (r < 0) {
		close_safe(fd);
		return r;
	}
	r = rv_fd_watch(rv_loop_current(), spawn_client_fd(l->client),
		RV_READ | RV_WRITE, on_ready, l, &l->watch);
	if (r < 0)
		l->client = spawn_client_free(l->client);
	else
		l->child_is_new = false;
	return r;
}

static struct run *run_of_pid(struct spawner_link *l, pid_t pid)
{
	struct jobs *jobs = l->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1))
		if (j->run && j->run->started && j->run->info.pid == pid)
			return j->run;
	return NULL;
}

/* Our children are spawners: this one, and one before it that is still ending. Where we are
 * process 1 also what a spawner that was killed had, and then nobody else knows its status. */
static void reap(void *arg)
{
	struct spawner_link *l = arg;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct run *run = pid == l->child ? NULL : run_of_pid(l, pid);

		if (pid == l->child)
			l->child = 0;
		if (run)
			run_told_reaped(run, status);
	}
}

/* 0 when one listens now */
static int launch(struct spawner_link *l)
{
	struct spawn_launch how = {.program = l->opts.program,
		.state_dir = l->core->state_dir,
		.nofile = l->opts.nofile};
	_cleanup_close_ int ready = -1;
	int r;

	r = spawn_launch(&l->child, &ready, &how);
	if (r < 0)
		return r;
	l->child_is_new = true;
	do {
		r = rv_wait_fd(ready, RV_READ);
		if (r < 0)
			return r;
		r = spawn_ready(ready);
	} while (r == -EAGAIN);
	return r;
}

static int connect_once(struct spawner_link *l)
{
	int fd, r;

	r = spawn_connect(&fd, l->core->state_dir);
	if ((r == -ENOENT || r == -ECONNREFUSED) && l->opts.program) {
		r = launch(l);
		if (r >= 0)
			r = spawn_connect(&fd, l->core->state_dir);
	}
	if (r < 0)
		return r;
	r = l->opts.before_table(l->opts.arg);
	if (r < 0) {
		close_safe(fd);
		return r;
	}
	return attach(l, fd);
}

/* 0 when the connection is lost, -ECANCELED */
static int wait_until_lost(struct spawner_link *l)
{
	while (l->client) {
		int r = rv_event_wait(&l->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

int spawner_link_main(void *arg)
{
	struct spawner_link *l = arg;
	rv_time delay = retry_first;
	int logged = 0, r;

	r = rv_signal_on(rv_loop_current(), SIGCHLD, reap, l);
	if (r < 0)
		return r;
	for (;;) {
		r = connect_once(l);
		if (r >= 0) {
			rv_time connected = rv_now();

			r = wait_until_lost(l);
			if (r < 0)
				return r;
			logged = 0;
			if (rv_now() - connected >= good_after) {
				delay = retry_first;
				continue;
			}
			/* it came and went: crashes at once, or cannot be understood */
		} else if (r == -ECANCELED) {
			return r;
		} else if (r != logged) {
			l->failed = true;
			log_at(LOG_ERR, "spawn",
				"cannot reach or start the spawner: %s, retrying",
				rv_strerror(r));
			logged = r;
		}
		r = rv_sleep(delay);
		if (r < 0)
			return r;
		delay = MIN(2 * delay, retry_last);
	}
}

int spawner_link_new(struct spawner_link **ret, struct core *core,
	const struct spawner_link_opts *opts)
{
	struct spawner_link *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->core = core;
	l->opts = *opts;
	l->notify_fd = -1;
	rv_event_init(&l->changed);
	list_init(&l->want_room);
	scheduler_block(core->scheduler, BLOCK_SPAWNER, true);
	*ret = l;
	return 0;
}

struct spawner_link *spawner_link_free(struct spawner_link *l)
{
	if (!l)
		return NULL;
	rv_signal_off(rv_loop_current(), SIGCHLD);
	rv_fd_unwatch(l->watch);
	if (l->more_posted)
		rv_handle_cancel(rv_loop_current(), l->more);
	if (l->flush_posted)
		rv_handle_cancel(rv_loop_current(), l->flush);
	if (l->client && l->n_acks)
		link_send_acks(l);
	if (l->client)
		spawn_client_flush(l->client);
	spawn_client_free(l->client);
	link_drop_table(l);
	free(l->acks);
	reap(l);
	/* ended while it was being started: it would wait a while for a daemon */
	if (l->child > 0 && l->child_is_new)
		kill(l->child, SIGTERM);
	free(l);
	return NULL;
}

bool spawner_link_has_failed(const struct spawner_link *l)
{
	return l->failed;
}

bool spawner_link_is_ready(const struct spawner_link *l)
{
	return l->ready;
}

const char *spawner_link_instance(const struct spawner_link *l)
{
	return l->last_instance;
}

pid_t spawner_link_pid(const struct spawner_link *l)
{
	return l->pid;
}

int spawner_link_wait(struct spawner_link *l)
{
	return rv_event_wait(&l->changed);
}

void spawner_link_wake(struct spawner_link *l)
{
	rv_event_set(&l->changed);
	rv_event_clear(&l->changed);
}
