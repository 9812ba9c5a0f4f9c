/*
 * Services: programs of the configuration that are kept running.
 *
 * Each instance of a service is a job for as long as the service has it, and each of its
 * starts a run of that job. What there is to be follows from the configuration and from what
 * was said at run time (service_record.h); what there is, from the table of jobs. A task
 * brings the one to the other, a transaction at a time, so that a daemon that is killed at any
 * moment leaves nothing but what the next one finds left to do.
 *
 * Where a run ends it is judged here whether the job is queued again, now or later, or is
 * finished, until somebody starts it. Loop thread only.
 */
#ifndef DAEMON_SERVICES_H
#define DAEMON_SERVICES_H

#include "config/config_ready.h"
#include "config/configuration.h"
#include "daemon/job.h"
#include "daemon/liveness.h"
#include "daemon/run_reload.h"
#include "daemon/service_record.h"
#include "reeve/loop.h"
#include "sched/restart.h"

struct core;
struct run;
struct service_group;
struct service_hooks;
struct service_times;
struct services;
struct txn;

/* what is known of an instance since somebody had it start: service_up.h */
enum instance_up {
	INSTANCE_UP_UNKNOWN,
	INSTANCE_UP_WAS,    /* a run of it was ready */
	INSTANCE_UP_FAILED, /* one has ended before that */
};

/* one of them, as others may look at it */
struct instance {
	struct service *service;
	unsigned number;
	uint64_t job; /* 0: none yet */
	struct restart_state restart;
	/* of its job, as the configuration has it now */
	void *spec; /* packed; NULL: none, it is to go */
	size_t spec_len;
	struct env_set *env; /* what it starts from; NULL: it names no environment */
	uint32_t uid, gid;
	struct ready_rule ready, live; /* owned */
	struct service_hooks *hooks;   /* NULL: none */
	char *problem; /* why it cannot be made a job, until the next reload; NULL: nothing */
	bool again;           /* it is to be started again, whatever it is doing */
	bool due;             /* the same, where it is older than restart-at */
	bool comes_again;     /* after an end of its own: `after` does not count */
	bool has_ended;       /* by itself, since somebody had it start, or end, last */
	bool counts_recorded; /* restarts that count: service_counts.h */
	uint32_t n_forgotten; /* of its runs, the oldest */
	enum instance_up up;
	char *not_up; /* of INSTANCE_UP_FAILED: why; NULL: that is not known */
};

/* another one that a service comes after */
struct service_edge {
	struct service *to;
	bool requires;
};

/* how a service is doing, for those that come after it: service_deps.c */
struct service_condition {
	bool met;       /* ready, or ended with success for good */
	bool holds;     /* not yet, but it is on its way */
	bool down;      /* stopped, given up, gone: those that require it are stopped */
	bool kept_down; /* by one that it requires, or as its group was given up */
	bool runs;      /* it has processes */
	bool moves; /* it is on its way up or down, and nothing but time is in its way */
};

struct service {
	char name[65];
	const struct config_named *section; /* NULL: it is gone, and is being ended */
	struct service_record rec;
	struct instance **v; /* by number; some may be on their way out */
	size_t n;
	struct list dirty;           /* something of it may be left to do */
	struct service_times *times; /* of restart-at; NULL: none */
	int64_t due_usec;            /* of that, not on record yet; 0: none */
	bool was_ready;              /* as those who wait for it were told last */
	struct service_edge *edges;
	size_t n_edges;
	struct service **back; /* those that come after it */
	size_t n_back;
	struct service_condition cond;
	struct list noting;          /* its condition is to be looked at */
	struct service_group *group; /* NULL: in none */
	bool restarts; /* with its group: it is stopped, to be started after that */
	unsigned mark; /* of a search */
	int64_t rank;  /* of services_rank */
};

int services_new(struct services **ret, struct core *core, rv_loop *loop);
struct services *services_free(struct services *ss);
/* Records of the store, of a service, of a group and of restarts. 0, -ENOMEM */
int services_load(struct services *ss, const char *name, const char *text);
int counts_load(struct services *ss, const char *name, const char *text);
int groups_load(struct services *ss, const char *name, const char *text);
/* Which instance each job of the table is, once all is loaded. 0, -ENOMEM */
int services_loaded(struct services *ss);
/* What there is to be, from now on: once all is loaded, and after a reload, with the lock. 0,
 * -ENOMEM, -RV_ELIMIT */
int services_apply(struct services *ss, const struct config *cf);
/* Appends those of which a run is to be replaced because its job is another one by now, which
 * services_apply brings about; by their names. 0, -ENOMEM */
int services_restarting(const struct services *ss, char ***names);
/* What is on record of services that are gone, but for the end of their jobs, is dropped: once,
 * behind that. */
void services_drop_gone(struct services *ss);
/* One change, or look, after the other. 0, -ECANCELED */
RV_AWAIT int services_lock(struct services *ss);
void services_unlock(struct services *ss);
/* the task that looks; a service task */
int services_main(void *services);

/* ---- changes ---------------------------------------------------------------------------- */

/* What is changed is on disk, and stays so over restarts and reloads. -ENOENT, or why nothing
 * was changed */
/* Those that do not run are started now, and nothing counts that was before. */
RV_AWAIT int services_start(struct services *ss, const char *name, bool *ret_changed);
/* the same of all, one after the other */
RV_AWAIT int services_restart(struct services *ss, const char *name, bool *ret_changed);
/* The same, where it is not down: stopped, kept down, or ended for good without success. */
RV_AWAIT int services_restart_unless_down(
	struct services *ss, const char *name, bool *ret_changed);
/* All of a group that are not down are stopped, in the reverse order of their starts, and started
 * when all are. *ret_names: these, the caller's to free; NULL: none. 0, -ENOENT */
