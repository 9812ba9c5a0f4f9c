#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/hashmap.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "daemon/commit.h"
#include "daemon/core.h"
#include "daemon/jobs.h"
#include "daemon/pidfd_status.h"
#include "daemon/recovery.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"
#include "spawn/exits.h"

struct pending {
	struct store_run rec;
	char *output;
};

/* an end from the exits file */
struct noted_end {
	char instance[SPAWN_ID_LEN + 1];
	struct spawn_run_info info;
};

struct marked_process {
	struct spawn_token token;
	pid_t pid;
};

struct recovery {
	struct core *core;
	struct pending *pending;
	size_t n_pending;
	struct noted_end *ends;
	size_t n_ends;
	struct marked_process *marked;
	size_t n_marked;
	bool ends_used; /* some record's end came from the exits file */
	bool first_done;
};

int recovery_new(struct recovery **ret, struct core *core)
{
	struct recovery *rc = calloc(1, sizeof(*rc));

	if (!rc)
		return -ENOMEM;
	rc->core = core;
	*ret = rc;
	return 0;
}

static void drop_pending(struct recovery *rc)
{
	for (size_t i = 0; i < rc->n_pending; i++)
		free(rc->pending[i].output);
	free(rc->pending);
	free(rc->ends);
	free(rc->marked);
	rc->pending = NULL;
	rc->ends = NULL;
	rc->marked = NULL;
	rc->n_pending = rc->n_ends = rc->n_marked = 0;
}

struct recovery *recovery_free(struct recovery *rc)
{
	if (rc)
		drop_pending(rc);
	free(rc);
	return NULL;
}

int recovery_add(struct recovery *rc, const struct store_run *rec)
{
	struct pending *v = reallocarray(rc->pending, rc->n_pending + 1, sizeof(*v));
	struct pending *p;

	if (!v)
		return -ENOMEM;
	rc->pending = v;
	p = &v[rc->n_pending];
	*p = (struct pending){.rec = *rec};
	p->rec.step = p->rec.reason = p->rec.value = NULL;
	p->output = rec->output ? strdup(rec->output) : NULL;
	if (rec->output && !p->output)
		return -ENOMEM;
	p->rec.output = p->output;
	rc->n_pending++;
	return 0;
}

/* ---- looking around: blocking ------------------------------------------------------------------ */

static int note_end(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	struct recovery *rc = arg;
	struct noted_end *v = reallocarray(rc->ends, rc->n_ends + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	rc->ends = v;
	v[rc->n_ends].info = *info;
	memcpy(v[rc->n_ends].instance, from->instance, sizeof(v->instance));
	rc->n_ends++;
	return 0;
}

static int note_mark(struct recovery *rc, pid_t pid)
{
	_cleanup_free_ char *mark = NULL;
	struct marked_process *v;
	struct spawn_token t;

	/* the main process of a run leads its session; others only carry its mark along */
	if (proc_environ_get(&mark, pid, SPAWN_MARK_ENV) < 0 || getsid(pid) != pid ||
		spawn_mark_parse(&t, NULL, mark) < 0)
		return 0;
	v = reallocarray(rc->marked, rc->n_marked + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	rc->marked = v;
	v[rc->n_marked++] = (struct marked_process){.token = t, .pid = pid};
	return 0;
}

static int scan_proc(struct recovery *rc)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t pid;
		int r;

		if (parse_u64(&pid, e->d_name, 2, INT32_MAX) < 0)
			continue;
		r = note_mark(rc, (pid_t)pid);
		if (r < 0)
			return r;
	}
	return 0;
}

