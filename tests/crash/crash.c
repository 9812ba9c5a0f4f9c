/*
 * Crash test: reeved, the spawner, or both are killed with SIGKILL at each failpoint
 * and at random moments, while long jobs run and short ones come in. See README.md.
 *
 * crash REEVED SPAWNER DIR
 *
 * REEVE_CRASH_FULL=1: 200 long jobs, every point three times, 50 random kills of each
 * kind of target.
 */
#include "config.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/scheduler.h"
#include "tests/crash/verdict.h"

enum target { KILL_REEVED = 1, KILL_SPAWNER = 2, KILL_BOTH = 3 };

static const char *const target_name[] = {
	[KILL_REEVED] = "reeved", [KILL_SPAWNER] = "spawner", [KILL_BOTH] = "both"};

struct scale {
	unsigned n_long, n_rounds, n_random;
	unsigned n_slots;  /* for short jobs, beside those of the long ones */
	unsigned n_before; /* passages of each point that are let by, more or less */
	bool hasty; /* the short jobs are over at once: starts go ahead of a free slot */
};

static const struct scale quick = {
	.n_long = 6, .n_rounds = 1, .n_random = 6, .n_slots = 8};
/* no other job: the spawner leaves when reeved is gone */
static const struct scale lonely = {
	.n_long = 0, .n_rounds = 1, .n_random = 0, .n_slots = 8};
/* Fewer slots than there are jobs in a batch, and what they last is known by then. */
static const struct scale ahead = {
	.n_rounds = 1, .n_random = 6, .n_slots = 2, .n_before = 50, .hasty = true};
static const struct scale full = {
	.n_long = 200, .n_rounds = 3, .n_random = 50, .n_slots = 8};

/* A place in one of the two processes. Its passages are counted from 1; where a long
 * job passes too, per_long of them belong to each. */
static const struct point {
	const char *name;
	const char *meaning;
	bool in_spawner;
	unsigned per_long, before;
	bool only_ahead; /* passed where starts go ahead of a free slot */
	bool no_claims;  /* passed once, where a claim cannot be written */
} points[] = {
	{"reeved-start-committed", "after commit, before spawn", false, 1, 0},
	{"reeved-start-sent", "after send", false, 1, 0},
	{"reeved-before-exit-commit", "after exit, before commit", false, 0, 0},
	{"reeved-exit-committed", "after commit, before acknowledgement", false, 0, 0},
	{"reeved-exit-acked", "after acknowledgement", false, 0, 0},
	/* the first two: what ended, and the socket that services speak to */
	{"spawner-request-read", "after the request was read", true, 1, 2},
	{"spawner-before-fork", "before fork", true, 1, 0},
	{"spawner-after-fork", "after fork, before the reply", true, 1, 0},
	{"spawner-before-exit-report", "after exit, before its report", true, 0, 0},
	{"spawner-after-exit-report", "after the report of an exit", true, 0, 0},
	{"spawner-relay-ended", "a starter has written an end", true, 0, 0, true},
	{"spawner-relay-passed", "before it writes the next start", true, 0, 0, true},
	{"spawner-claims-removed", "a claim could not be written", true, 0, 0, true,
		true},
};

static const struct programs *programs;
static const char *base_dir;
static unsigned n_worlds;
static uint64_t random_state;