RV_AWAIT int services_restart_group(
	struct services *ss, const char *name, char ***ret_names);
RV_AWAIT int services_stop(struct services *ss, const char *name, bool *ret_changed);
/* So many instances, until the file says something else, or reset. n: at most
 * SERVICE_INSTANCES_MAX. -RV_ELIMIT: service-instances-max */
RV_AWAIT int services_scale(
	struct services *ss, const char *name, unsigned n, bool *ret_changed);
/* As many instances as the file says; restarts that were counted count no more, and that it was
 * given up, it or its group, is no problem any more. */
RV_AWAIT int services_reset(struct services *ss, const char *name, bool *ret_changed);
/* All of these, one after the other, each instance ready before the next. 0; -ENOENT; -EBUSY:
 * one of them is rolled already; ret_name: which */
RV_AWAIT int services_roll(struct services *ss, char *const *names, size_t n,
	bool *ret_changed, const char **ret_name);
/* Until none of them is rolled any more; *ret_failed: where that stopped, NULL: nowhere. 0,
 * -ECANCELED */
RV_AWAIT int services_wait_roll(struct services *ss, char *const *names, size_t n,
	const struct service **ret_failed);
/* what became of one that was told to read its configuration again */
struct service_reload {
	unsigned instance;
	char problem[RELOAD_PROBLEM_MAX]; /* "": it did */
};
/* Those that run are told to, all at once, and waited for. *ret: each that was, the caller's to
 * free. 0; -ENOENT; -EOPNOTSUPP: it has neither reload-signal nor reload-command; -ENOMEM,
 * -ECANCELED: they go on */
RV_AWAIT int services_reload(struct services *ss, const char *name,
	struct service_reload **ret, size_t *ret_n);
/* Until none of its instances is on its way up or down. 0, -ECANCELED */
RV_AWAIT int services_wait(struct services *ss, const char *name);
/* an instance that was not ready, and is not expected to be */
struct service_failure {
	unsigned instance;
	char why[256];
};
/* Until each instance that there is to be has been ready since it was started, or that has
 * failed, or waits for others that are not on their way. *ret: those that were not, the caller's
 * to free. 0; -ENOENT, also where it goes meanwhile; -ENOMEM, -ECANCELED */
RV_AWAIT int services_wait_up(struct services *ss, const char *name,
	struct service_failure **ret, size_t *ret_n);

/* ---- news ------------------------------------------------------------------------------- */

/* A job of a service has another state, or is not busy any more. */
void services_job_changed(struct services *ss, const struct job *j);
/* It is known what the jobs of before are doing. */
void services_look_at_all(struct services *ss);

/* What tells that a run of such a job is ready, and how long it may take: of one that is gone
 * from the configuration, nothing but its start. The caller's to deinit. 0, -ENOMEM */
int services_ready_rule(const struct services *ss, const struct job *j,
	struct ready_rule *ret, int64_t *ret_timeout_usec);
/* How it is known that it is alive, of one that is gone not at all. The rule is the caller's to
 * deinit. 0, -ENOMEM */
int services_live_settings(
	const struct services *ss, const struct job *j, struct live_settings *ret);

/* the commands beside its program, with a reference that is the caller's; NULL: it has none, or
 * is gone from the configuration */
struct service_hooks *services_hooks(const struct services *ss, const struct job *j);

/* what becomes of the job of a service after a run, beside the verdict */
struct service_end {
	uint32_t n_short; /* runs in a row that were not up */
	char reason[240]; /* "": what is said of ends of other jobs */
};
/**
 * Judge the end of a run of such a job.
 *
 * @random  of the delay's jitter, 0 .. 2^32-1
 * @v       what job_judge says of it; its result, exit code and signal stand, the rest is
 *          changed
 */
void services_judge(struct services *ss, const struct run *run, uint32_t random,
	struct job_verdict *v, struct service_end *ret);
/* What that comes to for others, beside the record of the end. 0, -ENOMEM */
int services_record_end(struct services *ss, const struct job *j, struct txn *t);

/* ---- the order of them -------------------------------------------------------------------- */

/* A job of a service is not to be started now: something that it comes after is not ready. It
 * is started when that is. */
bool services_must_wait(const struct services *ss, const struct job *j);
/* what it waits for, in words, into buf */
const char *services_why(
	const struct services *ss, const struct job *j, char *buf, size_t size);
/* Where all of them end: nothing that comes after the service of this job still runs. */
bool services_may_shut_down(const struct services *ss, const struct job *j);

/* ---- looking ------------------------------------------------------------------------------ */

/* NULL: none */
struct service *services_find(const struct services *ss, const char *name);
/* There is one of that name, and it is not on its way out. */
bool services_is_there(const struct services *ss, const char *name);
/* a job of it; NULL: it has none */
struct job *services_job(const struct services *ss, const char *name);
/* How the service is doing that a job is an instance of, as those see it who wait for it. */
enum service_health {
	SERVICE_GONE, /* from the configuration */
	SERVICE_NOT_READY,
	SERVICE_READY, /* all instances that there are to be, and there are some */
};
enum service_health services_health(const struct services *ss, const struct job *j);
/* In words, each group that was given up, and each service, where that is to be escalated and
 * nobody has stopped or reset it since;
 * malloc'd strings are appended. 0, -ENOMEM */
int services_problems(const struct services *ss, char ***problems);
/* all of them by name, without those that are gone; NULL-terminated, the caller's to free;
 * NULL: out of memory */
struct service **services_list(const struct services *ss);
/* Their places in the order of their starts, as service.rank. 0, -ENOMEM */
int services_rank(struct services *ss);
/* how many instances of it there are to be */
size_t service_wanted(const struct service *s);
/* as whom it runs */
uint32_t service_uid(const struct service *s);

#endif
