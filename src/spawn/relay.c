/* Relay; see relay.h. In the threads of starters: of a run only what gates give out and what
 * was fixed before it came to a gate may be touched. */
#include "config.h"

#include "spawn/relay.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "spawn/spawner.h"

/* Has any run left anything? Whoever is dead has no children any more, they are orphans
 * (orphans.h): with none of them a run is over with its main process. */
static bool nothing_is_left(const struct spawner *sp)
{
	char c;

	return sp->orphans.children_fd >= 0 &&
	       pread(sp->orphans.children_fd, &c, 1, 0) == 0;
}

/* as the status of wait(2); false: no end is to be had, which the loop will see */
static bool read_status(const struct start *s, int32_t *ret)
{
	siginfo_t si = {.si_pid = 0};

	/* it stays a zombie: the loop still signals it by its pid */
	if (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED | WNOHANG | WNOWAIT | __WALL) <
			0 ||
		si.si_pid == 0)
		return false;
	switch (si.si_code) {
	case CLD_EXITED: *ret = W_EXITCODE(si.si_status, 0); return true;
	case CLD_KILLED: *ret = si.si_status; return true;
	case CLD_DUMPED: *ret = si.si_status | WCOREFLAG; return true;
	default: return false;
	}
}

static struct spawn_run_info claim_of(const struct start *s)
{
	return (struct spawn_run_info){
		.token = s->req.token,
		.state = SPAWN_RUN_STARTING,
	};
}

/* The loop does so too late for a next that may begin before. What the run used is not
 * known here. */
static bool claim_end(struct spawner *sp, struct start *s)
{
	struct spawn_run_info info = claim_of(s);

	if (!read_status(s, &info.status))
		return false;
	info.state = SPAWN_RUN_EXITED;
	info.pid = s->pid;
	info.start_time = s->start_time;
	info.started_boot = s->started_boot;
	info.started_usec = s->started_usec;
	info.ended_boot = s->ended_boot;
	info.ended_usec = s->ended_usec;
	claims_write(&sp->claims, s->run->claim, &info);
	s->end_claimed = true;
	return true;
}

bool relay_expects(struct start *s, void *spawner)
{
	struct spawner *sp = spawner;

	return gates_has_waiting(&sp->gates, s->run);
}

struct start *relay_follow(struct start *s, void *spawner)
{
	struct spawner *sp = spawner;
	struct spawn_run_info info;
	struct run *next;
	bool plenty;

	if (!nothing_is_left(sp) || !claim_end(sp, s))
		return NULL;
	FAILPOINT("spawner-relay-ended");
	next = gates_pass(&sp->gates, s->run, &plenty);
	if (!next)
		return NULL;
	FAILPOINT("spawner-relay-passed");
	s->quiet = plenty;
	start_set_number(next->start, next->number);
	/* written before it begins, as submit does in life_start.c */
	info = claim_of(next->start);
	claims_write(&sp->claims, next->claim, &info);
	return next->start;
}
