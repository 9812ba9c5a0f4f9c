/*
 * One of the logs that are followed at once: its connection, where it is, and its lines, which
 * come out with its name before them.
 */
#ifndef CLI_LOG_SOURCE_H
#define CLI_LOG_SOURCE_H

#include "cli/log_lines.h"
#include "cli/log_place.h"
#include "cli/log_tail.h"

struct cli;
struct client;
struct log_options;

#define LOG_LABEL_MAX 96

/* what all of them share; zeroed but for c and lo */
struct log_view {
	const struct cli *c;
	const struct log_options *lo;
	int width;        /* of the names */
	bool named;       /* lines have a name before them */
	size_t n_colors;  /* given out */
	uint64_t n_lines; /* that were shown */
};

struct log_source {
	struct log_view *view;
	int64_t id;
	char label[LOG_LABEL_MAX];
	const char *color;
	struct client *client; /* NULL: nothing is asked for now */
	bool more;             /* replies may be there without anything to poll for */
	bool wanted;           /* for the owner */
	bool over;             /* the run that was asked for will not come */
	bool tailing;          /* what is there already is held in tail */
	unsigned n_reconnects;
	struct log_place place;
	struct log_lines lines;
	struct log_filter_state seen;
	struct log_tail tail;
};

/* NULL: out of memory. view: borrowed. */
struct log_source *log_source_new(struct log_view *view, int64_t id, const char *label);
void log_source_free(struct log_source *s);
void log_source_set_label(struct log_source *s, const char *label);

/* Connect and ask. 0, or the exit code */
int log_source_begin(struct log_source *s);
/* The same, for the run that follows the last one that was shown. */
int log_source_begin_next(struct log_source *s);
/**
 * Take and print some of what has come, without waiting; a connection that broke is made again.
 *
 * @ret_failed  the exit code of an error that ended this source alone; else left alone
 *
 * 0, or an exit code that ends it all. s->client is NULL when the job has ended.
 */
int log_source_read(struct log_source *s, int *ret_failed);

/* Connect again, so often at most while nothing is heard. 0, or the exit code */
int log_reconnect(const struct cli *c, struct client **client, unsigned *n_reconnects);

#endif
