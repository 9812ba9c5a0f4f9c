/*
 * The order in which jobs are listed, where somebody asks for one: `ls --sort KEY,-KEY`.
 * The CLI checks with it, the daemon sorts by it. Pure.
 *
 * What a job has no value of (a name, an end) stands last, whether a key descends or not;
 * jobs that are equal in all keys stand in the order of their ids.
 */
#ifndef JOB_SORT_H
#define JOB_SORT_H

#include "reeve/base.h"

/* states and results are in the order of job/state.h; an exit is the code, or 128 and the
 * signal, as run exits; time is how long the run that goes on, or was last, has taken */
#define JOB_SORT_KEYS(X)          \
	X(ID, "id")               \
	X(NAME, "name")           \
	X(STATE, "state")         \
	X(RESULT, "result")       \
	X(EXIT, "exit")           \
	X(POOL, "pool")           \
	X(PRIORITY, "priority")   \
	X(USER, "user")           \
	X(SUBMITTED, "submitted") \
	X(STARTED, "started")     \
	X(FINISHED, "finished")   \
	X(DUE, "due")             \
	X(TIME, "time")           \
	X(RUNS, "runs")

enum job_sort_key {
#define X(id, name) JOB_SORT_##id,
	JOB_SORT_KEYS(X)
#undef X
		JOB_SORT_KEY_N
};

extern const char *const job_sort_key_name[JOB_SORT_KEY_N];

enum { JOB_SORT_MAX = 4 }; /* keys of one order */

struct job_sort {
	enum job_sort_key keys[JOB_SORT_MAX];
	bool descends[JOB_SORT_MAX];
	size_t n; /* 0: by id */
};

/* what one job has of one key: a number, or a text where job_sort_is_text */
struct job_sort_value {
	int64_t num;      /* JOB_SORT_NONE: it has none */
	const char *text; /* NULL: it has none; borrowed */
};
#define JOB_SORT_NONE INT64_MIN

/**
 * Put a key behind those that are there: "priority", or "-priority" for descending.
 *
 * @err  on -EINVAL a message for people that has all keys, malloc'd; may be NULL
 *
 * Returns 0, -EINVAL (no such key, one that is there, more than JOB_SORT_MAX).
 */
int job_sort_add(struct job_sort *s, const char *text, char **err);
/* Several, with commas between them, behind those that are there. Errors as job_sort_add's. */
int job_sort_parse(struct job_sort *s, const char *text, char **err);

bool job_sort_is_text(enum job_sort_key key);

/* below 0 where a comes before b, 0 only for one and the same id; a and b have s->n values */
int job_sort_compare(const struct job_sort *s, const struct job_sort_value *a,
	uint64_t a_id, const struct job_sort_value *b, uint64_t b_id);

#endif
