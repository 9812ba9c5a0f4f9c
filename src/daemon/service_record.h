/*
 * What the store keeps of a service, of kind "service", as text, a line each: what was said of
 * it at run time.
 *   stopped = yes     until it is started
 *   instances = N of M  as many as that, as long as the file says M
 */
#ifndef DAEMON_SERVICE_RECORD_H
#define DAEMON_SERVICE_RECORD_H

#include "base/buf.h"

#define SERVICE_INSTANCES_MAX 1000

struct service_record {
	bool stopped;
	bool scaled; /* these hold */
	unsigned instances, defined;
};

static inline bool service_record_is_empty(const struct service_record *rec)
{
	return !rec->stopped && !rec->scaled;
}

/* 0, -ENOMEM */
int service_record_format(struct buf *out, const struct service_record *rec);
/* Lines that are not known, of a later version, are left out. 0, -ENOMEM; -EINVAL where a value
 * is none */
int service_record_parse(struct service_record *ret, const char *text);

#endif
