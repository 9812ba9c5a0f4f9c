#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "daemon/processes.h"

/* ---- which -------------------------------------------------------------------------- */

struct search {
	const struct processes_of *of;
	struct proc_list *found;
	bool main_is_there; /* its pid is its own, and so is its session */
	pid_t adopter;      /* who has its orphans; 0: not known */
};

/* An orphan has another parent: the spawner, or whoever inherited from that. Others are
 * below what they belong to, and found there. */
static bool may_be_orphan(const struct search *s, const struct proc_stat *st)
{
	return st->ppid == 1 || !s->adopter || st->ppid == s->adopter;
}

static bool is_ours(const struct search *s, const struct proc_stat *st)
{
	char instance[SPAWN_ID_LEN + 1];
	struct spawn_token token;

	if (s->main_is_there && st->session == s->of->pid)
		return true;
	return may_be_orphan(s, st) && proc_mark_get(&token, instance, st->pid) == 0 &&
	       spawn_token_equal(&token, &s->of->token) &&
	       strcmp(instance, s->of->instance) == 0;
}

static int look_at(pid_t pid, void *arg)
{
	struct search *s = arg;
	struct proc_stat st;
	size_t first;
	int r;

	if (proc_list_has(s->found, pid) || proc_stat_read(&st, pid) < 0 ||
		proc_stat_is_dead(&st) || !is_ours(s, &st))
		return 0;
	first = s->found->n;
	r = proc_list_add(s->found, &st);
	if (r == 0)
		r = proc_descendants(s->found, pid);
	/* some were found on another way before */
	for (size_t i = first; i < s->found->n;) {
		struct proc_list before = {.v = s->found->v, .n = first};

		if (proc_list_has(&before, s->found->v[i].pid))
			s->found->v[i] = s->found->v[--s->found->n];
		else
			i++;
	}
	return r;
}

int processes_collect(struct proc_list *ret, const struct processes_of *of)
{
	struct search s = {.of = of, .found = ret};
	struct proc_stat st;
	int r = 0;

	if (proc_stat_read(&st, of->pid) == 0 && st.start_time == of->start_time) {
		s.main_is_there = true;
		s.adopter = st.ppid;
		r = proc_list_add(ret, &st);
		if (r == 0)
			r = proc_descendants(ret, of->pid);
	}
	return r < 0 ? r : proc_each(look_at, &s);
}

/* ---- what they are ------------------------------------------------------------------ */

int process_usage_get(struct process_usage *ret, const struct proc_stat *st)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	int64_t ticks = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);
	uint64_t user, system, start;
	const char *close;
	int64_t pages;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)st->pid);
	r = file_read(&text, AT_FDCWD, path, 4096);
	if (r >= 0)
		r = buf_append_byte(&text, '\0');
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	close = strrchr(buf_head(&text), ')');
	if (!close ||
		sscanf(close + 1,
			" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
			" %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64 " %*u %" SCNd64,
			&user, &system, &start, &pages) != 4)
		return -EBADMSG;
	if (start != st->start_time)
		return -ESRCH; /* another one by now */
	ret->cpu_usec = (int64_t)(user + system) * USEC_PER_SEC / ticks;
	ret->memory_bytes = pages * page;
	ret->age_usec = clock_boottime(&clock_system) / 1000 -
			(int64_t)start * USEC_PER_SEC / ticks;
	return 0;
}

int process_command_get(struct buf *out, const struct proc_stat *st, size_t max)
{
	_cleanup_(buf_deinitp) struct buf text = BUF_NULL;
	_cleanup_close_ int fd = -1;
	char path[32], *p;
	ssize_t n;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)st->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	r = buf_reserve(&text, max + 1, &p);
	if (r < 0)
		return r;
	n = read(fd, p, max + 1);
	if (n < 0)
		return -errno;
	if (n == 0) /* a program that has taken its own away, or one in exec */
		return buf_printf(out, "[%s]", st->comm);
	if ((size_t)n > max) {
		n = (ssize_t)max;
		while (n > 0 && ((unsigned char)p[n] & 0xc0) == 0x80)
			n--;
	}
	while (n > 0 && p[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (p[i] == '\0')
			p[i] = ' ';
	return buf_append(out, p, (size_t)n);
}
