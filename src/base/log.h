/*
 * Where log lines go. Libraries of reeve never log above debug, and only through this
 * hook; daemon and CLI set the sink. A line: what failed, on which thing, what happens
 * now.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <syslog.h>

#include "base/macro.h"

/* level is LOG_ERR ... LOG_DEBUG; any thread; must not fail */
typedef void (*log_sink_fn)(int level, const char *area, const char *text, void *arg);

void log_set_sink(log_sink_fn fn, void *arg); /* NULL: drop; before threads start */
void log_set_level(int level); /* lines above it are dropped; default LOG_INFO */
int log_get_level(void);
void log_write(int level, const char *area, const char *fmt, ...) PRINTF(3, 4);

/* area: the part that speaks ("spawn", "store", "control"): can be filtered by */
#define log_at(level, area, ...)                                 \
	do {                                                     \
		if ((level) <= log_get_level())                  \
			log_write((level), (area), __VA_ARGS__); \
	} while (0)

#endif
