/* What the spawner says of auxiliary commands; see aux.h. */
#include "config.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/proc.h"
#include "daemon/aux_priv.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/pidfd_status.h"
#include "daemon/run.h"
#include "daemon/traces.h"

static void has_started(struct aux *a, const struct spawn_run_info *info, int pidfd)
{
	a->started = true;
	a->in_doubt = false;
	a->pid = info->pid;
	a->started_boot = info->started_boot;
	if (pidfd >= 0) {
		close_safe(a->pidfd);
		a->pidfd = pidfd;
	}
	rv_event_set(&a->wake);
	aux_act(a);
}

void aux_told_started(
	struct aux_commands *all, const struct spawn_run_info *info, int pidfd)
{
	struct aux *a = aux_of_token(all, &info->token);

	if (a && !a->ended)
		has_started(a, info, pidfd);
	else
		close_safe(pidfd);
}

/* nobody asks for it */
static void acknowledge_stranger(
	struct aux_commands *all, const struct spawn_run_info *info)
{
	spawner_link_ack_token(all->core->spawner, &info->token);
}

/* It is not with the spawner, and never was. */
static void was_not_taken(struct aux *a)
{
	a->sent = a->in_doubt = a->line_sent = false;
	if (a->unwanted)
		aux_drop(a);
	else
		rv_event_set(&a->wake);
}

void aux_told_not_taken(struct aux_commands *all, const struct spawn_token *t)
{
	struct aux *a = aux_of_token(all, t);

	if (a)
		was_not_taken(a);
}

void aux_told_failed(struct aux_commands *all, const struct spawn_run_info *info)
{
	struct aux *a = aux_of_token(all, &info->token);
	struct aux_end end = {
		.how = AUX_NOT_STARTED, .error = -info->error, .step = info->step};

	if (a)
		aux_set_ended(a, &end);
	else
		acknowledge_stranger(all, info);
}

void aux_told_exited(struct aux_commands *all, const struct spawn_run_info *info)
{
	struct aux *a = aux_of_token(all, &info->token);
	struct aux_end end = {.how = AUX_EXITED, .status = info->status};

	if (a)
		aux_set_ended(a, &end);
	else
		acknowledge_stranger(all, info);
}

void aux_told_room(struct aux_commands *all)
{
	if (!all->some_want)
		return;
	all->some_want = false;
	LIST_FOREACH(node, &all->all) {
		struct aux *a = LIST_ENTRY(node, struct aux, link);

		if (!a->sent)
			rv_event_set(&a->wake);
		aux_act(a);
	}
}

/* ---- another connection ------------------------------------------------------------------------ */

void aux_told_lost_link(struct aux_commands *all)
{
	all->some_want = true;
	LIST_FOREACH(node, &all->all) {
		struct aux *a = LIST_ENTRY(node, struct aux, link);

		a->in_doubt = a->sent && !a->ended;
		/* went down with it, unless it is in the table of the next one */
		a->stop_sent = a->kill_sent = a->line_sent = false;
	}
}

bool aux_some_in_doubt(const struct aux_commands *all)
{
	LIST_FOREACH(node, &all->all)
		if (LIST_ENTRY(node, struct aux, link)->in_doubt)
			return true;
	return false;
}

/* What we told the spawner, or the daemon before us did. Of a spawner, or a daemon, that knows
 * nothing of it, it stays 0. */
static void take_line(struct aux *a, const char *said)
{
	const char *at = said ? strstr(said, SPAWN_SAID_LINE) : NULL;

	if (at && sscanf(at + strlen(SPAWN_SAID_LINE), "%16" SCNx64, &a->line) == 1)
		a->line_sent = true;
}

static void take_row(struct aux *a, struct spawner_run *sr)
{
	struct aux_commands *all = a->all;

	a->sent = a->seen = true;
	take_line(a, sr->said);
	switch (sr->info.state) {
	case SPAWN_RUN_STARTING: a->in_doubt = false; break;
	case SPAWN_RUN_RUNNING: has_started(a, &sr->info, TAKE_FD(sr->pidfd)); break;
	case SPAWN_RUN_FAILED: aux_told_failed(all, &sr->info); return;
	case SPAWN_RUN_EXITED: aux_told_exited(all, &sr->info); return;
	}
	aux_act(a);
}

