/*
 * One job in memory. A job that waits costs this struct and its packed spec, no task: a
 * million of them must fit. While a run is going on, job.run has the rest.
 */
#ifndef DAEMON_JOB_H
#define DAEMON_JOB_H

#include "base/heap.h"
#include "base/list.h"
#include "job/asks.h"
#include "job/select.h"
#include "job/spec.h"
#include "job/state.h"
#include "store/store.h"

struct demand;
struct clock;
struct env_set;
struct job_edges;
struct run;
struct txn;

/* bytes of what is said of an end, with the one that ends it; of longer texts the middle is
 * left out */
#define JOB_REASON_MAX 1024
/* of one that the shutdown of the daemon or the machine ended */
#define JOB_REASON_SHUTDOWN "shutdown"

/* a change that is being recorded, which those who wait for the job reckon with already */
enum job_planned { JOB_PLANNED_NOTHING, JOB_PLANNED_RUN, JOB_PLANNED_SKIP };

struct job {
	uint64_t id;
	union {
		struct { /* not finished */
			/* in its pool's ready heap, or in the heap of due times */
			struct heap_node order;
			rv_time due; /* due_usec by CLOCK_BOOTTIME: what counts */
		};
		struct list by_end; /* finished: among the others, in the table */
	};
	struct demand *demand;        /* what it asks for; NULL once it is finished */
	struct env_set *env;          /* NULL: none */
	void *spec;                   /* packed */
	struct run *run;              /* while one is going on */
	char *reason;                 /* NULL: none; shorter than JOB_REASON_MAX */
	struct list watchers;         /* of struct job_watch */
	struct job_edges *dependents; /* who waits for it; NULL: nobody ever did */
	struct job *older_namesake, *newer_namesake;
	int64_t submitted_usec, started_usec, finished_usec;
	int64_t due_usec; /* wall clock, as recorded; 0: none */
	uint32_t spec_len;
	uint32_t uid, gid;
	uint32_t n_runs, n_failed;
	int32_t priority;
	int32_t place; /* 0; of a job that was moved first or last: less, or more */
	int32_t exit_code, signal;
	uint16_t flags;  /* STORE_JOB_* */
	uint8_t state;   /* enum job_state */
	uint8_t result;  /* enum job_result */
	uint8_t planned; /* enum job_planned */
	bool is_function;
	bool has_deadline;
	bool of_schedule; /* a schedule made it */
	bool is_callback; /* an end made it */
	bool of_service;  /* it is an instance of a service */
	bool has_deps;    /* it waits for other jobs, or did */
	bool leaving;     /* its removal is being committed */
	bool busy;        /* a change of it is being committed */
};

/* Someone who waits for the end of a job: fn is called once it has finished, or when it is
 * forgotten unfinished; the watch is unlinked then and may be freed by fn. */
struct job_watch {
	struct list link;
	bool every_change; /* call fn at each change of state too; it must not unlink then */
	void (*fn)(struct job_watch *w, const struct job *j);
};

/* A job that is in no table yet; the spec is packed into it. 0, -ENOMEM, -RV_ELIMIT. */
int job_new(struct job **ret, const struct job_spec *spec);
int job_new_from_record(struct job **ret, const struct store_job *rec);
struct job *job_free(struct job *j);
/* It is not finished, nor held: it counts in its pools. */
static inline bool job_may_run(const struct job *j)
{
	return j->state != JOB_FINISHED && j->state != JOB_HELD;
}
/* It asks for something else from now on, and what it asked for is in *d. */
void job_swap_demand(struct job *j, struct demand **d);
/* is it in a heap of the scheduler? */
bool job_is_in_order(const struct job *j);

/* the job as it is now, as a record to change and commit; strings are borrowed */
void job_record(const struct job *j, struct store_job *ret);
/* adds STORE_JOB_UPDATE with that record. 0, -ENOMEM */
int job_record_put(struct txn *t, const struct store_job *rec);
/* the same for a run: STORE_RUN_INSERT or STORE_RUN_UPDATE; its strings are borrowed until
 * the commit */
int run_record_put(struct txn *t, enum store_op_kind kind, const struct store_run *rec);
/* take over what a record says, without telling anybody: job_publish is what others call */
void job_apply(struct job *j, const struct store_job *rec);
void job_watch_add(struct job *j, struct job_watch *w);

/* It is told to be something else from now on; takes the packed spec. jobs_respec is what
 * others call. */
void job_set_spec(struct job *j, void *spec, size_t spec_len);

/* When it may start at the earliest, by its delay or its time: wall clock; 0: at once. */
int64_t job_not_before(const struct job *j);
/* It waits for nothing but room and its time: queued, or delayed, in the record that comes
 * next; job.due is set. */
void job_record_ready(struct job *j, const struct clock *clock, struct store_job *rec);
/* The same for one that is in no table yet, and queued so far; others stay as they are. */
void job_choose_time(struct job *j, const struct clock *clock);
/* job_not_before of a packed spec */
int64_t job_spec_not_before(const void *spec, size_t spec_len, int64_t submitted_usec);
/* due_usec by the clock that counts: job.due */
void job_set_due(struct job *j, const struct clock *clock, int64_t due_usec);

/* name or NULL; into buf (65 bytes) */
const char *job_name(const struct job *j, char buf[65]);
/* the schedule that made it, into buf (65 bytes); NULL: none did */
const char *job_schedule(const struct job *j, char buf[65]);
/* the service that it is an instance of, into buf (65 bytes), and which; NULL: of none */
const char *job_service(const struct job *j, char buf[65], unsigned *ret_instance);
/* Its pools as the job says them; may point into the job, or into buf, which has
 * JOB_POOLS_BYTES bytes. */
const char *job_pools(const struct job *j, char *buf);
bool job_has_label(const struct job *j, const char *label);
/* for job_select_matches; strings live in *ret, in the job, and in the selector */
struct job_facts_buf {
	struct job_facts facts;
	char name[65];
	char schedule[65];
	char service[65];
	char pools[JOB_POOLS_BYTES];
};
/* Only what the selector asks for is looked for: other texts are NULL, and so are the labels of
 * a job that has not all that are wanted. */
void job_facts_get(
	const struct job *j, struct job_facts_buf *ret, const struct job_select *sel);
int job_spec_get(const struct job *j, struct job_spec *ret);

#endif
