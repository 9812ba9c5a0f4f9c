/*
 * What runs say of themselves by sd_notify(3), for when no daemon is there to hear it.
 *
 * The socket is the daemon's, who gives it to the spawner to keep. While a daemon is connected
 * nobody else reads it. While none is, the spawner does: a queue that nobody empties would soon
 * block who says something (it has room for a few datagrams), and nobody could tell later whose
 * process a sender was that has ended. Of each run the last word of each kind that matters is
 * kept, and told with the table.
 */
#ifndef SPAWN_SAID_H
#define SPAWN_SAID_H

#include "spawn/spawn.h"

struct spawner;
struct run;

/**
 * Put lines behind what is there, in place of earlier ones of their kinds: READY=, RELOADING=,
 * STOPPING=, STATUS=, MAINPID=, WATCHDOG_USEC= and WATCHDOG=trigger, and SPAWN_SAID_OUTPUT and
 * SPAWN_SAID_LINE, which are the daemon's own. Others, and those for which there is no room, are left out.
 *
 * @text  lines, each ended by a newline, then NUL
 * @n     of lines, which may be anything
 */
void said_merge(char text[SPAWN_SAID_MAX + 1], const char *lines, size_t n);

/* It is the spawner's now; one that was kept before is closed. */
void said_keep(struct spawner *sp, int fd);
/* A daemon is connected, or none is any more. */
void said_listen(struct spawner *sp, bool on);
/* there is something to be read */
void said_read(struct spawner *sp);
/* What a run says is this, from now on. EXTEND_TIMEOUT_USEC= is not kept: where the run is being
 * stopped its grace ends no sooner than so many microseconds from now. -ENOMEM */
int said_set(struct spawner *sp, struct run *run, const char *text);
/* It has ended: nothing is kept of it, but of a command beside a run what the daemon said. */
void said_end(struct run *run);

#endif