/* of a run that goes on, or has ended and is not on disk yet, and not to be run again */
static bool is_of_a_run(const struct aux_commands *all, const struct spawn_token *t)
{
	const struct job *j = jobs_find(all->core->jobs, t->job_id);
	unsigned place = spawn_aux_place(t->run_no);

	return j && j->run && aux_is_kept(place) &&
	       spawn_aux_number(place, j->run->rec.token.run) == t->run_no;
}

/* Another daemon began it. Its place has nothing else, as its job's run has only just been
 * found; where it has, or without memory, this one stays with the spawner, and goes with the
 * next daemon. */
static void find(struct aux_commands *all, struct spawner_run *sr)
{
	uint64_t key = aux_key_of(&sr->info.token);
	struct aux *a = aux_find(all, key) ? NULL : aux_new(all, key, &sr->info.token);

	if (!a) {
		log_at(LOG_WARNING, "service",
			"a command of job %" PRIu64 " cannot be followed, leaving it",
			sr->info.token.job_id);
		return;
	}
	a->unwanted = !is_of_a_run(all, &sr->info.token);
	a->kill_wanted = a->unwanted;
	take_row(a, sr);
}

/* Its group is its pid: as long as the pidfd takes a signal, that number cannot be
 * another's. */
static void kill_group(int pidfd, pid_t pid)
{
	if (pidfd >= 0 && pid > 1 && pidfd_kill(pidfd, 0) >= 0)
		(void)kill(-pid, SIGKILL);
}

static bool is_ours(const struct traces *tr, const char *instance)
{
	for (size_t i = 0; i < tr->n_claims; i++)
		if (STREQ(tr->claims[i].instance, instance))
			return true;
	return false;
}

/* What a spawner that is gone has left: nobody can tell how it ends, so it does now. */
static void kill_left(const struct traces *tr, const char *instance)
{
	for (size_t i = 0; i < tr->n_marked; i++) {
		const struct marked_process *m = &tr->marked[i];
		_cleanup_close_ int fd = -1;
		uint64_t start;

		if (!aux_is_token(&m->token) || STREQ(m->instance, instance) ||
			!is_ours(tr, m->instance) ||
			process_start_time(&start, m->pid) < 0)
			continue;
		fd = pidfd_open_checked(m->pid, start);
		log_at(LOG_WARNING, "service",
			"ending process %d, a command of job %" PRIu64
			" whose spawner is gone",
			(int)m->pid, m->token.job_id);
		kill_group(fd, m->pid);
	}
}

static void is_not_in_the_table(struct aux *a, bool same_instance)
{
	struct aux_end lost = {.how = AUX_LOST};

	if (same_instance && !a->started) {
		was_not_taken(a);
		return;
	}
	kill_group(a->pidfd, a->pid);
	aux_set_ended(a, &lost);
}

void aux_match(struct aux_commands *all, struct spawner_run *runs, size_t n,
	bool same_instance, const struct traces *tr)
{
	struct list *node, *next;

	for (node = all->all.next; node != &all->all; node = node->next)
		LIST_ENTRY(node, struct aux, link)->seen = false;
	for (size_t i = 0; i < n; i++) {
		struct aux *a = aux_is_token(&runs[i].info.token)
					? aux_of_token(all, &runs[i].info.token)
					: NULL;

		if (a && a->sent)
			take_row(a, &runs[i]);
		else if (a) /* one before it, which was acknowledged */
			acknowledge_stranger(all, &runs[i].info);
	}
	for (node = all->all.next; node != &all->all; node = next) {
		struct aux *a = LIST_ENTRY(node, struct aux, link);

		next = node->next;
		if (a->in_doubt && !a->seen)
			is_not_in_the_table(a, same_instance);
	}
	for (size_t i = 0; i < n; i++)
		if (aux_is_token(&runs[i].info.token) &&
			!aux_of_token(all, &runs[i].info.token))
			find(all, &runs[i]);
	if (!same_instance)
		kill_left(tr, spawner_link_instance(all->core->spawner));
}
