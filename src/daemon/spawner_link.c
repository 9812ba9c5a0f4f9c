#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/scheduler.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"
#include "reeve/loop.h"
#include "reeve/signal.h"
#include "reeve/sync.h"
#include "spawn/launch.h"

static const rv_time retry_first = RV_MS(50), retry_last = RV_SEC(5);
/* a connection that lasted so long was a good one */
static const rv_time good_after = RV_SEC(5);

struct spawner_link {
	struct core *core;
	struct spawner_link_opts opts;
	struct spawn_client *client; /* NULL: not connected */
	rv_watch *watch;
	bool ready, more_posted, flush_posted;
	bool start_unsent, ack_unsent; /* among the requests that a flush is due for */
	bool failed;           /* it was lost or not to be had, and is not back */
	bool table_incomplete; /* no memory for all of it */
	bool must_drop;        /* the connection is of no use */
	rv_handle more;        /* valid while more_posted */
	rv_handle flush;       /* valid while flush_posted */
	struct list want_room; /* of struct run.want_room */
	char instance[SPAWN_ID_LEN + 1];
	char last_instance[SPAWN_ID_LEN + 1]; /* that runs are with */
	pid_t pid;
	pid_t child;       /* the last that we started; 0: none or reaped */
	bool child_is_new; /* it has had no daemon yet, so it has no runs either */
	struct spawner_run *table;
	size_t n_table, n_table_max;
	struct spawn_token *acks; /* acknowledgements that found no room, in order */
	size_t n_acks, n_acks_max;
	rv_event changed;
};

static void tell_changed(struct spawner_link *l)
{
	rv_event_set(&l->changed);
	rv_event_clear(&l->changed);
}

/* ---- what the spawner says ------------------------------------------------------- */

static struct run *run_of(struct spawner_link *l, const struct spawn_token *t)
{
	struct job *j = jobs_find(l->core->jobs, t->job_id);

	if (!j || !j->run || j->run->rec.token.run != t->run_no ||
		j->run->rec.token.epoch != t->epoch)
		return NULL;
	return j->run;
}

static int on_hello(const struct wire_hello *hello, void *arg)
{
	struct spawner_link *l = arg;

	if (!STREQ(hello->boot_id, l->core->boot_id)) {
		log_at(LOG_ERR, "spawn",
			"the spawner says it is of another boot, leaving it");
		return -RV_EPROTOCOL;
	}
	memcpy(l->instance, hello->instance, sizeof(l->instance));
	l->pid = hello->pid;
	return 0;
}

static void on_table_run(const struct spawn_run_info *info, int pidfd, void *arg)
{
	struct spawner_link *l = arg;

	if (l->n_table == l->n_table_max) {
		size_t n = l->n_table_max ? 2 * l->n_table_max : 64;
		struct spawner_run *v = reallocarray(l->table, n, sizeof(*v));

		if (!v) {
			close_safe(pidfd);
			l->table_incomplete = true;
			return;
		}
		l->table = v;
		l->n_table_max = n;
	}
	l->table[l->n_table++] = (struct spawner_run){.info = *info, .pidfd = pidfd};
}

static void drop_table(struct spawner_link *l)
{
	for (size_t i = 0; i < l->n_table; i++)
		close_safe(l->table[i].pidfd);
	free(l->table);
	l->table = NULL;
	l->n_table = l->n_table_max = 0;
	l->table_incomplete = false;
}

/* requests of theirs may go through now */
static void wake_wanting(struct spawner_link *l)
{
	struct list *node;

	while ((node = list_pop(&l->want_room)))
		rv_event_set(&LIST_ENTRY(node, struct run, want_room)->wake);
}

static void on_table_end(void *arg)
{
	struct spawner_link *l = arg;
	bool same = STREQ(l->instance, l->last_instance);

	/* what is missing would pass for never started, and be run twice */
	if (l->table_incomplete) {
		log_at(LOG_ERR, "spawn",
			"out of memory for the spawner's table, asking again");
		l->must_drop = true;
		return;
	}
	log_at(LOG_INFO, "spawn", "connected to spawner %d, which has %zu runs",
		(int)l->pid, l->n_table);
	memcpy(l->last_instance, l->instance, sizeof(l->last_instance));
	l->opts.on_table(l->table, l->n_table, same, l->opts.arg);
	drop_table(l);
	l->ready = true;
	l->failed = false;
	scheduler_block(l->core->scheduler, BLOCK_SPAWNER, false);
	wake_wanting(l);
	tell_changed(l);
}

