/* Adopted orphans; see orphans.h. */
#include "config.h"

#include "spawn/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "spawn/procfs.h"

int orphans_init(struct orphans *os, struct runs *runs, const char *instance)
{
	char path[64];

	*os = (struct orphans){.children_fd = -1,
		.scratch = BUF_NULL,
		.runs = runs,
		.instance = instance};
	list_init(&os->all);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	os->children_fd = open(path, O_RDONLY | O_CLOEXEC);
	return hashmap_new(&os->by_pid, HASHMAP_U64);
}

static void orphan_remove(struct orphans *os, struct orphan *o)
{
	(void)hashmap_remove_u64(os->by_pid, (uint64_t)o->pid);
	list_remove(&o->link);
	if (o->run)
		o->run->n_orphans--;
	if (o->doubt_until)
		os->n_doubtful--;
	free(o);
}

/* does a line of /proc/PID/cgroup end in the leaf's name? */
static struct run *run_by_cgroup(struct orphans *os, pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (file_read(&text, AT_FDCWD, path, 64 << 10) < 0 ||
		buf_append(&text, "", 1) < 0)
		return NULL;
	LIST_FOREACH(it, &os->runs->all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);
		const char *leaf =
			run->cgroup_leaf ? strrchr(run->cgroup_leaf, '/') : NULL;
		const char *at = leaf ? strstr(buf_head(&text), leaf) : NULL;

		if (at && (at[strlen(leaf)] == '\n' || at[strlen(leaf)] == '/'))
			return run;
	}
	return NULL;
}

/* Whose is it? The session is the surest: its number cannot be used again while one of
 * its processes lives. What made itself a session of its own has the mark or the
 * cgroup. */
static struct run *orphan_classify(struct orphans *os, const struct proc_stat *st,
	struct spawn_token *ret_token, bool *ret_doubt)
{
	char instance[SPAWN_ID_LEN + 1];
	struct run *run;
	int r;

	*ret_doubt = false;
	run = runs_find_pid(os->runs, st->session);
	if (run)
		return run;
	r = proc_mark_get(ret_token, instance, st->pid);
	if (r == 0) {
		/* another spawner's run, below one of ours: its own business */
		if (strcmp(instance, os->instance) != 0)
			return NULL;
		return runs_find(os->runs, ret_token);
	}
	run = run_by_cgroup(os, st->pid);
	/* in exec, in which nobody but root may look at it (-EACCES), or just ending */
	*ret_doubt = !run && (r == -EAGAIN || r == -EACCES || r == -ESRCH) &&
		     !proc_stat_is_dead(st) &&
		     !(r == -EACCES && proc_is_setuid(st->pid));
	return run;
}

/* Look whose it is, for the first time or again. */
static void orphan_judge(
	struct orphans *os, struct orphan *o, const struct proc_stat *st)
{
	struct spawn_orphan tell = {.pid = o->pid, .start_time = o->start_time};
	rv_time now = clock_monotonic(&clock_system);
	bool doubt;

	o->run = orphan_classify(os, st, &tell.token, &doubt);
	if (doubt && !o->doubt_until) {
		o->doubt_until = now + ORPHAN_DOUBT_MAX;
		os->n_doubtful++;
	}
	if (doubt && now < o->doubt_until)
		return;
	if (o->doubt_until) {
		o->doubt_until = 0;
		os->n_doubtful--;
	}
	if (o->run && run_is_active(o->run)) {
		o->run->n_orphans++;
		return;
	}
	/* a run that is over has been told already: this is what it was let leave */
	if (o->run)
		tell.token = o->run->info.token;
	o->run = NULL;
	if (!proc_stat_is_dead(st)) {
		memcpy(tell.comm, st->comm, sizeof(tell.comm));
		os->unknown(&tell, os->arg);
	}
}

static void judge_doubtful(struct orphans *os)
{
	LIST_FOREACH(it, &os->all) {
		struct orphan *o = LIST_ENTRY(it, struct orphan, link);
		struct proc_stat st;

		if (o->doubt_until && proc_stat_read(&st, o->pid) == 0)
			orphan_judge(os, o, &st);
	}
}

static int orphan_add(struct orphans *os, const struct proc_stat *st)
{
	struct orphan *o;
	int r;

	if (hashmap_size(os->by_pid) >= ORPHANS_MAX)
		return 0;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->pid = st->pid;
	o->start_time = st->start_time;
	r = hashmap_put_u64(os->by_pid, (uint64_t)st->pid, o);
	if (r < 0) {
		free(o);
		return r;
	}
	list_append(&os->all, &o->link);
	orphan_judge(os, o, st);
	return 0;
}

static int sync_one(pid_t pid, void *arg)
{
	struct orphans *os = arg;
	struct proc_stat st;

	if (hashmap_get_u64(os->by_pid, (uint64_t)pid))
		return 0;
	if (proc_stat_read(&st, pid) < 0)
		return 0;
	return orphan_add(os, &st);
}

/* without the children file: every child of ours that is no main process */
static int sync_one_of_all(pid_t pid, void *arg)
{
	struct orphans *os = arg;
	struct proc_stat st;

	if (proc_stat_read(&st, pid) < 0 || st.ppid != getpid() ||
		runs_find_pid(os->runs, pid))
		return 0;
	/* a start that the table does not know the pid of yet: in its own session, or
	 * before exec */
	if (!st.execed || st.session == st.pid)
		return 0;
	return sync_one(pid, arg);
}

size_t orphans_sync(struct orphans *os)
{
	if (os->n_doubtful > 0)
		judge_doubtful(os);
	if (os->children_fd >= 0)
		(void)proc_children_read(os->children_fd, &os->scratch, sync_one, os);
	else
		(void)proc_each(sync_one_of_all, os);
	return hashmap_size(os->by_pid);
}

/* Of a run that has ended: what it left began after it did, and was there when it ended; clock
 * ticks are coarse. */
static bool may_be_left_by(const struct orphan *o, const struct run *run)
{
	rv_time tick = RV_SEC(1) / sysconf(_SC_CLK_TCK);

	return o->start_time >= run->info.start_time &&
	       o->start_time <= (uint64_t)(run->info.ended_boot / tick);
}

bool orphans_in_doubt_for(const struct orphans *os, const struct run *run)
{
	if (os->n_doubtful == 0 ||
		clock_boottime(&clock_system) - run->info.ended_boot >=
			ORPHAN_DOUBT_MAX)
		return false;
	LIST_FOREACH(it, &os->all) {
		struct orphan *o = LIST_ENTRY(it, struct orphan, link);

		if (o->doubt_until && may_be_left_by(o, run))
			return true;
	}
	return false;
}

bool orphans_any(const struct orphans *os)
{
	return !list_is_empty(&os->all);
}

size_t orphans_reap(struct orphans *os)
{
	size_t n = 0;

	LIST_FOREACH_SAFE(it, &os->all) {
		struct orphan *o = LIST_ENTRY(it, struct orphan, link);

		/* ECHILD: it is not ours after all; then it is no orphan either */
		if (waitpid(o->pid, NULL, WNOHANG | __WALL) == 0)
			continue;
		orphan_remove(os, o);
		n++;
	}
	return n;
}

void orphans_forget_run(struct orphans *os, struct run *run)
{
	LIST_FOREACH(it, &os->all) {
		struct orphan *o = LIST_ENTRY(it, struct orphan, link);

		if (o->run == run)
			o->run = NULL;
	}
	run->n_orphans = 0;
}
