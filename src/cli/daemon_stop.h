/* Stopping a daemon and waiting until it is really gone. */
#ifndef CLI_DAEMON_STOP_H
#define CLI_DAEMON_STOP_H

#include "reeve/base.h"

struct cli;
struct client;

/**
 * @client  a connection to it; borrowed
 * @pid     as it says itself
 * @mode    "terminate", "drain", "detach", or NULL: as configured
 *
 * Waits for the end of the process, and where that cannot be seen (another pid
 * namespace), for the end of the connection. Returns the exit code.
 */
int daemon_stop(
	const struct cli *c, struct client *client, pid_t pid, const char *mode);

#endif
