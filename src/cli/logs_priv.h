/* What the files of `logs` share: one job whose output is shown, and how it is printed. */
#ifndef CLI_LOGS_PRIV_H
#define CLI_LOGS_PRIV_H

#include "cli/log_lines.h"
#include "cli/log_options.h"
#include "cli/log_place.h"
#include "cli/log_tail.h"
#include "cli/logs.h"

struct logs {
	const struct cli *c;
	const struct log_options *lo;
	json_t *params; /* what goes with every selector; borrowed */
	bool follow;    /* now; not while what is there already is looked through */
	int64_t run;    /* that is asked for now; 0: the newest */
	struct log_place place;
	bool over; /* a run that was asked for after a break is not there, and will not be */
	unsigned n_reconnects;
	int64_t heading; /* id of the job whose heading is due with its first line; 0: none */
	size_t n_shown; /* jobs with a heading */
	bool many;      /* what is said on stderr names the job */
	bool mid_line;  /* the last byte printed ended none */
	int exit_code;  /* of an error that was printed */
	/* where lines are looked at */
	bool by_line;
	struct log_lines lines;
	struct log_filter_state seen;
	bool tailing; /* lines are held in tail, until all were looked at */
	struct log_tail tail;
	int64_t id;       /* of the job; 0: not known yet */
	uint64_t n_lines; /* that were shown */
	/* of many runs: what was trimmed of these is told once */
	bool summing;
	int64_t lost; /* bytes */
	int64_t first_lost_run, last_lost_run;
	size_t n_lost_runs;
};

/* A page of Logs: its bytes, or its lines where these are looked at. 0, or negative errors:
 * -EIO, -ENOMEM, or as log_place_take
 */
int logs_print_page(struct logs *l, const json_t *page);
/* log_line_fn, arg: struct logs. A line that is wanted is printed, or held for the tail. */
int logs_look_at_line(void *arg, const struct log_line *line);
/* log_line_fn: it is printed, whatever is wanted */
int logs_print_wanted(void *arg, const struct log_line *line);
/* before the first of a job's lines, where several are shown; once */
void logs_print_heading(struct logs *l);
/* on stderr: what was trimmed of the runs that were summed up */
void logs_tell_lost(struct logs *l);

#endif
