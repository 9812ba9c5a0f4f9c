/* The start of a run's life: through its gate, to a starter, and back; see spawner.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "spawn/life_priv.h"
#include "spawn/tree.h"

/* to the starters; written down before, for it may have begun whenever we are killed */
static void submit(struct spawner *sp, struct run *run)
{
	start_set_number(run->start, run->number);
	claims_write(&sp->claims, run->claim, &run->info);
	starters_submit(sp->starters, run->start);
}

/* what the end of a run, or a higher limit, lets through */
static void open_gate(struct spawner *sp, uint64_t id)
{
	struct run *run;

	while ((run = gates_next(&sp->gates, id)))
		submit(sp, run);
}

void leave_gate(struct spawner *sp, struct run *run)
{
	if (run->gate_id == 0)
		return;
	gates_leave(&sp->gates, run);
	open_gate(sp, run->gate_id);
}

bool news_may_wait(struct spawner *sp, const struct run *run)
{
	return run->gate_id != 0 && gates_has_plenty(&sp->gates, run->gate_id);
}

static void close_request(struct spawn_request *q)
{
	q->stdout_fd = close_safe(q->stdout_fd);
	q->stderr_fd = close_safe(q->stderr_fd);
}

/* what a starter needs that ends it, or follows it, without the loop */
static void prepare(struct spawner *sp, struct run *run, const struct spawn_request *q)
{
	run->gate_id = q->gate;
	run->leftovers = q->leftovers;
	run->kill_signal = q->kill_signal;
	run->kill_grace = q->kill_grace;
	run->claim = claims_reserve(&sp->claims);
	run->start->run = run;
	/* with a cgroup there is more to look at than orphans; what is stamped has to be in
	 * its file; with orphans about nobody but
	 * the loop can tell whose they are */
	run->start->stay = q->gate != 0 && !q->aside && !q->cgroup && !q->stamped &&
			   !orphans_any(&sp->orphans);
}

/* Pipes in place of the files. 0, -errno: then the run is to be taken back. */
static int stamp_outputs(struct spawner *sp, struct run *run)
{
	struct spawn_request *q = &run->start->req;
	uid_t uid = q->uid == SPAWN_ID_KEEP ? (uid_t)-1 : q->uid;
	int r = 0;

	if (!q->stamped)
		return 0;
	r = stamper_add(
		sp->stamper, &run->stamped[0], run, &q->stdout_fd, uid, (gid_t)q->gid);
	if (r == 0 && q->stderr_kind == SPAWN_STDIO_FD)
		r = stamper_add(sp->stamper, &run->stamped[1], run, &q->stderr_fd, uid,
			(gid_t)q->gid);
	return r;
}

int life_start(struct spawner *sp, struct wire_start *ws, const char *blob_data)
{
	struct spawn_request *q = &ws->req;
	enum gate_mode mode = q->ahead ? GATE_WAIT : q->aside ? GATE_ASIDE : GATE_GO;
	char mark[SPAWN_MARK_MAX];
	struct run *run;
	int r;

	r = sp->stopping ? -RV_ESHUTDOWN : runs_add(&sp->runs, &run, &q->token);
	if (r < 0) {
		close_request(q);
		return r;
	}
	spawn_mark_format(mark, &q->token, sp->self.instance);
	r = start_new(&run->start, ws, blob_data, mark);
	if (r < 0) {
		runs_remove(&sp->runs, run);
		close_request(q);
		return r;
	}
	r = stamp_outputs(sp, run);
	if (r < 0) {
		run_forget_stamped(run);
		run->start = start_free(run->start);
		runs_remove(&sp->runs, run);
		return r;
	}
	prepare(sp, run, q);
	/* it may begin before this returns */
	run->number = GATE_NO_NUMBER;
	r = q->gate ? gates_enter(&sp->gates, run, q->gate, q->gate_slots, mode) : 0;
	if (r < 0) {
		claims_drop(&sp->claims, run->claim);
		run_forget_stamped(run);
		run->start = start_free(run->start);
		runs_remove(&sp->runs, run);
		return r;
	}
	if (!q->gate || mode != GATE_WAIT)
		submit(sp, run);
	if (q->gate)
		open_gate(sp, q->gate);
	return 0;
}

