/* The service manager: readiness, status text, the watchdog; a pipe for `reeve daemon start`. */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include "reeve/loop.h"

struct jobs;
struct notify;

/* Nothing of it costs a wake-up where no manager asked for it. */
int notify_new(struct notify **ret, rv_loop *loop, int ready_fd);
struct notify *notify_free(struct notify *n);
/* From here on the status text says how many jobs run and are queued: again with every
 * feeding of the watchdog, so that no job costs a message. @jobs lives to notify_stopping. */
void notify_ready(struct notify *n, const struct jobs *jobs);
void notify_stopping(struct notify *n);
void notify_reloading(struct notify *n, bool done);

/* descriptors of sockets that were passed in (socket activation); how many */
int notify_listen_fds(int *ret_first);

#endif
