/*
 * What is wrong with a configuration: all of it, each with its place, so that one look
 * shows everything there is to mend.
 */
#ifndef CONFIG_CONFIG_ERRORS_H
#define CONFIG_CONFIG_ERRORS_H

#include <stdio.h>

#include "base/macro.h"
#include "reeve/base.h"

/* a file that is no configuration at all would give one for every line */
#define CONFIG_ERRORS_MAX 100

struct config_error {
	char *file;    /* NULL: of no file */
	unsigned line; /* 0: of no line */
	char *text;
};

struct config_errors {
	struct config_error *v; /* in the order in which they were met */
	size_t n;
	size_t n_more; /* over CONFIG_ERRORS_MAX: only counted */
	bool no_memory;
};

#define CONFIG_ERRORS_NULL        \
	{                         \
		NULL, 0, 0, false \
	}

void config_errors_deinit(struct config_errors *e);
/* remembers that memory ran out where it did */
void config_errors_add(struct config_errors *e, const char *file, unsigned line,
	const char *fmt, ...) PRINTF(4, 5);
/* Bring them into the order of the files, NULL-terminated, and of their lines: files are looked at
 * more than once over. Others come last, as they were met. What is told twice is told once. */
void config_errors_sort(struct config_errors *e, char *const *files);
/* nothing was added, and memory was enough to know that */
bool config_errors_is_empty(const struct config_errors *e);
/* "FILE:LINE: TEXT", without what it is not of, malloc'd; NULL: no memory */
char *config_error_format(const struct config_error *e);
/* each so, then how many more there are */
void config_errors_print(const struct config_errors *e, FILE *out);

static inline void config_errors_deinitp(struct config_errors *e)
{
	config_errors_deinit(e);
}

#endif