/* epoll tells of its end, unless it is known */
static void watch_end(struct spawner *sp, struct run *run, const struct start *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &run->source};

	if (s->ended) {
		run->claimed_end = s->end_claimed;
		run->info.ended_boot = s->ended_boot;
		run->info.ended_usec = s->ended_usec;
		list_append(&sp->ended, &run->ended_link);
		return;
	}
	/* ENOMEM, ENOSPC (max_user_watches): slower, not deaf */
	if (epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, run->pidfd, &ev) < 0) {
		run->unwatched = true;
		sp->n_unwatched++;
		sp->sigchld = true; /* it may have ended before */
	}
}

static void watch_ready(struct spawner *sp, struct run *run, struct start *s)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &run->ready_source};

	if (s->ready_fd < 0)
		return;
	run->ready_fd = TAKE_FD(s->ready_fd);
	if (epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, run->ready_fd, &ev) == 0)
		return;
	log_at(LOG_ERR, "spawn",
		"job %" PRIu64 ": whether it is ready cannot be watched: %s",
		run->info.token.job_id, rv_strerror(errno));
	run->ready_fd = close_safe(run->ready_fd);
}

static void run_set_started(struct spawner *sp, struct run *run, struct start *s)
{
	run->start = NULL;
	run->pidfd = TAKE_FD(s->pidfd);
	run->info.state = SPAWN_RUN_RUNNING;
	run->info.pid = s->pid;
	run->info.start_time = s->start_time;
	run->info.started_boot = s->started_boot;
	run->info.started_usec = s->started_usec;
	if (s->cgroup_leaf)
		run->cgroup_leaf = strdup(s->cgroup_leaf);
	run->stdin_fd = TAKE_FD(s->stdin_fd);
	if (run->stdin_fd >= 0)
		run->info.flags |= SPAWN_RUN_STDIN;
	watch_ready(sp, run, s);
	watch_end(sp, run, s);
	run->send_started = true;
	conn_tell(sp, run, news_may_wait(sp, run));
	/* what was asked for while it was starting */
	for (int sig = 1; sig <= 64; sig++) {
		uint64_t bit = UINT64_C(1) << (sig - 1);

		if (run->signals_wanted & bit)
			(void)tree_signal(&sp->orphans, run, TREE_GROUP, sig);
		else if (run->main_signals_wanted & bit)
			(void)tree_signal(&sp->orphans, run, TREE_MAIN, sig);
	}
	run->signals_wanted = run->main_signals_wanted = 0;
	if (run->pause_wanted)
		(void)life_pause(sp, run);
	runs_set_deadline(&sp->runs, run, RV_FOREVER);
	if (run->phase == RUN_KILLING)
		(void)life_kill(sp, run);
	else if (run->stop_wanted)
		(void)life_stop(sp, run, run->stop_wanted, run->stop_main_only,
			run->stop_grace);
}

void life_start_done(struct spawner *sp, struct start *s)
{
	struct run *run = s->run;

	if (run && s->error == 0) {
		run_set_started(sp, run, s);
		/* the gate has become short of runs, or none follows */
		sp->conn.news_urgent |= s->ended && !s->quiet;
	} else if (run) {
		if (s->cgroup_leaf)
			(void)rmdir(s->cgroup_leaf);
		run_set_failed(sp, run, s->error, s->step);
	}
	start_free(s);
}

void life_start_dropped(struct spawner *sp, struct start *s)
{
	struct run *run = s->run;

	if (!run)
		return;
	s->run = NULL;
	run_set_failed(sp, run, s->abandoned ? s->give_up : s->error, s->step);
	if (!s->abandoned)
		start_free(s);
}
