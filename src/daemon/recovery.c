#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
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
#include "daemon/scheduler.h"
#include "daemon/supervisor.h"
#include "reeve/executor.h"
#include "spawn/claims.h"
#include "spawn/exits.h"

struct pending {
	struct store_run rec;
	char *output;
};

/* an end from the exits file */
struct noted_end {
	char instance[SPAWN_ID_LEN +
		      1];           /* another spawner may have had the token too */
	struct spawn_run_info info; /* RUNNING: it did not end */
};

/* a spawner that left in good order; the exits file has all that was in its table */
struct left_spawner {
	char instance[SPAWN_ID_LEN + 1];
};

/* what a spawner had begun to start, and how it ended; sorted when matched */
struct seen_claims {
	char instance[SPAWN_ID_LEN + 1];
	struct spawn_run_info *runs;
	size_t n;
};

struct marked_process {
	struct spawn_token token;
	char instance[SPAWN_ID_LEN + 1]; /* other daemons have the same tokens */
	pid_t pid;
};

struct recovery {
	struct core *core;
	struct pending *pending;
	size_t n_pending;
	struct noted_end *ends;
	size_t n_ends;
	struct left_spawner *left;
	size_t n_left;
	struct seen_claims *claims;
	size_t n_claims;
	struct marked_process *marked;
	size_t n_marked;
	bool with_marks;  /* there are runs that a mark in /proc may help */
	bool ends_used;   /* some record's end came from the exits file */
	bool claims_used; /* likewise from a file of claims */
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
	rc->pending = NULL;
	rc->n_pending = 0;
}

static void drop_seen(struct recovery *rc)
{
	for (size_t i = 0; i < rc->n_claims; i++)
		free(rc->claims[i].runs);
	free(rc->claims);
	rc->claims = NULL;
	rc->n_claims = 0;
	free(rc->ends);
	free(rc->left);
	free(rc->marked);
	rc->ends = NULL;
	rc->left = NULL;
	rc->marked = NULL;
	rc->n_ends = rc->n_left = rc->n_marked = 0;
}

