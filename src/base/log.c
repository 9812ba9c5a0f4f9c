#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Longer lines are cut: what logs must neither allocate nor fail. */
#define LOG_LINE_MAX 2048

/* The only globals of base: every layer logs, and handing a logger through each call
 * would cost more than it explains. The sink is set before threads start and then only
 * read. */
static log_sink_fn log_sink;
static void *log_sink_arg;
static atomic_int log_level = LOG_INFO;

void log_set_sink(log_sink_fn fn, void *arg)
{
	log_sink = fn;
	log_sink_arg = arg;
}

void log_set_level(int level)
{
	atomic_store_explicit(&log_level, level, memory_order_relaxed);
}

int log_get_level(void)
{
	return atomic_load_explicit(&log_level, memory_order_relaxed);
}

void log_write(int level, const char *area, const char *fmt, ...)
{
	static const char cut[] = "...";
	char line[LOG_LINE_MAX];
	int saved = errno; /* callers log between a failed call and "return -errno" */
	va_list ap;
	int r;

	if (!log_sink || level > log_get_level())
		return;
	va_start(ap, fmt);
	r = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (r < 0)
		snprintf(line, sizeof(line), "(line could not be formatted)");
	else if ((size_t)r >= sizeof(line))
		memcpy(line + sizeof(line) - sizeof(cut), cut, sizeof(cut));
	log_sink(level, area, line, log_sink_arg);
	errno = saved;
}
