/*
 * How far a wait is, as one line on a terminal's stderr: drawn when the daemon says that
 * something has changed (Wait with progress: at most ten times a second), taken away before
 * anything else is printed and at the end. Nothing where stderr is no terminal, with --json
 * and with -q.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "reeve/base.h"

struct cli;

struct progress_counts {
	int64_t succeeded, failed, running, waiting; /* waiting: those running too */
};

/* How many have ended, once a second, of the last minute. */
#define PROGRESS_SAMPLES 61
struct progress_rate {
	struct {
		rv_time at;
		int64_t ended;
	} samples[PROGRESS_SAMPLES]; /* a ring */
	unsigned first, n;
};

/* Ends a second over at most the last minute; 0 where nothing can be said yet: less than a
 * second, or nothing ended. */
double progress_rate(struct progress_rate *r, rv_time now, int64_t ended);

/* bytes of a line and its NUL, colours and all */
#define PROGRESS_TEXT_MAX 256
/**
 * The line: "12/50 done, 1 failed, 8 running, 30 queued, 4.2/s, 9s left". The time left is
 * what waits at that rate.
 *
 * @width  columns; what does not fit is left out, from the end, whole
 */
char *progress_text(char buf[PROGRESS_TEXT_MAX], const struct progress_counts *counts,
	double per_sec, unsigned width, bool color);

struct progress {
	bool on, color, shown;
	struct progress_rate rate;
};

void progress_init(struct progress *p, const struct cli *c);
void progress_show(struct progress *p, const struct progress_counts *counts);
/* before anything is printed, and at the end */
void progress_hide(struct progress *p);

#endif
