/*
 * What the store keeps of a service, of kind "service", as text, a line each: what was said of
 * it at run time.
 *   stopped = yes     until it is started
 *   instances = N of M  as many as that, as long as the file says M
 *   rolling = K [after NAME]  a rolling restart, whose next instance is K; it begins when that
 *                     of the other service is over
 *   roll-failed = WHY  the last one stopped
 *   acknowledged = MOMENT  that it was given up until then is no problem any more
 *   restart-before = MOMENT  runs that were started before it are started again, by restart-at:
 *                     microseconds of wall clock
 */
#ifndef DAEMON_SERVICE_RECORD_H
#define DAEMON_SERVICE_RECORD_H

#include <stdint.h>

#include "base/buf.h"

#define SERVICE_INSTANCES_MAX 1000

struct service_record {
	bool stopped;
	bool scaled; /* these hold */
	unsigned instances, defined;
	bool rolling;
	unsigned roll_next;
	char roll_behind[65];      /* "": none */
	char roll_failed[200];     /* "": it did not */
	int64_t restart_usec;      /* restart-before; 0: none */
	int64_t acknowledged_usec; /* of ends, by wall clock; 0: none */
};

static inline bool service_record_is_empty(const struct service_record *rec)
{
	return !rec->stopped && !rec->scaled && !rec->rolling && !*rec->roll_failed &&
	       rec->restart_usec == 0 && rec->acknowledged_usec == 0;
}

/* it is not rolled any more, nor said that it was */
static inline void service_record_end_roll(struct service_record *rec)
{
	rec->rolling = false;
	rec->roll_next = 0;
	rec->roll_behind[0] = rec->roll_failed[0] = '\0';
}

/* 0, -ENOMEM */
int service_record_format(struct buf *out, const struct service_record *rec);
/* Lines that are not known, of a later version, are left out. 0, -ENOMEM; -EINVAL where a value
 * is none */
int service_record_parse(struct service_record *ret, const char *text);

#endif
