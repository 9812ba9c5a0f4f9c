/* Building a struct start: one allocation that holds all the child will need. */
#include "config.h"

#include "spawn/child.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define N_MARKS      4
#define SLOT_ENV     "REEVE_SLOT"
#define PID_DIGITS   10
#define MARK_MAX     (sizeof("REEVE_JOB_ID=") + SPAWN_MARK_MAX)

/* Hands out pieces of the allocation; the sum was counted before. */
struct arena {
	char *p, *end;
};

static void *arena_take(struct arena *a, size_t n)
{
	char *p = a->p;

	INVARIANT(n <= (size_t)(a->end - a->p));
	a->p += n;
	return p;
}

static size_t str_size(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static const char *arena_str(struct arena *a, const char *s)
{
	return s ? memcpy(arena_take(a, strlen(s) + 1), s, strlen(s) + 1) : NULL;
}

static bool is_mark(const char *entry)
{
	return strncmp(entry, "REEVE_JOB_ID=", 13) == 0 ||
	       strncmp(entry, "REEVE_RUN=", 10) == 0 ||
	       strncmp(entry, SLOT_ENV "=", sizeof(SLOT_ENV)) == 0 ||
	       strncmp(entry, SPAWN_MARK_ENV "=", 12) == 0;
}

static char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
static char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	int n;
	char *s = a->p;

	va_start(ap, fmt);
	n = vsnprintf(s, (size_t)(a->end - s), fmt, ap);
	va_end(ap);
	INVARIANT(n >= 0 && n < a->end - s);
	return arena_take(a, (size_t)n + 1);
}

/* The child writes it: nobody else knows it in time. */
static char *room_for_pid(struct start *s, struct arena *a)
{
	char *entry = arena_printf(a, SPAWN_PID_ENV "=%*s", PID_DIGITS, "");

	s->pid_text = entry + sizeof(SPAWN_PID_ENV);
	return entry;
}

/* argv and the environment point into one copy of the blob; marks come last and
 * whatever the caller's environment had under their names is dropped */
static void fill_strings(struct start *s, struct arena *a, const struct wire_blob *blob,
	char **argv, char **env, const char *blob_data, const char *mark)
{
	const struct spawn_token *t = &s->req.token;
	char *p = memcpy(arena_take(a, blob->len), blob_data, blob->len);
	size_t n = 0;

	for (uint32_t i = 0; i < blob->argc; i++, p += strlen(p) + 1)
		argv[1 + i] = p;
	for (uint32_t i = 0; i < blob->envc; i++, p += strlen(p) + 1)
		if (!s->pid_text && strcmp(p, SPAWN_PID_ENV "=") == 0)
			env[n++] = room_for_pid(s, a);
		else if (!is_mark(p))
			env[n++] = p;
	env[n++] = arena_printf(a, "REEVE_JOB_ID=%" PRIu64, t->job_id);
	env[n++] = arena_printf(a, "REEVE_RUN=%" PRIu32, spawn_run_number(t->run_no));
	env[n++] = arena_printf(a, SPAWN_MARK_ENV "=%s", mark);
	/* the last, so that it can be left out: it is known when the run begins */
	if (s->req.gate) {
		s->slot = arena_printf(a, SLOT_ENV "=%" PRIu32, UINT32_MAX);
		s->slot_entry = &env[n];
	}
	s->argv_sh = argv;
	s->req.argv = argv + 1;
	s->req.env = env;
}

static void fill_search(struct start *s, struct arena *a)
{
	static const char default_path[] = DEFAULT_PATH;

	if (strchr(s->req.argv[0], '/') || !s->req.argv[0][0])
		return; /* an empty name is not looked for: exec says ENOENT */
	s->path = default_path;
	for (char *const *e = s->req.env; *e; e++)
		if (strncmp(*e, "PATH=", 5) == 0)
			s->path = *e + 5;
	s->exec_size = PATH_MAX;
	s->exec_buf = arena_take(a, s->exec_size);
}

int start_new(struct start **ret, const struct wire_start *ws, const char *blob_data,
	const char *mark)
{
	const struct spawn_request *q = &ws->req;
	const struct wire_blob *blob = &ws->blob;
	size_t n_ptrs = 1 + (size_t)blob->argc + 1 + blob->envc + N_MARKS + 1;
	size_t size = sizeof(struct start) + n_ptrs * sizeof(char *) + blob->len +
		      q->n_rlimits * sizeof(q->rlimits[0]) + 8 +
		      q->n_groups * sizeof(q->groups[0]) + str_size(q->cwd) +
		      str_size(q->stdin_path) + str_size(q->stdout_path) +
		      str_size(q->stderr_path) + N_MARKS * MARK_MAX + PATH_MAX +
		      sizeof(SPAWN_PID_ENV) + PID_DIGITS + 2;
	struct arena a;
	struct start *s;
	char **ptrs;

	if (q->cgroup)
		size += 2 * (strlen(q->cgroup) + SPAWN_MARK_MAX + 32);
	s = malloc(size);
	if (!s)
		return -ENOMEM;
	*s = (struct start){.req = *q, .pidfd = -1, .stdin_fd = -1, .ready_fd = -1};
	a = (struct arena){(char *)(s + 1), (char *)s + size};
	ptrs = arena_take(&a, n_ptrs * sizeof(char *));
	memset(ptrs, 0, n_ptrs * sizeof(char *));
	/* what needs alignment first */
	s->req.rlimits = arena_take(&a, q->n_rlimits * sizeof(q->rlimits[0]));
	memcpy((void *)s->req.rlimits, q->rlimits,
		q->n_rlimits * sizeof(q->rlimits[0]));
	s->req.groups = arena_take(&a, q->n_groups * sizeof(q->groups[0]));
	memcpy((void *)s->req.groups, q->groups, q->n_groups * sizeof(q->groups[0]));
	s->req.cwd = arena_str(&a, q->cwd);
	s->req.stdin_path = arena_str(&a, q->stdin_path);
	s->req.stdout_path = arena_str(&a, q->stdout_path);
	s->req.stderr_path = arena_str(&a, q->stderr_path);
	if (q->cgroup) {
		const struct spawn_token *t = &q->token;

		s->cgroup_leaf =
			arena_printf(&a, "%s/reeve-%" PRIu64 ".%" PRIu32 ".%" PRIu64,
				q->cgroup, t->job_id, t->run_no, t->epoch);
		s->cgroup_procs = arena_printf(&a, "%s/cgroup.procs", s->cgroup_leaf);
	}
	s->req.cgroup = NULL;
	fill_strings(s, &a, blob, ptrs, ptrs + 1 + blob->argc + 1, blob_data, mark);
	fill_search(s, &a);
	*ret = s;
	return 0;
}

void start_set_number(struct start *s, uint32_t number)
{
	if (!s->slot)
		return;
	/* its room was measured for the largest */
	snprintf(s->slot, sizeof(SLOT_ENV "=4294967295"), SLOT_ENV "=%" PRIu32, number);
	*s->slot_entry = s->slot;
}

struct start *start_free(struct start *s)
{
	if (!s)
		return NULL;
	close_safe(s->req.stdout_fd);
	close_safe(s->req.stderr_fd);
	close_safe(s->pidfd);
	close_safe(s->stdin_fd);
	close_safe(s->ready_fd);
	free(s);
	return NULL;
}