struct recovery *recovery_free(struct recovery *rc)
{
	if (rc) {
		drop_pending(rc);
		drop_seen(rc);
	}
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

/* ---- looking around: blocking ---------------------------------------------------- */

static int note_left(struct recovery *rc, const struct wire_hello *from)
{
	struct left_spawner *v = reallocarray(rc->left, rc->n_left + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	rc->left = v;
	memcpy(v[rc->n_left++].instance, from->instance, sizeof(v->instance));
	return 0;
}

static int note_end(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	struct recovery *rc = arg;
	struct noted_end *v;

	if (!info)
		return note_left(rc, from);
	v = reallocarray(rc->ends, rc->n_ends + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	rc->ends = v;
	v = &v[rc->n_ends++];
	memcpy(v->instance, from->instance, sizeof(v->instance));
	v->info = *info;
	return 0;
}

static int note_claims(
	const char *instance, const struct spawn_run_info *runs, size_t n, void *arg)
{
	struct recovery *rc = arg;
	struct seen_claims *v = reallocarray(rc->claims, rc->n_claims + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	rc->claims = v;
	v = &v[rc->n_claims];
	snprintf(v->instance, sizeof(v->instance), "%s", instance);
	v->n = n;
	v->runs = calloc(n + 1, sizeof(*runs));
	if (!v->runs)
		return -ENOMEM;
	rc->n_claims++;
	for (size_t i = 0; i < n; i++)
		v->runs[i] = runs[i];
	return 0;
}

/* In a worker. A process that is in exec is looked at again, for a second at most: more
 * than that no disk takes that works. */
static int get_mark(char **ret, pid_t pid)
{
	int r = -EAGAIN;

	for (int i = 0; i < 1000 && r == -EAGAIN; i++) {
		r = proc_environ_get(ret, pid, SPAWN_MARK_ENV);
		if (r == -EAGAIN)
			(void)poll(NULL, 0, 1);
	}
	return r;
}

static int note_mark(struct recovery *rc, pid_t pid)
{
	_cleanup_free_ char *mark = NULL;
	struct marked_process *v, m = {.pid = pid};

	/* the main process of a run leads its session; others only carry its mark along
	 */
	if (getsid(pid) != pid || get_mark(&mark, pid) < 0 ||
		spawn_mark_parse(&m.token, m.instance, mark) < 0)
		return 0;
	v = reallocarray(rc->marked, rc->n_marked + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	rc->marked = v;
	v[rc->n_marked++] = m;
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

static int look_around(void *arg)
{
	struct recovery *rc = arg;
	int r;

	r = spawn_exits_load(rc->core->state_fd, note_end, rc);
	if (r == -RV_ECORRUPT)
		log_at(LOG_ERR, "spawn", "'%s/%s' is damaged, ignoring it",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	else if (r < 0)
		return r;
	if (!rc->with_marks)
		return 0;
	r = spawn_claims_load(rc->core->state_fd, note_claims, rc);
	return r < 0 ? r : scan_proc(rc);
}

static bool some_in_doubt(const struct recovery *rc)
{
	struct jobs *jobs = rc->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1))
		if (j->run && j->run->in_doubt && !j->run->started)
			return true;
	return false;
}

int recovery_look_around(void *arg)
{
	struct recovery *rc = arg;

	drop_seen(rc);
	rc->with_marks = rc->n_pending || some_in_doubt(rc);
	return rv_run_blocking(rc->core->io, look_around, rc);
}

/* ---- matching -------------------------------------------------------------------- */

static bool same_run(const struct spawn_token *t, const struct run_token *r)
{
	return t->job_id == r->job_id && t->run_no == r->run && t->epoch == r->epoch;
}

static int compare_tokens(const struct spawn_token *a, const struct spawn_token *b)
{
	if (a->job_id != b->job_id)
		return a->job_id < b->job_id ? -1 : 1;
	if (a->run_no != b->run_no)
		return a->run_no < b->run_no ? -1 : 1;
	return (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

static int compare_claims(const void *a, const void *b)
{
	const struct spawn_run_info *x = a, *y = b;

	return compare_tokens(&x->token, &y->token);
}

static int compare_rows(const void *a, const void *b)
{
	const struct spawner_run *x = a, *y = b;

	return compare_tokens(&x->info.token, &y->info.token);
}

static int compare_ends(const void *a, const void *b)
{
	const struct noted_end *x = a, *y = b;
	int c = compare_tokens(&x->info.token, &y->info.token);

	return c ? c : strcmp(x->instance, y->instance);
}

static struct spawn_token token_of(const struct run_token *t)
{
	return (struct spawn_token){
		.job_id = t->job_id, .run_no = t->run, .epoch = t->epoch};
}

/* the table is sorted: thousands of runs are matched while the loop waits */
static struct spawner_run *find_in_table(
	struct spawner_run *runs, size_t n, const struct run_token *t)
{
	struct spawner_run key = {.info.token = token_of(t)};

	return n ? bsearch(&key, runs, n, sizeof(*runs), compare_rows) : NULL;
}

static struct run_end end_of(const struct spawn_run_info *info)
{
	if (info->state == SPAWN_RUN_FAILED)
		return (struct run_end){
			.kind = RUN_END_START_FAILED, .error = -info->error};
	return (struct run_end){.kind = RUN_END_EXITED,
		.wait_status = info->status,
		.shutdown = info->flags & SPAWN_RUN_SHUTDOWN};
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

/* The record of the start stays; the next start of the job overwrites it. */
static void was_never_started(struct recovery *rc, struct job *j)
{
	struct store_job rec;
	struct txn *t = txn_new();

	job_record(j, &rec);
	rec.state = j->flags & STORE_JOB_CANCEL ? JOB_FINISHED : JOB_QUEUED;
	rec.result =
		j->flags & STORE_JOB_CANCEL ? JOB_RESULT_CANCELLED : JOB_RESULT_NONE;
	if (rec.state == JOB_FINISHED)
		rec.finished_usec = clock_wall_usec(rc->core->clock);
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

static void adopt_from_table(struct recovery *rc, struct job *j,
	const struct pending *p, struct spawner_run *sr)
{
	struct run_end end;

	if (spawn_run_never_began(&sr->info)) {
		was_never_started(rc, j);
	} else if (info_is_end(&sr->info)) {
		end = end_of(&sr->info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &sr->info, &end, -1);
	} else {
		adopt(rc, j, p, RUN_FOUND_GOING_ON, &sr->info, NULL,
			TAKE_FD(sr->pidfd));
	}
}

/* What is left of a run whose spawner is gone. */
enum trace {
	TRACE_NONE,        /* nobody can tell: it is lost */
	TRACE_NOT_STARTED, /* its spawner left in good order and did not have it, or did
			    * not come to it before it was killed */
	TRACE_END,         /* its spawner wrote its end down: info holds */
	TRACE_PROCESS,     /* pidfd holds, and info what is known of the process */
};

static const struct noted_end *find_noted(
	const struct recovery *rc, const struct store_run *rec)
{
	struct noted_end key = {.info.token = token_of(&rec->token)};

	memcpy(key.instance, rec->spawner_id, sizeof(key.instance));
	return rc->n_ends ? bsearch(&key, rc->ends, rc->n_ends, sizeof(*rc->ends),
				    compare_ends)
			  : NULL;
}

static bool has_left(const struct recovery *rc, const char *instance)
{
	for (size_t i = 0; i < rc->n_left; i++)
		if (STREQ(rc->left[i].instance, instance))
			return true;
	return false;
}

/* What its spawner, which was killed, wrote down of it: 1; 0: it is not there, so it was not
 * begun; -ENODATA: nobody knows, there is no such file. */
static int find_claim(const struct recovery *rc, const struct store_run *rec,
	struct spawn_run_info *ret)
{
	struct spawn_run_info key = {.token = token_of(&rec->token)}, *found;

	for (size_t i = 0; i < rc->n_claims; i++) {
		const struct seen_claims *c = &rc->claims[i];

		if (!STREQ(c->instance, rec->spawner_id))
			continue;
		found = bsearch(&key, c->runs, c->n, sizeof(key), compare_claims);
		if (found)
			*ret = *found;
		return found != NULL;
	}
	return -ENODATA;
}

/* By its pid; by its mark only where that was not recorded any more. What the main process
 * leaves behind has the mark too, and may lead a session as it does: the first to have begun
 * is the main process, as long as that is there. */
static int find_process(const struct recovery *rc, const struct store_run *rec,
	int32_t *ret_pid, uint64_t *ret_start)
{
	*ret_pid = rec->pid;
	*ret_start = rec->pid_start;
	for (size_t i = 0; i < rc->n_marked && !rec->pid; i++) {
		const struct marked_process *m = &rc->marked[i];
		uint64_t start;

		if (!same_run(&m->token, &rec->token) ||
			!STREQ(m->instance, rec->spawner_id) ||
			process_start_time(&start, m->pid) < 0 ||
			(*ret_pid && start >= *ret_start))
			continue;
		*ret_pid = m->pid;
		*ret_start = start;
	}
	return *ret_pid ? pidfd_open_checked(*ret_pid, *ret_start) : -ESRCH;
}

/* TRACE_PROCESS: it may go on; what is left of one that has ended is none of it. */
static enum trace look_at_claim(
	struct recovery *rc, const struct store_run *rec, struct spawn_run_info *ret)
{
	struct spawn_run_info claim;
	int r = find_claim(rc, rec, &claim);

	if (r < 0 || (r == 0 && rec->pid))
		return TRACE_NONE;
	if (r > 0 && !info_is_end(&claim))
		return TRACE_PROCESS;
	rc->claims_used = true;
	if (r == 0 || spawn_run_never_began(&claim))
		return TRACE_NOT_STARTED;
	*ret = claim;
	return TRACE_END;
}

static enum trace look_for(struct recovery *rc, const struct store_run *rec,
	struct spawn_run_info *info, int *ret_pidfd)
{
	const struct noted_end *e = find_noted(rc, rec);
	rv_time tick = RV_SEC(1) / sysconf(_SC_CLK_TCK);
	enum trace claimed;

	*info = (struct spawn_run_info){.state = SPAWN_RUN_RUNNING};
	*ret_pidfd = -1;
	if (e && info_is_end(&e->info) && !spawn_run_never_began(&e->info)) {
		rc->ends_used = true;
		*info = e->info;
		return TRACE_END;
	}
	if (e ? spawn_run_never_began(&e->info) : has_left(rc, rec->spawner_id)) {
		rc->ends_used = true;
		return TRACE_NOT_STARTED;
	}
	if (!STREQ(rec->boot_id, rc->core->boot_id))
		return TRACE_NONE;
	claimed = look_at_claim(rc, rec, info);
	if (claimed == TRACE_END)
		return TRACE_END;
	*ret_pidfd = find_process(rc, rec, &info->pid, &info->start_time);
	if (*ret_pidfd < 0)
		return claimed == TRACE_NOT_STARTED ? TRACE_NOT_STARTED : TRACE_NONE;
	info->token = (struct spawn_token){.job_id = rec->token.job_id,
		.run_no = rec->token.run,
		.epoch = rec->token.epoch};
	info->started_boot = (rv_time)info->start_time * tick;
	info->started_usec = rec->started_usec;
	return TRACE_PROCESS;
}

static void look_for_pending(
	struct recovery *rc, struct job *j, const struct pending *p)
{
	struct run_end end = {.kind = RUN_END_LOST};
	struct spawn_run_info info;
	int pidfd;

	switch (look_for(rc, &p->rec, &info, &pidfd)) {
	case TRACE_NOT_STARTED: was_never_started(rc, j); return;
	case TRACE_PROCESS:
		adopt(rc, j, p, RUN_FOUND_BY_PIDFD, &info, NULL, pidfd);
		return;
	case TRACE_END:
		end = end_of(&info);
		adopt(rc, j, p, RUN_FOUND_ENDED, &info, &end, -1);
		return;
	case TRACE_NONE:
		/* another boot: the machine went down under it */
		end.shutdown = !STREQ(p->rec.boot_id, rc->core->boot_id);
		adopt(rc, j, p, RUN_FOUND_ENDED, NULL, &end, -1);
		return;
	}
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
			look_for_pending(rc, j, p);
	}
	drop_pending(rc);
}

static void look_for_run(struct recovery *rc, struct run *run)
{
	struct spawn_run_info info;
	enum trace trace;
	int pidfd;

	trace = look_for(rc, &run->rec, &info, &pidfd);
	if (trace == TRACE_END && info.state == SPAWN_RUN_FAILED)
		run_told_failed(run, &info);
	else if (trace == TRACE_END)
		run_told_exited(run, &info);
	else if (trace == TRACE_NOT_STARTED && !run->started)
		run_told_not_started(run);
	else if (trace == TRACE_PROCESS && !run->started)
		run_told_started(run, &info, TAKE_FD(pidfd));
	close_safe(pidfd);
	if (trace == TRACE_PROCESS || trace == TRACE_NONE)
		run_told_spawner_gone(run);
}

static void tell_from_table(struct run *run, struct spawner_run *sr)
{
	switch (sr->info.state) {
	case SPAWN_RUN_STARTING:
		rv_event_set(&run->wake); /* the link tells what becomes of it */
		break;
	case SPAWN_RUN_RUNNING:
		run_told_started(run, &sr->info, TAKE_FD(sr->pidfd));
		break;
	case SPAWN_RUN_EXITED: run_told_exited(run, &sr->info); break;
	case SPAWN_RUN_FAILED:
		if (spawn_run_never_began(&sr->info))
			run_told_not_started(run);
		else
			run_told_failed(run, &sr->info);
		break;
	}
}

/* runs of this reeved whose spawner's connection was lost meanwhile */
static void match_in_doubt(
	struct recovery *rc, struct spawner_run *runs, size_t n, bool same_instance)
{
	struct jobs *jobs = rc->core->jobs;

	for (struct job *j = jobs_at_or_after(jobs, 1); j;
		j = jobs_at_or_after(jobs, j->id + 1)) {
		struct run *run = j->run;
		struct spawner_run *sr;

		if (!run || !run->in_doubt)
			continue;
		run->in_doubt = false;
		sr = find_in_table(runs, n, &run->rec.token);
		if (sr)
			tell_from_table(run, sr);
		else if (same_instance && !run->started)
			run_told_not_started(run);
		else
			look_for_run(rc, run);
	}
}

/* In the table, but nobody was told of it: its end is on disk already, or just on its
 * way there and acknowledged after it, or it was never ours. */
static void settle_strangers(struct recovery *rc, struct spawner_run *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct spawn_run_info *info = &runs[i].info;

		if (spawner_link_is_awaited(rc->core, &info->token))
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

/* Those of spawners that are gone. One that told of a start is kept until the next time: that
 * the run is with nobody is on disk soon, not now. */
static void sweep_claims(struct recovery *rc)
{
	int r = spawn_claims_sweep(
		rc->core->state_fd, spawner_link_instance(rc->core->spawner));

	if (r < 0)
		log_at(LOG_WARNING, "spawn", "cannot remove old '%s/%s*': %s, ignoring",
			rc->core->state_dir, SPAWN_CLAIMS_PREFIX, rv_strerror(r));
}

void recovery_match(struct spawner_run *runs, size_t n, bool same_instance, void *arg)
{
	struct recovery *rc = arg;

	if (n)
		qsort(runs, n, sizeof(*runs), compare_rows);
	if (rc->n_ends)
		qsort(rc->ends, rc->n_ends, sizeof(*rc->ends), compare_ends);
	for (size_t i = 0; i < rc->n_claims; i++)
		qsort(rc->claims[i].runs, rc->claims[i].n,
			sizeof(struct spawn_run_info), compare_claims);
	if (!rc->first_done)
		match_pending(rc, runs, n);
	else
		match_in_doubt(rc, runs, n, same_instance);
	settle_strangers(rc, runs, n);
	drop_seen(rc);
	/* What was used is on disk soon, not now: the file goes at the start that needs
	 * nothing of it any more. */
	if (!rc->first_done && !rc->ends_used &&
		spawn_exits_remove(rc->core->state_fd) < 0)
		log_at(LOG_WARNING, "spawn", "cannot remove '%s/%s'",
			rc->core->state_dir, SPAWN_EXITS_NAME);
	if (!rc->claims_used)
		sweep_claims(rc);
	rc->claims_used = false;
	rc->first_done = true;
	/* verbs that came before they could be judged; they go before what may start now */
	jobs_wake_waiters(rc->core->jobs);
	scheduler_block(rc->core->scheduler, BLOCK_STARTUP, false);
}
