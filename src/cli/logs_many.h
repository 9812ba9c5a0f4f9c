/*
 * Many logs followed at once: each line with the name of its job or service before it, in a
 * colour of its own on a terminal.
 *
 * Each has a connection of its own, and lines are shown whole, in the order in which they come.
 * Of a line that does not end at most LOG_LINE_MAX bytes are held. What a program writes
 * faster than it is shown waits in its file.
 */
#ifndef CLI_LOGS_MANY_H
#define CLI_LOGS_MANY_H

#include <jansson.h>

#include "reeve/base.h"

struct cli;
struct client;
struct log_options;
struct logs_many;

/* at once; a user may have connections-per-user-max */
#define LOGS_MANY_MAX 500

/* NULL: out of memory. c and lo are borrowed. */
struct logs_many *logs_many_new(const struct cli *c, const struct log_options *lo);
void logs_many_free(struct logs_many *m);

/* A job, as List gives it, under its name, or its id if it has none. 0, or the exit code */
int logs_many_add_job(struct logs_many *m, const json_t *job);

/* Sources that come and go, of services: */
struct logs_many_ops {
	/* Which there are now: logs_many_want for each. 0; 1 the daemon answered with an error;
	 * errors as client_call. */
	int (*list)(void *arg, struct client *control, struct logs_many *m);
	/* may a job of that name be one of them? */
	bool (*wants)(void *arg, const char *name);
	void *arg;
};
/* Look again whenever such a job changes; never ends by itself then. ops: borrowed. */
void logs_many_watch(struct logs_many *m, const struct logs_many_ops *ops);
/* In list: this one, with so many starts; goes_on: there may be more to read. 0, -ENOMEM */
int logs_many_want(struct logs_many *m, int64_t id, const char *label, bool goes_on,
	int64_t starts);
/* every line has its name before it, also while there is only one */
void logs_many_name_all(struct logs_many *m);

/* Until all have ended. 0, or the exit code */
int logs_many_follow(struct logs_many *m);

#endif