int recovery_look_around(struct recovery *rc)
{
	int r;

	r = spawn_exits_load(rc->core->state_fd, note_end, rc);
	if (r == -RV_ECORRUPT)
		log_at(LOG_ERR, "spawn", "'%s/%s' is damaged, ignoring it",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	else if (r < 0)
		return r;
	return rc->n_pending ? scan_proc(rc) : 0;
}

/* ---- matching ------------------------------------------------------------------------------------ */

static bool same_run(const struct spawn_token *t, const struct run_token *r)
{
	return t->job_id == r->job_id && t->run_no == r->run && t->epoch == r->epoch;
}

static struct spawner_run *find_in_table(
	struct spawner_run *runs, size_t n, const struct run_token *t)
{
	for (size_t i = 0; i < n; i++)
		if (same_run(&runs[i].info.token, t))
			return &runs[i];
	return NULL;
}

static const struct noted_end *find_noted(
	const struct recovery *rc, const struct run_token *t)
{
	for (size_t i = 0; i < rc->n_ends; i++)
		if (same_run(&rc->ends[i].info.token, t))
			return &rc->ends[i];
	return NULL;
}

static struct run_end end_of(const struct spawn_run_info *info)
{
	if (info->state == SPAWN_RUN_FAILED)
		return (struct run_end){
			.kind = RUN_END_START_FAILED, .error = -info->error};
	return (struct run_end){.kind = RUN_END_EXITED, .wait_status = info->status};
}

static bool info_is_end(const struct spawn_run_info *info)
{
	return info->state == SPAWN_RUN_EXITED || info->state == SPAWN_RUN_FAILED;
}

static void adopt(struct recovery *rc, struct job *j, const struct pending *p,
	enum run_found found, const struct spawn_run_info *info,
	const struct run_end *end, int pidfd)
{
	int r = supervisor_adopt(rc->core, j, &p->rec, found, info, end, pidfd);

	if (r < 0)
		log_at(LOG_ERR, "job",
			"job %" PRIu64 " cannot be followed: %s; restart the daemon",
			j->id, rv_strerror(r));
}

static void adopt_from_table(struct recovery *rc, struct job *j,
	const struct pending *p, struct spawner_run *sr)
{
	struct run_end end;

	sr->taken = true;
	if (info_is_end(&sr->info)) {
		end = end_of(&sr->info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &sr->info, &end, -1);
	} else {
		adopt(rc, j, p, RUN_FOUND_GOING_ON, &sr->info, NULL,
			TAKE_FD(sr->pidfd));
	}
}

/* The record of the start stays; the next start of the job overwrites it. */
static void was_never_started(struct recovery *rc, struct job *j)
{
	struct store_job rec;
	struct txn *t = txn_new();

	job_record(j, &rec);
	rec.state = j->flags & STORE_JOB_CANCEL ? JOB_FINISHED : JOB_QUEUED;
	rec.result =
		j->flags & STORE_JOB_CANCEL ? JOB_RESULT_CANCELLED : JOB_RESULT_NONE;
	rec.n_runs--;
	rec.flags = 0;
	log_at(LOG_INFO, "job",
		"job %" PRIu64 " was not started yet, it is queued again", j->id);
	if (!t || job_record_put(t, &rec) < 0) {
		txn_free(t);
		return;
	}
	committer_post(rc->core->committer, t, COMMIT_MUST, NULL, NULL);
	job_publish(rc->core->jobs, j, &rec);
	scheduler_place(rc->core->scheduler, j);
}

/* its spawner is gone: what is left of the run? */
static void look_elsewhere(struct recovery *rc, struct job *j, const struct pending *p)
{
	const struct noted_end *e = find_noted(rc, &p->rec.token);
	struct run_end end = {.kind = RUN_END_LOST};
	int pidfd = -ESRCH;

	if (e) {
		rc->ends_used = true;
		end = end_of(&e->info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &e->info, &end, -1);
		return;
	}
	if (!STREQ(p->rec.boot_id, rc->core->boot_id)) {
		end.shutdown = true; /* the machine went down under it */
		adopt(rc, j, p, RUN_FOUND_ENDED, NULL, &end, -1);
		return;
	}
	if (p->rec.pid)
		pidfd = pidfd_open_checked(p->rec.pid, p->rec.pid_start);
	for (size_t i = 0; i < rc->n_marked && pidfd < 0; i++) {
		uint64_t start;

		if (same_run(&rc->marked[i].token, &p->rec.token) &&
			process_start_time(&start, rc->marked[i].pid) >= 0)
			pidfd = pidfd_open_checked(rc->marked[i].pid, start);
	}
	if (pidfd >= 0)
		adopt(rc, j, p, RUN_FOUND_BY_PIDFD, NULL, NULL, pidfd);
	else
		adopt(rc, j, p, RUN_FOUND_ENDED, NULL, &end, -1);
}

static void match_pending(struct recovery *rc, struct spawner_run *runs, size_t n)
{
	const char *instance = spawner_link_instance(rc->core->spawner);

	for (size_t i = 0; i < rc->n_pending; i++) {
		struct pending *p = &rc->pending[i];
		struct job *j = jobs_find(rc->core->jobs, p->rec.token.job_id);
		struct spawner_run *sr = find_in_table(runs, n, &p->rec.token);

		if (!j || j->run)
			continue;
		if (sr)
			adopt_from_table(rc, j, p, sr);
		else if (STREQ(p->rec.spawner_id, instance) && !p->rec.pid)
			was_never_started(rc, j);
		else
			look_elsewhere(rc, j, p);
	}
	drop_pending(rc);
}

static void tell_noted(struct recovery *rc, struct run *run, const struct noted_end *e)
{
	rc->ends_used = true;
	run->spawner_gone = true; /* nobody is there to be told that it is recorded */
	if (e->info.state == SPAWN_RUN_FAILED)
		run_told_failed(run, &e->info);
	else
		run_told_exited(run, &e->info);
}

/* runs of this reeved whose spawner's connection was lost meanwhile */
static void match_in_doubt(
	struct recovery *rc, struct spawner_run *runs, size_t n, bool same_instance)
{
	struct jobs *jobs = rc->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1)) {
		struct run *run = j->run;
		const struct noted_end *noted;
		struct spawner_run *sr;

		if (!run)
			continue;
		/* also of a run that has ended: until its record is on disk the spawner must
		 * not forget it */
		sr = find_in_table(runs, n, &run->rec.token);
		if (sr)
			sr->taken = true;
		if (!run->in_doubt)
			continue;
		run->in_doubt = false;
		noted = sr ? NULL : find_noted(rc, &run->rec.token);
		if (noted)
			tell_noted(rc, run, noted);
		else if (!sr && same_instance && !run->started)
			run_told_not_started(run);
		else if (!sr)
			run_told_spawner_gone(run);
		else if (sr->info.state == SPAWN_RUN_EXITED)
			run_told_exited(run, &sr->info);
		else if (sr->info.state == SPAWN_RUN_FAILED)
			run_told_failed(run, &sr->info);
		else if (sr->info.state == SPAWN_RUN_RUNNING)
			run_told_started(run, &sr->info, TAKE_FD(sr->pidfd));
	}
}

