/* What the files of auxiliary commands share; see aux.h. */
#ifndef DAEMON_AUX_PRIV_H
#define DAEMON_AUX_PRIV_H

#include "base/hashmap.h"
#include "base/list.h"
#include "daemon/aux.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

struct run_request;

/* between SIGTERM and SIGKILL, of one that is past its time or has left something behind */
#define AUX_GRACE RV_SEC(2)

struct aux_commands {
	struct core *core;
	struct hashmap *by_key; /* of struct aux */
	struct list all;        /* of struct aux.link */
	/* that have their turn: hooks, which may have no time limit, do not keep probes from theirs */
	rv_limiter running, asking;
	rv_time told_busy; /* that probes wait: when that was logged last; 0: never */
	bool some_want;    /* requests of some found no room, or no spawner */
	rv_event gone;     /* set and cleared each time: one was forgotten */
};

/* one that was asked for, or was found; there is one of a job's place */
struct aux {
	struct aux_commands *all;
	struct list link;
	uint64_t key;
	struct spawn_token token;
	bool awaited; /* a task is in aux_run for it */
	bool unwanted; /* nobody asks for its end any more: forgotten as soon as it has one */
	bool sent, started, ended;
	uint64_t line;       /* of aux_command; 0: not known */
	bool line_sent;      /* the spawner knows, for the next daemon */
	bool in_doubt, seen; /* the link was lost; in the new table */
	bool stop_wanted, kill_wanted, stop_sent, kill_sent;
	pid_t pid;
	int pidfd; /* -1: none */
	rv_time started_boot;
	struct aux_end end;
	rv_event wake;
	/* what is kept of its output */
	int out_fd; /* -1: nothing is */
	rv_watch *out_watch;
	char *out;
	size_t n_out, out_max;
	bool out_cut;
};

/* NULL: out of memory */
struct aux *aux_new(
	struct aux_commands *all, uint64_t key, const struct spawn_token *t);
void aux_drop(struct aux *a); /* frees it */
struct aux *aux_find(const struct aux_commands *all, uint64_t key);
uint64_t aux_key(uint64_t job_id, unsigned place);
uint64_t aux_key_of(const struct spawn_token *t);
struct aux *aux_of_token(const struct aux_commands *all, const struct spawn_token *t);
/* Its end is known. An unwanted one is gone then. */
void aux_set_ended(struct aux *a, const struct aux_end *end);
/* The link is asked for what is wanted of it, as far as there is room. */
void aux_act(struct aux *a);
/* Nobody wants it: it is ended, and forgotten then. */
void aux_abandon(struct aux *a);

/* The run's own request, but for what is another of the command. 0, -errno with ret_step the step
 * that cannot be; deinit it in both cases */
RV_AWAIT int aux_make_request(struct run_request *rr, struct aux *a, struct run *run,
	const struct aux_command *cmd, enum spawn_step *ret_step);

/* ---- its output ---- */
/* It is to go to a pipe of ours, of which the last max bytes are kept. 0, -errno */
int aux_open_output(struct aux *a, struct run_request *rr, size_t max);
/* what is there now, as far as one turn takes */
void aux_read_some(struct aux *a);
void aux_end_reading(struct aux *a);
/* What was kept is that end's. */
void aux_take_output(struct aux *a, struct aux_end *ret);

#endif
