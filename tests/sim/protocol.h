/*
 * A model of how a run starts and ends: reeved, its store, the socket, the spawner, the
 * processes. No process is run and no time passes; each step of each side is one
 * transition, and each side may die before and after every one.
 *
 * What it holds the rules of the protocol to: a job's run is executed at most once; an
 * end is recorded only when it has happened; every acknowledged job is finally recorded
 * as ended; one is lost only where its spawner has died between
 * beginning it and seeing its end; no more run at once than there are slots.
 *
 * Each rule can be turned off, to see that the model notices.
 */
#ifndef TESTS_SIM_PROTOCOL_H
#define TESTS_SIM_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JOBS_MAX = 2,
	CONNS_MAX = 6,
	MESSAGES_MAX = 6,
	INSTANCES_MAX = 10,
};

/* Rules that are not kept. */
struct broken {
	bool accept_before_read;  /* the next connection before the old one is read to
				     its end */
	bool spawn_before_commit; /* the request is sent before the start is on disk */
	bool ack_before_commit;   /* an end is acknowledged before it is on disk */
	bool ack_unseen; /* so is one of the table, of a run whose end is being recorded
			  */
	bool no_token_check;       /* the spawner starts what it is asked for */
	bool leaves_without_trace; /* a spawner that nobody needs does not say that it
				      has left */
	bool restart_lost; /* what another spawner's table does not hold is started */
	bool ends_of_any_spawner; /* what a spawner wrote down counts for the next ones */
	bool failed_by_stop; /* a start that a stopping spawner takes back has failed */
	bool claim_after_start; /* the spawner writes down that it begins one afterwards */
	bool recall_begun;      /* it takes back one that it has begun to start */
	bool no_gate;           /* it starts whatever it has */
	bool forgets_without_answer; /* reeved takes for back what it only asked for */
};

struct bounds {
	int n_jobs;
	int reeved_deaths, spawner_deaths;
	int drops; /* of the connection, both sides living on */
	int stops; /* of the spawner, in good order: it ends its runs and writes that down */
	int slots;   /* how many processes may run at once; 0: no limit */
	int recalls; /* of starts that were sent ahead of a free slot */
};

struct outcome {
	const char *violation; /* NULL: none */
	size_t n_states;
	bool some_lost;
};

/* All interleavings, breadth first. With a violation the shortest way to it is printed
 * to stderr when REEVE_SIM_TRACE is in the environment. */
struct outcome explore(const struct bounds *bounds, const struct broken *broken);

/* ---- for protocol.c and explore.c ------------------------------------------------ */

enum record { REC_QUEUED, REC_STARTING, REC_EXITED, REC_FAILED, REC_LOST };

/* what reeved knows of a job */
enum mind {
	MIND_QUEUED,
	MIND_PENDING,  /* a record of an earlier reeved: the first table tells */
	MIND_RECORDED, /* the start is on disk, the request is not sent */
	MIND_SENT,
	MIND_BACK,     /* taken back, which is not on disk */
	MIND_FOLLOWED, /* its spawner is gone, its process is there */
	MIND_ENDED,    /* told, not on disk */
	MIND_ON_DISK,  /* not acknowledged */
	MIND_DONE,
};

enum row {
	ROW_NONE,
	ROW_STARTING, /* it may wait for its slot */
	ROW_BEGUN,    /* with the starters: a process may be there whenever we look */
	ROW_RUNNING,
	ROW_EXITED,
	ROW_NEVER, /* taken back by a spawner that stops */
};
enum process { PROCESS_NONE, PROCESS_RUNS, PROCESS_ENDED };
enum message {
	MSG_START = 1,
	MSG_ACK,
	MSG_RECALL,
	MSG_EXITED,
	MSG_REFUSED,
	MSG_NEVER,
	MSG_RECALLED,
};

struct queue {
	uint8_t n;
	struct {
		uint8_t what, job, epoch;
	} v[MESSAGES_MAX];
};

struct conn {
	uint8_t used, accepted;
	uint8_t reeved_end, spawner_end; /* open */
	uint8_t table_due;               /* sent at the next step of the spawner */
	uint8_t table_here;              /* on its way to reeved, ahead of to_reeved */
	uint8_t instance;                /* of the table */
	uint8_t table[JOBS_MAX];
	struct queue to_spawner, to_reeved;
};

/* Compared and hashed as bytes: nothing but uint8_t, so there is no padding. */
struct state {
	/* how many, and what may still come */
	uint8_t n_jobs, reeved_deaths, spawner_deaths, drops, stops, slots, recalls;
	/* store */
	struct {
		uint8_t record, instance;
	} store[JOBS_MAX];
	/* reeved */
	uint8_t reeved_alive, epoch;
	uint8_t conn;  /* index + 1; 0: none */
	uint8_t ready; /* the table was taken */
	uint8_t last_instance;
	struct {
		uint8_t mind, end, doubt, acked;
	} job[JOBS_MAX];
	/* socket */
	struct conn conns[CONNS_MAX];
	/* spawner */
	uint8_t spawner_alive, stopping, instance, epoch_seen;
	uint8_t table[JOBS_MAX];
	uint8_t child
		[JOBS_MAX]; /* of a row that is begun: there is a process already */
	/* the world */
	uint8_t fate[INSTANCES_MAX]; /* of each instance: 0, FATE_* */
	/* the exits file: what each instance had in its table when it left */
	uint8_t exits[INSTANCES_MAX][JOBS_MAX];
	/* the file of claims: what each instance has begun to start, and what has ended */
	uint8_t claims[INSTANCES_MAX][JOBS_MAX];
	uint8_t process[JOBS_MAX], n_started[JOBS_MAX];
};

enum { FATE_DIED = 1, FATE_LEFT = 2 };

/* Gives each next state to emit, with the name of the step; crashes: whether it is one
 * of those that need not happen. A violation is returned, NULL when there is none. */
typedef void (*emit_fn)(
	const struct state *next, const char *step, bool crash, void *arg);
void model_init(struct state *ret, const struct bounds *bounds);
void model_step(
	const struct state *s, const struct broken *broken, emit_fn emit, void *arg);
const char *model_check(const struct state *s);
/* what is wrong when nothing more happens by itself */
const char *model_check_final(const struct state *s);

#endif
