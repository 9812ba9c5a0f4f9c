/* What the spawner says: its table, and news of runs; see spawner_link.h. */
#include "config.h"

#include "daemon/spawner_link_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/readiness.h"
#include "daemon/run_stdin.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"

/* of orphans, in the log */
enum { ORPHANS_TOLD_MAX = 10 };
static const rv_time orphans_period = RV_SEC(60);

static struct run *run_of(struct spawner_link *l, const struct spawn_token *t)
{
	struct job *j = jobs_find(l->core->jobs, t->job_id);

	if (!j || !j->run || j->run->rec.token.run != t->run_no ||
		j->run->rec.token.epoch != t->epoch)
		return NULL;
	return j->run;
}

static struct aux_commands *link_aux(const struct spawner_link *l)
{
	return l->core->aux;
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

static void on_table_run(
	const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg)
{
	struct spawner_link *l = arg;

	if (l->n_table == l->n_table_max) {
		size_t n = l->n_table_max ? 2 * l->n_table_max : 64;
		struct spawner_run *v = reallocarray(l->table, n, sizeof(*v));

		if (!v) {
			close_safe(pidfd);
			close_safe(stdin_fd);
			l->table_incomplete = true;
			return;
		}
		l->table = v;
		l->n_table_max = n;
	}
	l->table[l->n_table++] = (struct spawner_run){
		.info = *info, .pidfd = pidfd, .stdin_fd = stdin_fd};
}

void link_drop_table(struct spawner_link *l)
{
	for (size_t i = 0; i < l->n_table; i++) {
		close_safe(l->table[i].pidfd);
		close_safe(l->table[i].stdin_fd);
		free(l->table[i].said);
	}
	l->notify_fd = close_safe(l->notify_fd);
	free(l->table);
	l->table = NULL;
	l->n_table = l->n_table_max = 0;
	l->table_incomplete = false;
}

void link_wake_wanting(struct spawner_link *l)
{
	struct list *node;

	while ((node = list_pop(&l->want_room)))
		rv_event_set(&LIST_ENTRY(node, struct run, want_room)->wake);
	aux_told_room(l->core->aux);
}

/* without memory for it what it said is lost, and nothing else */
static void on_said(const struct spawn_token *t, const char *text, void *arg)
{
	struct spawner_link *l = arg;
	struct spawner_run *last = l->n_table ? &l->table[l->n_table - 1] : NULL;

	if (last && !last->said && spawn_token_equal(&last->info.token, t))
		last->said = strdup(text);
}

static void on_notify(int fd, void *arg)
{
	struct spawner_link *l = arg;

	close_safe(l->notify_fd);
	l->notify_fd = fd;
}

static void on_run_ready(const struct spawn_run_info *info, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (run)
		run_told_ready(run);
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
	link_drop_table(l);
	l->ready = true;
	l->failed = false;
	scheduler_block(l->core->scheduler, BLOCK_SPAWNER, false);
	link_wake_wanting(l);
	spawner_link_wake(l);
}

static void on_started(
	const struct spawn_run_info *info, int pidfd, int stdin_fd, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (aux_is_token(&info->token)) {
		close_safe(stdin_fd);
		aux_told_started(link_aux(arg), info, pidfd);
		return;
	}
	if (run) {
		run_told_stdin(run, stdin_fd);
		run_told_started(run, info, pidfd);
		return;
	}
	close_safe(pidfd);
	close_safe(stdin_fd);
}

static void on_result(uint32_t seq, const struct spawn_token *t, int error, void *arg)
{
	struct run *run = run_of(arg, t);

	if (run)
		run_told_result(run, seq);
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

static bool is_of_leaving(const struct spawn_run_info *info)
{
	return spawn_run_never_began(info) ||
	       (info->step == SPAWN_STEP_REQUEST && info->error == RV_ESHUTDOWN);
}

/* It has been told to leave: the next one may have what was asked for. */
static void spawner_leaves(struct spawner_link *l)
{
	l->ready = false;
	scheduler_block(l->core->scheduler, BLOCK_SPAWNER, true);
}

static void aux_failed(struct spawner_link *l, const struct spawn_run_info *info)
{
	if (!is_of_leaving(info)) {
		aux_told_failed(l->core->aux, info);
		return;
	}
	spawner_leaves(l);
	aux_told_not_taken(l->core->aux, &info->token);
}

static void on_start_failed(const struct spawn_run_info *info, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (aux_is_token(&info->token)) {
		aux_failed(arg, info);
	} else if (run && spawn_run_was_recalled(info)) {
		run_told_recalled(run);
	} else if (run && is_of_leaving(info)) {
		spawner_leaves(arg);
		run_told_not_started(run);
	} else if (run) {
		run_told_failed(run, info);
	} else {
		ack_stranger(arg, info);
	}
}

static void on_exited(const struct spawn_run_info *info, void *arg)
{
	struct run *run = run_of(arg, &info->token);

	if (aux_is_token(&info->token))
		aux_told_exited(link_aux(arg), info);
	else if (run)
		run_told_exited(run, info);
	else
		ack_stranger(arg, info);
}

/* A job may leave one after the other: the log is not for it to fill. */
static bool may_tell_orphan(struct spawner_link *l)
{
	rv_time now = rv_now();

	if (l->n_orphans == 0 || now - l->orphans_since >= orphans_period) {
		if (l->n_orphans > ORPHANS_TOLD_MAX)
			log_at(LOG_NOTICE, "spawn",
				"%u more processes belonged to no run, leaving them "
				"alone",
				l->n_orphans - ORPHANS_TOLD_MAX);
		l->orphans_since = now;
		l->n_orphans = 0;
	}
	return ++l->n_orphans <= ORPHANS_TOLD_MAX;
}

static void on_orphan(const struct spawn_orphan *o, void *arg)
{
	char of[48] = "";

	if (!may_tell_orphan(arg))
		return;
	if (o->token.job_id)
		snprintf(of, sizeof(of), ", once of job %" PRIu64, o->token.job_id);
	log_at(LOG_NOTICE, "spawn",
		"process %d ('%.15s'%s) belongs to no run, leaving it alone",
		(int)o->pid, o->comm, of);
}

const struct spawn_client_ops link_client_ops = {
	.on_hello = on_hello,
	.on_table_run = on_table_run,
	.on_table_end = on_table_end,
	.on_started = on_started,
	.on_start_failed = on_start_failed,
	.on_exited = on_exited,
	.on_result = on_result,
	.on_orphan = on_orphan,
	.on_notify = on_notify,
	.on_said = on_said,
	.on_run_ready = on_run_ready,
};
