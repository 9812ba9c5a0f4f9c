/*
 * The columns of `ls`: what each is called, what it shows of a job, and the members of the
 * job that it is made of, which are what `--columns` leaves of it with --json.
 */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include <jansson.h>

#include "cli/output.h"

/* STATE tells how it ended, too; WHEN is the first that there is of its end, the time when
 * it is due, its start and its submission */
#define COLUMNS(X)                \
	X(ID, "id")               \
	X(STATE, "state")         \
	X(RESULT, "result")       \
	X(EXIT, "exit")           \
	X(REASON, "reason")       \
	X(USER, "user")           \
	X(NAME, "name")           \
	X(LABEL, "label")         \
	X(POOL, "pool")           \
	X(PRIORITY, "priority")   \
	X(SUBMITTED, "submitted") \
	X(STARTED, "started")     \
	X(FINISHED, "finished")   \
	X(DUE, "due")             \
	X(WHEN, "when")           \
	X(TIME, "time")           \
	X(RUNS, "runs")           \
	X(PID, "pid")             \
	X(COMMAND, "command")

enum column {
#define X(id, name) COLUMN_##id,
	COLUMNS(X)
#undef X
		COLUMN_N
};

extern const char *const column_name[COLUMN_N];

/* which ones, in this order; none twice */
struct columns {
	enum column v[COLUMN_N];
	size_t n;
};

/* those that are shown where nothing is said */
void columns_default(struct columns *ret, bool with_user);

/**
 * "id,state,command".
 *
 * @err  on -EINVAL a message for people that has all names, malloc'd
 *
 * Returns 0, -EINVAL (no such column, one that is there already), -ENOMEM.
 */
int columns_parse(struct columns *ret, const char *text, char **err);

/* a table with these columns; errors as table_new's */
int columns_table(
	const struct columns *cs, struct table **ret, const struct table_style *style);
/* A row of it. 0, -ENOMEM. */
int columns_row(
	const struct columns *cs, struct table *t, const json_t *job, int64_t now_usec);
/* The job with the members that they are made of alone; NULL when out of memory. */
json_t *columns_json(const struct columns *cs, const json_t *job);

#endif
