/*
 * Restarts that count for restart-burst, on record: a new daemon counts on, in place of giving
 * what crashes all the time another burst.
 *
 * Of instances with a burst the moments are written with each end that comes again, in its
 * transaction, and go with the start by which nothing counts that was before. Those of groups
 * are in the record of the group (service_groups.h). They are wall clock there: one that is set
 * back makes them as old as the daemon's start, not younger.
 *
 * Records, of kind "service-restarts", by "SERVICE/INSTANCE": microseconds of wall clock, the
 * oldest first. Loop thread only.
 */
#ifndef DAEMON_SERVICE_COUNTS_H
#define DAEMON_SERVICE_COUNTS_H

#include "daemon/services_priv.h"

/* "1700000000000000 1700000000100000"; 0, -ENOMEM */
int counts_format(struct buf *out, const struct rate *r, const struct clock *clock);
/* The same read; the limit is to be set after that. What is no moment is left out. 0, -ENOMEM */
int counts_parse(struct rate *r, const char *text, const struct clock *clock);

/* What counts of it now, as an operation of a txn, where the record says something else. 0,
 * -ENOMEM */
int instance_put_counts(struct services *ss, struct instance *in, struct txn *t);
/* that nothing does; it is to be forgotten in memory, too, once that is on disk */
int instance_drop_counts(struct instance *in, struct txn *t);

#endif
