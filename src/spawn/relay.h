/*
 * Relay: a run begins where another of its gate has ended, without a turn of the loop.
 *
 * With jobs of a millisecond the way from an end through the loop to a starter is as long as
 * the job. So a starter stays a moment with a run of a gate, and where the run is over with
 * its main process, which is nearly always, it takes the next that waits and begins it. The
 * loop hears of both a moment later: it looks by itself (spawner.c).
 */
#ifndef SPAWN_RELAY_H
#define SPAWN_RELAY_H

#include <stdbool.h>

struct spawner;
struct start;

/* The functions of starters_ops; arg is the spawner. Where no other run waits at the gate the
 * loop, and the daemon, hear of a start at once. */
bool relay_expects(struct start *s, void *spawner);
struct start *relay_follow(struct start *s, void *spawner);

#endif
