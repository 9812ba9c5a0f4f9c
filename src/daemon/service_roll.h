/*
 * Rolling restarts: of services, one after the other in the order of their starts, one instance
 * after the other, each ready before the next one is asked to end.
 *
 * How far a roll has come is in the record of each service that it goes over, in the transaction
 * in which an instance is asked to end, or is started. So it is nobody's who asked for it: it
 * goes on when they are gone, and in the next daemon. What was told to end is told again there,
 * at most. A roll stops at the first instance that does not get ready: the others stay as they
 * are, and the record says why until the service is started, restarted or rolled the next time.
 *
 * Loop thread only.
 */
#ifndef DAEMON_SERVICE_ROLL_H
#define DAEMON_SERVICE_ROLL_H

#include "daemon/service_settle.h"

/* Where it is rolled, the next step. 0, -ENOMEM */
int settle_roll(struct settle *st, struct service *s);
/* how far it is, in words, into buf; NULL: nothing is to be said of it */
const char *service_roll_text(const struct service *s, char *buf, size_t size);

#endif
