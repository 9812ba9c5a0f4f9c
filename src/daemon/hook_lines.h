/*
 * Which places (aux.h) the lines of a hook have, where a daemon before this one has begun some of
 * them, and the configuration may have changed since.
 *
 * A line is known by its text: the spawner is told a hash of it right behind its start, and tells
 * the next daemon with its table. So a line that was begun is not begun again wherever it stands
 * now; one whose text is another is a new one, and is run; and what was begun and is in the hook no
 * more is waited for, with the time that it had, before the next line is begun, and its end does not
 * count. Where reeved is killed between a start and the hash, which go in one message as a rule, or
 * the spawner is of an older version, it is not known what was begun: then it is taken to be the
 * line that stands in its place now. Loop thread only.
 */
#ifndef DAEMON_HOOK_LINES_H
#define DAEMON_HOOK_LINES_H

#include "config/config_hooks.h"
#include "reeve/task.h"

struct run;

struct hook_lines {
	const char *name; /* of the hook */
	unsigned first;   /* its first place */
	char **lines;     /* of now; NULL: none */
	int64_t timeout_usec;
};

/* never 0 */
uint64_t hook_line_hash(const char *line);
/* of the hook of that first place something was begun, and is not forgotten */
bool hook_lines_were_begun(const struct run *run, unsigned first);
/* Waits for what goes on of it, and sets the place of each line. 0, -ECANCELED */
RV_AWAIT int hook_lines_place(struct run *run, const struct hook_lines *of,
	unsigned ret_places[HOOK_LINES_MAX]);

#endif