static void on_started(const struct spawn_run_info *info, int pidfd, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (run)
		run_told_started(run, info, pidfd);
	else
		close_safe(pidfd);
}

bool spawner_link_is_awaited(const struct core *core, const struct spawn_token *t)
{
	const struct job *j = jobs_find(core->jobs, t->job_id);

	return j && job_state_is_active((enum job_state)j->state) &&
	       j->n_runs == t->run_no;
}

/* Nobody waits for it any more: its end is on disk, or the job was never ours. Not so where
 * the record says that it goes on (a run that could not be followed, for want of memory):
 * that one stays with the spawner until somebody can record its end. */
static void ack_stranger(struct spawner_link *l, const struct spawn_run_info *info)
{
	if (spawner_link_is_awaited(l->core, &info->token))
		return;
	log_at(LOG_DEBUG, "spawn",
		"end of unknown run %" PRIu64 ".%" PRIu32 ", acknowledging",
		info->token.job_id, info->token.run_no);
	spawner_link_ack_token(l, &info->token);
}

/* It has been told to leave: the next one may have the run. */
static void spawner_leaves(struct spawner_link *l, struct run *run)
{
	l->ready = false;
	scheduler_block(l->core->scheduler, BLOCK_SPAWNER, true);
	run_told_not_started(run);
}

static void on_start_failed(const struct spawn_run_info *info, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (run && spawn_run_was_recalled(info))
		run_told_recalled(run);
	else if (run &&
		 (spawn_run_never_began(info) || (info->step == SPAWN_STEP_REQUEST &&
							 info->error == RV_ESHUTDOWN)))
		spawner_leaves(arg, run);
	else if (run)
		run_told_failed(run, info);
	else
		ack_stranger(arg, info);
}

static void on_exited(const struct spawn_run_info *info, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (run)
		run_told_exited(run, info);
	else
		ack_stranger(arg, info);
}

static void on_orphan(const struct spawn_orphan *o, void *arg)
{
	log_at(LOG_NOTICE, "spawn",
		"process %d ('%.15s', once of job %" PRIu64
		") belongs to no run, leaving it alone",
		(int)o->pid, o->comm, o->token.job_id);
}

static const struct spawn_client_ops client_ops = {
	.on_hello = on_hello,
	.on_table_run = on_table_run,
	.on_table_end = on_table_end,
	.on_started = on_started,
	.on_start_failed = on_start_failed,
	.on_exited = on_exited,
	.on_orphan = on_orphan,
};

/* ---- the connection -------------------------------------------------------------- */

static void disconnected(struct spawner_link *l, int error)
{
	struct jobs *jobs = l->core->jobs;

	rv_fd_unwatch(TAKE_PTR(l->watch));
	l->client = spawn_client_free(l->client);
	l->ready = false;
	l->pid = 0;
	l->n_acks = 0;
	l->must_drop = false;
	drop_table(l);
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
	jobs_wake_waiters(jobs); /* for what the spawner was to take back */
	tell_changed(l);
}

static void process(struct spawner_link *l);

static void process_more(void *arg)
{
	struct spawner_link *l = arg;

	l->more_posted = false;
	process(l);
}

static void send_acks(struct spawner_link *l)
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
		send_acks(l);
	wake_wanting(l);
	tell_changed(l);
}

static void on_ready(int fd, unsigned ev, void *arg)
{
	process(arg);
}

static int attach(struct spawner_link *l, int fd)
{
	int r;

	r = spawn_client_new(&l->client, fd, &client_ops, l);
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
		send_acks(l);
	if (l->client)
		spawn_client_flush(l->client);
	spawn_client_free(l->client);
	drop_table(l);
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

int spawner_link_wait_ready(struct spawner_link *l)
{
	while (!l->ready) {
		int r = rv_event_wait(&l->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

const char *spawner_link_instance(const struct spawner_link *l)
{
	return l->last_instance;
}

pid_t spawner_link_pid(const struct spawner_link *l)
{
	return l->pid;
}

/* ---- requests -------------------------------------------------------------------- */

int spawner_link_wait(struct spawner_link *l)
{
	return rv_event_wait(&l->changed);
}

void spawner_link_wake(struct spawner_link *l)
{
	tell_changed(l);
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
