/* What the files of readiness share; see readiness.h. */
#ifndef DAEMON_READINESS_PRIV_H
#define DAEMON_READINESS_PRIV_H

#include "base/hashmap.h"
#include "config/config_ready.h"
#include "daemon/core.h"
#include "daemon/liveness.h"
#include "daemon/probe.h"
#include "daemon/readiness.h"
#include "daemon/run.h"

struct readiness {
	struct core *core;
	rv_loop *loop;
	char *path; /* of the socket */
	int fd;     /* -1: there is none */
	int error;  /* why: negative errno */
	rv_watch *watch;
	rv_timer more; /* there were more datagrams than one round takes */
	struct hashmap
		*by_pid; /* of struct run_ready, those of notify, by main process */
	unsigned
		n_starting; /* runs of notify whose start is with the spawner, and no word of it */
	rv_time waits_until; /* for one of them: the first message; 0: it does not */
	rv_time strangers_since;
	unsigned n_strangers; /* datagrams of nobody, since then */
};

struct run_ready {
	struct run *run;
	struct readiness *rd;
	struct ready_rule rule;
	int64_t timeout_usec;  /* INT64_MAX: none */
	struct run_live *live; /* NULL: it is not looked after */
	bool hears;            /* it has the socket */
	bool counted;          /* in n_starting */
	bool begun;            /* it is known that its process runs, and asked for */
	bool held;             /* until its post-start is done */
	bool is_ready;
	bool told_ready;         /* as it was told last */
	bool stopping;           /* it says so */
	bool reloading;          /* it says so: it is ready all the same */
	rv_time reloading_since; /* the last time, as it says; 0: never */
	bool told_wrong;         /* a message of it that was none has been logged */
	rv_time due;             /* CLOCK_MONOTONIC; RV_FOREVER */
	rv_time extended; /* the end of stop-timeout, as it asked for; 0: it did not */
	/* notify */
	uint64_t key;   /* in by_pid; 0: it is not there */
	pid_t main_pid; /* as it says; 0: it did not */
	char status[RUN_STATUS_MAX];
	char *to_hear; /* said before it was begun with here, owned; NULL */
	rv_timer said; /* the spawner is to know what it says now */
	/* output: where that of the program begins in run.out and run.err; hooks print before it */
	int64_t output_from[2];
	/* tcp, unix, http, command */
	rv_timer timer;
	unsigned n_tries;
	char unready_why[PROBE_WHY_MAX]; /* what was wrong when it was asked last; "" */
	struct probe *probe;             /* that is being made; NULL */
	struct list probes; /* of it, also of liveness, as long as their tasks go on */
};

/* It has become ready: recorded, and told. */
void run_became_ready(struct run_ready *rr);
/* Whether it is ready may be another than it was: it is told, if so. */
void run_ready_changed(struct run_ready *rr);

/* ---- notify ---- */
void readiness_init_socket(struct readiness *rd);
void readiness_init_run(struct run_ready *rr);
/* The spawner is told what it says now. */
void readiness_pass_on(struct run_ready *rr);
/* It is started now: what is in its files is not its own. */
void readiness_note_output(struct run_ready *rr);
/* what was said before it was begun with */
void readiness_catch_up(struct run_ready *rr);
/* What was said and not read yet, as far as one round takes. True: there is no more. */
bool readiness_read(struct readiness *rd);
/* messages of that process, and those below it, are the run's. 0, -ENOMEM */
int readiness_expect(struct run_ready *rr);
void readiness_forget(struct run_ready *rr);

/* ---- tcp, unix, http ---- */
/* Ask it, now and again, until it is ready or stopped. */
void ready_tries_begin(struct run_ready *rr);
void ready_tries_end(struct run_ready *rr);

#endif