/* In the table, but in no record: its end is on disk already, or it was never ours. */
static void settle_strangers(struct recovery *rc, struct spawner_run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct spawn_run_info *info = &runs[i].info;

		if (runs[i].taken)
			continue;
		if (info_is_end(info))
			spawner_link_ack_token(rc->core->spawner, &info->token);
		else
			log_at(LOG_WARNING, "spawn",
				"the spawner runs job %" PRIu64
				", which is in no record; leaving it",
				info->token.job_id);
	}
}

void recovery_match(struct spawner_run *runs, size_t n, bool same_instance, void *arg)
{
	struct recovery *rc = arg;

	if (!rc->first_done) {
		match_pending(rc, runs, n);
	} else {
		/* a spawner that was ended wrote what it still knew; a small file, rarely */
		if (!same_instance &&
			spawn_exits_load(rc->core->state_fd, note_end, rc) < 0)
			log_at(LOG_WARNING, "spawn", "cannot read '%s/%s', ignoring it",
				rc->core->state_dir, SPAWN_EXITS_NAME);
		match_in_doubt(rc, runs, n, same_instance);
		drop_pending(rc);
	}
	settle_strangers(rc, runs, n);
	/* What was used is on disk soon, not now: the file goes at the start that needs
	 * nothing of it any more. */
	if (!rc->first_done && !rc->ends_used &&
		spawn_exits_remove(rc->core->state_fd) < 0)
		log_at(LOG_WARNING, "spawn", "cannot remove '%s/%s'",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	rc->first_done = true;
	scheduler_block(rc->core->scheduler, BLOCK_STARTUP, false);
}
