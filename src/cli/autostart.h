/*
 * What happens where no daemon answers: verbs that submit work start one in user mode,
 * all others say so (BEHAVIOUR.md, "Which daemon").
 */
#ifndef CLI_AUTOSTART_H
#define CLI_AUTOSTART_H

#include "reeve/base.h"

struct cli;
struct client;

/* Start the user's daemon if that is allowed, and connect. 0, or the exit code after
 * printing why not. */
int autostart(const struct cli *c, struct client **ret);

/* Say that start_daemon failed, and what the daemon said. Returns the exit code. */
int start_fail(const struct cli *c, int r, const char *err);

/* Say that no daemon runs, and how much is queued. Returns the exit code. */
int autostart_not_running(const struct cli *c);

/*
 * A file in the state directory that says: stopped on purpose. Only `daemon start`
 * takes it away. Errors are of no consequence but a daemon that starts by itself.
 */
void stopped_mark_set(const char *state_dir);
void stopped_mark_clear(const char *state_dir);
bool stopped_mark_is_set(const char *state_dir);

/* Once per state directory: that jobs end at logout where lingering is off. */
void linger_tell_once(const struct cli *c, const char *state_dir);

#endif
