/* What spawners have left; see traces.h. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/proc.h"
#include "daemon/pidfd_status.h"
#include "daemon/traces.h"
#include "spawn/claims.h"
#include "spawn/exits.h"

void traces_drop(struct traces *tr)
{
	for (size_t i = 0; i < tr->n_claims; i++)
		free(tr->claims[i].runs);
	free(tr->claims);
	tr->claims = NULL;
	tr->n_claims = 0;
	free(tr->ends);
	free(tr->left);
	free(tr->marked);
	tr->ends = NULL;
	tr->left = NULL;
	tr->marked = NULL;
	tr->n_ends = tr->n_left = tr->n_marked = 0;
}

/* ---- reading: blocking -------------------------------------------------------------- */

static int note_left(struct traces *tr, const struct wire_hello *from)
{
	struct left_spawner *v = reallocarray(tr->left, tr->n_left + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	tr->left = v;
	memcpy(v[tr->n_left++].instance, from->instance, sizeof(v->instance));
	return 0;
}

static int note_end(
	const struct wire_hello *from, const struct spawn_run_info *info, void *arg)
{
	struct traces *tr = arg;
	struct noted_end *v;

	if (!info)
		return note_left(tr, from);
	v = reallocarray(tr->ends, tr->n_ends + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	tr->ends = v;
	v = &v[tr->n_ends++];
	memcpy(v->instance, from->instance, sizeof(v->instance));
	v->info = *info;
	return 0;
}

static int note_claims(
	const char *instance, const struct spawn_run_info *runs, size_t n, void *arg)
{
	struct traces *tr = arg;
	struct seen_claims *v = reallocarray(tr->claims, tr->n_claims + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	tr->claims = v;
	v = &v[tr->n_claims];
	snprintf(v->instance, sizeof(v->instance), "%s", instance);
	v->n = n;
	v->runs = calloc(n + 1, sizeof(*runs));
	if (!v->runs)
		return -ENOMEM;
	tr->n_claims++;
	for (size_t i = 0; i < n; i++)
		v->runs[i] = runs[i];
	return 0;
}

/* In a worker. A process that is in exec is looked at again, for a second at most: more
 * than that no disk takes that works. Not one that may not be read (-EACCES): such are most
 * of a machine's, for all but root, and all that recover wait for this. */
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

static int note_mark(struct traces *tr, pid_t pid)
{
	_cleanup_free_ char *mark = NULL;
	struct marked_process *v, m = {.pid = pid};

	/* the main process of a run leads its session; others only carry its mark along
	 */
	if (getsid(pid) != pid || get_mark(&mark, pid) < 0 ||
		spawn_mark_parse(&m.token, m.instance, mark) < 0)
		return 0;
	v = reallocarray(tr->marked, tr->n_marked + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	tr->marked = v;
	v[tr->n_marked++] = m;
	return 0;
}

static int scan_proc(struct traces *tr)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		uint64_t pid;
		int r;

		if (parse_u64(&pid, e->d_name, 2, INT32_MAX) < 0)
			continue;
		r = note_mark(tr, (pid_t)pid);
		if (r < 0)
			return r;
	}
	return 0;
}

int traces_read_exits(struct traces *tr, int state_fd)
{
	int r = spawn_exits_load(state_fd, note_end, tr);

	return MIN(r, 0);
}

int traces_read_rest(struct traces *tr, int state_fd)
{
	int r = spawn_claims_load(state_fd, note_claims, tr);

	return r < 0 ? r : scan_proc(tr);
}

/* ---- finding ------------------------------------------------------------------------ */

static int compare_claims(const void *a, const void *b)
{
	const struct spawn_run_info *x = a, *y = b;

	return spawn_token_compare(&x->token, &y->token);
}

static int compare_ends(const void *a, const void *b)
{
	const struct noted_end *x = a, *y = b;
	int c = spawn_token_compare(&x->info.token, &y->info.token);

	return c ? c : strcmp(x->instance, y->instance);
}

void traces_sort(struct traces *tr)
{
	if (tr->n_ends)
		qsort(tr->ends, tr->n_ends, sizeof(*tr->ends), compare_ends);
	for (size_t i = 0; i < tr->n_claims; i++)
		qsort(tr->claims[i].runs, tr->claims[i].n,
			sizeof(struct spawn_run_info), compare_claims);
}

struct spawn_token traces_token(const struct run_token *t)
{
	return (struct spawn_token){
		.job_id = t->job_id, .run_no = t->run, .epoch = t->epoch};
}

bool traces_is_end(const struct spawn_run_info *info)
{
	return info->state == SPAWN_RUN_EXITED || info->state == SPAWN_RUN_FAILED;
}

static const struct noted_end *find_noted(
	const struct traces *tr, const struct store_run *rec)
{
	struct noted_end key = {.info.token = traces_token(&rec->token)};

	memcpy(key.instance, rec->spawner_id, sizeof(key.instance));
	return tr->n_ends ? bsearch(&key, tr->ends, tr->n_ends, sizeof(*tr->ends),
				    compare_ends)
			  : NULL;
}

static bool has_left(const struct traces *tr, const char *instance)
{
	for (size_t i = 0; i < tr->n_left; i++)
		if (STREQ(tr->left[i].instance, instance))
			return true;
	return false;
}

/* What its spawner, which was killed, wrote down of it: 1; 0: it is not there, so it was not
 * begun; -ENODATA: nobody knows, there is no such file. */
static int find_claim(const struct traces *tr, const struct store_run *rec,
	struct spawn_run_info *ret)
{
	struct spawn_run_info key = {.token = traces_token(&rec->token)}, *found;

	for (size_t i = 0; i < tr->n_claims; i++) {
		const struct seen_claims *c = &tr->claims[i];

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
static int find_process(const struct traces *tr, const struct store_run *rec,
	int32_t *ret_pid, uint64_t *ret_start)
{
	struct spawn_token token = traces_token(&rec->token);

	*ret_pid = rec->pid;
	*ret_start = rec->pid_start;
	for (size_t i = 0; i < tr->n_marked && !rec->pid; i++) {
		const struct marked_process *m = &tr->marked[i];
		uint64_t start;

		if (!spawn_token_equal(&m->token, &token) ||
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
	struct traces *tr, const struct store_run *rec, struct spawn_run_info *ret)
{
	struct spawn_run_info claim;
	int r = find_claim(tr, rec, &claim);

	if (r < 0 || (r == 0 && rec->pid))
		return TRACE_NONE;
	if (r > 0 && !traces_is_end(&claim))
		return TRACE_PROCESS;
	tr->claims_used = true;
	if (r == 0 || spawn_run_never_began(&claim))
		return TRACE_NOT_STARTED;
	*ret = claim;
	return TRACE_END;
}

enum trace traces_find(struct traces *tr, const struct store_run *rec,
	const char *boot_id, struct spawn_run_info *info, int *ret_pidfd)
{
	const struct noted_end *e = find_noted(tr, rec);
	rv_time tick = RV_SEC(1) / sysconf(_SC_CLK_TCK);
	enum trace claimed;

	*info = (struct spawn_run_info){.state = SPAWN_RUN_RUNNING};
	*ret_pidfd = -1;
	if (e && traces_is_end(&e->info) && !spawn_run_never_began(&e->info)) {
		tr->ends_used = true;
		*info = e->info;
		return TRACE_END;
	}
	if (e ? spawn_run_never_began(&e->info) : has_left(tr, rec->spawner_id)) {
		tr->ends_used = true;
		return TRACE_NOT_STARTED;
	}
	if (!STREQ(rec->boot_id, boot_id))
		return TRACE_NONE;
	claimed = look_at_claim(tr, rec, info);
	if (claimed == TRACE_END)
		return TRACE_END;
	*ret_pidfd = find_process(tr, rec, &info->pid, &info->start_time);
	if (*ret_pidfd < 0)
		return claimed == TRACE_NOT_STARTED ? TRACE_NOT_STARTED : TRACE_NONE;
	info->token = traces_token(&rec->token);
	info->started_boot = (rv_time)info->start_time * tick;
	info->started_usec = rec->started_usec;
	return TRACE_PROCESS;
}
