/*
 * Which jobs a verb acts on (BEHAVIOUR.md, "Selecting jobs"). Pure: the daemon asks it
 * of each of its jobs, the CLI fills one from its command line.
 *
 * Ids and ranges name jobs; the other criteria narrow what is named, or, where nothing
 * is named, all jobs. Criteria of different kinds must all hold. Several states,
 * results or pools mean any of them (a job has one); several labels mean all of them.
 */
#ifndef JOB_SELECT_H
#define JOB_SELECT_H

#include "job/state.h"

struct job_id_range {
	uint64_t first, last; /* inclusive, first <= last, first > 0 */
};

#define JOB_STATES_ALL     ((1u << JOB_STATE_N) - 1)
#define JOB_STATES_CURRENT (JOB_STATES_ALL & ~(1u << JOB_FINISHED))
/* --failed: what should have succeeded and did not; a job somebody cancelled, or one
 * that was skipped, did not fail */
#define JOB_RESULTS_FAILED \
	(1u << JOB_RESULT_FAILED | 1u << JOB_RESULT_TIMEOUT | 1u << JOB_RESULT_LOST)

/* what a job shows of itself; borrowed */
struct job_facts {
	uint64_t id;
	uid_t uid;
	const char *name;     /* NULL: none */
	const char *schedule; /* that made it; NULL: none */
	const char *service;  /* that it is an instance of; NULL: none */
	const char *pools;    /* as the job says them: see asks.h */
	enum job_state state;
	enum job_result result;
	char *const *labels;    /* NULL: none */
	int64_t submitted_usec; /* wall clock */
	int64_t finished_usec;  /* 0: not yet */
	bool callback;          /* it is one */
};

/* All zero is the empty selection, which matches nothing. Lists are owned: see
 * job_select_deinit. */
struct job_select {
	struct job_id_range *ids; /* sorted and merged by job_select_prepare */
	size_t n_ids;
	bool all;         /* every job, also where no criterion is given */
	unsigned states;  /* bit per enum job_state; 0: any */
	unsigned results; /* bit per enum job_result, of finished jobs; 0: any */
	char **pools;     /* NULL: any */
	char **labels;    /* NULL: any */
	char *name_glob;  /* NULL: any; fnmatch(3) */
	char *schedule;   /* NULL: any */
	bool no_schedule; /* not those that a schedule made; by itself it selects nothing */
	bool no_callbacks;  /* likewise: not those that are one */
	char *service;      /* NULL: any */
	bool no_service;    /* likewise: not those of services */
	int64_t since_usec; /* submitted or finished at or after; 0: any */
	bool any_uid;       /* else only jobs of uid */
	uid_t uid;
};

void job_select_deinit(struct job_select *sel);

/* "7" or "3-9": 0, or -EINVAL with *err (malloc'd, may be NULL) a message for people */
int job_id_range_parse(struct job_id_range *ret, const char *text, char **err);
/* 0, -ENOMEM */
int job_select_add_ids(struct job_select *sel, struct job_id_range range);

/**
 * Call once after the last job_select_add_ids and before the first match: sorts the
 * ranges, so that a match costs the logarithm of their number.
 */
void job_select_prepare(struct job_select *sel);

/* nothing was said at all (the uid aside): verbs refuse that with exit 2 */
bool job_select_is_empty(const struct job_select *sel);

bool job_select_matches(const struct job_select *sel, const struct job_facts *facts);

/**
 * Of two jobs of one name, does the name stand for a rather than for b? The newest
 * unfinished job, else the newest. Names are resolved to ids with this by whoever has
 * the jobs, then added with job_select_add_ids.
 */
bool job_name_prefers(const struct job_facts *a, const struct job_facts *b);

#endif
