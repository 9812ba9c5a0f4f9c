/*
 * What the daemon's log says of services that end and are started again.
 *
 * A thousand of them that crash as soon as they are started are to leave a log that can be
 * read. So the ends of a service are told one by one only at first: those of short runs in a
 * row, but for the first of each instance, and all but a few within a minute, are counted, and
 * at the end of that minute there is one line for the service, or, where many services are so,
 * one for each of those that did it most and one for the others together. No end is left out of
 * the numbers, those of a daemon that ends in good order neither. While nothing ends there is
 * no timer. Nothing of it is on disk: what a daemon that is killed has counted is gone with it,
 * and the runs themselves are in the history of their jobs.
 *
 * Loop thread only.
 */
#ifndef DAEMON_SERVICE_LOG_H
#define DAEMON_SERVICE_LOG_H

#include "reeve/loop.h"

enum {
	SERVICE_LOG_WINDOW_SEC = 60,
	SERVICE_LOG_LINES_MAX = 5,     /* of one service in a window, one by one */
	SERVICE_LOG_SERVICES_MAX = 20, /* that have a line of their own at its end */
};

struct service_log;

/* -ENOMEM */
int service_log_new(struct service_log **ret, rv_loop *loop);
/* tells what it has counted. Takes NULL, returns NULL */
struct service_log *service_log_free(struct service_log *l);

/**
 * A run has ended, and the instance is started again.
 *
 * @what   how, as "it has ended with status 1, starting it again in 1s"
 * @is_more  one more of several short runs of the instance in a row
 */
void service_log_again(struct service_log *l, const char *service, unsigned instance,
	const char *what, bool is_more);

/* A run has ended, and that is it: told at once, behind what was counted of its service. */
void service_log_end(struct service_log *l, int level, const char *service,
	unsigned instance, const char *what);

#endif