/* splitmix64: the same sequence everywhere from one printed seed */
static uint64_t next_random(void)
{
	uint64_t x = random_state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static void begin(struct world *w, const struct scale *sc)
{
	char dir[PATH_MAX / 2];

	snprintf(dir, sizeof(dir), "%s/%u", base_dir, n_worlds++);
	world_init(w, programs, dir, sc->n_long + sc->n_slots, sc->hasty);
}

/* Long jobs end, everything is held against the judge, the daemons go. lost_max: of short
 * jobs, where a spawner was killed. */
static void finish(struct world *w, struct stream *s, const char *what,
	enum target target, unsigned n_kills, size_t lost_max)
{
	struct verdict v;

	stream_pause(s);
	settle(s, false);
	check_long_jobs(s);
	world_open_gate(w);
	settle(s, true);
	judge(&v, s, target == KILL_REEVED ? 0 : lost_max);
	printf("%-28s %-8s %5u %6zu %6u %5zu  ok\n", what, target_name[target], n_kills,
		v.n_jobs, s->n_repeated, v.n_lost);
	fflush(stdout);
	stream_deinit(s);
	world_stop_reeved(w);
	world_deinit(w);
}

static void kill_target(struct world *w, enum target target, bool stopped_spawner)
{
	/* the one that goes on finds the other already gone, or still stopped */
	if (target & KILL_SPAWNER)
		world_kill_spawner(w);
	if (target & KILL_REEVED)
		world_kill_reeved(w);
	if (target == KILL_REEVED && stopped_spawner)
		kill(w->spawner, SIGCONT);
	if (target == KILL_SPAWNER && !stopped_spawner)
		kill(w->reeved, SIGCONT);
}

static void at_point(const struct point *p, enum target target, const struct scale *sc)
{
	struct world w;
	struct stream s;
	char spec[128];
	unsigned nth = p->before + p->per_long * sc->n_long + 1 + sc->n_before +
		       (sc->n_long || sc->hasty ? (unsigned)(next_random() % 6) : 0);
	/* what was going on; without claims it might have been all that was sent */
	size_t lost_max = sc->n_slots + (p->no_claims ? POOL_AHEAD_MAX : 0);

	if (p->no_claims)
		nth = 1;
	step("%s, passage %u, kill %s", p->name, nth, target_name[target]);
	begin(&w, sc);
	snprintf(spec, sizeof(spec), "%s@%u:stop", p->name, nth);
	world_start_spawner(&w, p->in_spawner ? spec : NULL);
	if (p->no_claims) /* of the five jobs in a batch one to four are written */
		world_limit_spawner(&w, 256 * (2 + next_random() % 4));
	world_start_reeved(&w, p->in_spawner ? NULL : spec);
	stream_init(&s, &w, sc->n_long);
	await_long_jobs(&s, sc->n_long);
	stream_resume(&s);
	world_await_stop(p->in_spawner ? w.spawner : w.reeved);
	kill_target(&w, target, p->in_spawner);
	if (target & KILL_REEVED)
		world_start_reeved(&w, NULL);
	stream_await_batches(&s, 3);
	finish(&w, &s, p->name, target, 1, lost_max);
}

static void pass_time(uint64_t usec)
{
	struct timespec ts = {.tv_nsec = (long)usec * 1000};

	/* not to wait for anything: the moment is what is random */
	ppoll(NULL, 0, &ts, NULL);
}

static void at_random_moments(enum target target, const struct scale *sc)
{
	struct world w;
	struct stream s;

	step("random moments, kill %s", target_name[target]);
	begin(&w, sc);
	world_start_spawner(&w, NULL);
	world_start_reeved(&w, NULL);
	stream_init(&s, &w, sc->n_long);
	await_long_jobs(&s, sc->n_long);
	stream_resume(&s);
	for (unsigned i = 0; i < sc->n_random; i++) {
		step("random moment %u, kill %s", i, target_name[target]);
		pass_time(next_random() % 120000);
		kill_target(&w, target, true);
		if (target & KILL_REEVED)
			world_start_reeved(&w, NULL);
		/* now and then again before the last is over */
		if (next_random() % 3)
			stream_await_batches(&s, 1);
	}
	stream_await_batches(&s, 3);
	finish(&w, &s, "random moments", target, sc->n_random,
		(size_t)sc->n_random * sc->n_slots);
}

int main(int argc, char **argv)
{
	static const enum target targets[] = {KILL_REEVED, KILL_SPAWNER, KILL_BOTH};
	const char *wants_full = getenv("REEVE_CRASH_FULL");
	const struct scale *sc = wants_full && STREQ(wants_full, "1") ? &full : &quick;
	const char *seed_text = getenv("REEVE_CRASH_SEED");
	struct programs p;
	uint64_t seed;

	if (argc != 4) {
		fprintf(stderr, "usage: crash REEVED SPAWNER DIR\n");
		return 2;
	}
#ifndef REEVE_FAILPOINTS
	printf("built without failpoints\n");
	return 77;
#endif
	p = (struct programs){.reeved = argv[1], .spawner = argv[2]};
	programs = &p;
	base_dir = argv[3];
	seed = seed_text ? strtoull(seed_text, NULL, 10) : (uint64_t)time(NULL);
	random_state = seed;
	watchdog(120);
	signal(SIGPIPE, SIG_IGN);
	printf("REEVE_CRASH_SEED=%" PRIu64 ", %u long jobs\n", seed, sc->n_long);
	printf("%-28s %-8s %5s %6s %6s %5s  %s\n", "scenario", "killed", "kills",
		"jobs", "again", "lost", "verdict");
	for (unsigned round = 0; round < sc->n_rounds; round++)
		for (size_t i = 0; i < ARRAY_LEN(points); i++)
			for (size_t k = 0; k < ARRAY_LEN(targets); k++)
				if (!points[i].only_ahead)
					at_point(&points[i], targets[k], sc);
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		if (!points[i].only_ahead)
			at_point(&points[i], KILL_REEVED, &lonely);
	for (size_t i = 0; i < ARRAY_LEN(points); i++)
		for (size_t k = 0; k < ARRAY_LEN(targets); k++)
			at_point(&points[i], targets[k], &ahead);
	for (size_t k = 0; k < ARRAY_LEN(targets); k++) {
		at_random_moments(targets[k], sc);
		at_random_moments(targets[k], &ahead);
	}
	return 0;
}
