/* What the files of the table share; see jobs.h. */
#ifndef DAEMON_JOBS_PRIV_H
#define DAEMON_JOBS_PRIV_H

#include "base/hashmap.h"
#include "daemon/jobs.h"

struct jobs {
	struct core *core;
	/* ordered by id; ids only grow, so adding is at the end or near it */
	struct slot {
		uint64_t id;
		struct job *job; /* NULL: forgotten; the id still guides the search */
	} * v;
	size_t n, n_max;
	size_t n_holes;
	uint16_t *n_unfinished;  /* of each stretch of slots; n_max is a multiple */
	struct hashmap *by_name; /* newest of that name; older ones by older_namesake */
	struct hashmap
		*per_uid; /* uid + 1 -> unfinished jobs, counted in the pointer */
	size_t n_state[JOB_STATE_N];
	int64_t place_first, place_last; /* of jobs that were moved */
	struct list finished; /* of struct job.by_end, the last to finish at the end */
	uint64_t next_id;
	uint64_t reserved_end; /* ids below it are reserved on disk */
	uint64_t
		asked_end; /* and below this one, once a commit that asks has gone well */
	size_t n_expected;
	size_t n_callbacks; /* unfinished; they are not among per_uid */
	size_t n_services;  /* the same, of services */
	size_t n_service_state[JOB_STATE_N]; /* likewise, by their states */
	bool loaded;                         /* what is added from now on is new */
	rv_event idle;                       /* some job stopped being busy */
};

/* into the line of those of its name, and out of it. 0, -ENOMEM */
int jobs_link_name(struct jobs *js, struct job *j);
void jobs_unlink_name(struct jobs *js, struct job *j);
/* it has finished: into the order of their ends */
void jobs_link_end(struct jobs *js, struct job *j);
/* it has become unfinished, or it was that */
void jobs_count_unfinished(struct jobs *js, const struct job *j, int delta);
void jobs_note_place(struct jobs *js, const struct job *j);
/* those who wait for its end, which are not watching any more then */
void job_tell_watchers(struct job *j);

#endif
