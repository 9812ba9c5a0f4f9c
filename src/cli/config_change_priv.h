/* One configuration file that is changed, for what changes values and for the editor. */
#ifndef CLI_CONFIG_CHANGE_PRIV_H
#define CLI_CONFIG_CHANGE_PRIV_H

#include <sys/stat.h>

#include "base/buf.h"
#include "config/config_load.h"

struct cli;

/* One file, as it is and as it is to be. */
struct change {
	const struct cli *c;
	const char *verb;
	struct config_paths paths; /* what is read with it */
	struct config_instead instead;
	char *path; /* owned */
	struct buf old;
	struct stat was;
	bool is_there;
	bool is_read; /* by a daemon of the usual files */
};

/* Which file the options name, and what is in it. 0, or the exit code; then change_deinit */
int change_begin(struct change *ch, const struct cli *c, const char *verb);
void change_deinit(struct change *ch);

/* the exit code; of files: that one is not there does not mean that no daemon is */
int change_fail(const struct change *ch, int r);
/* How many faults there are with this text, also in errors; *ret: as below. Negative errors */
int change_count_faults(struct change *ch, const struct buf *text, struct config **ret,
	struct config_errors *errors);
/* Whether the text may be written: it is good, or less is wrong than before. *ret: what it says,
 * the caller's, where nothing is wrong. 0; 1: told; negative errors */
int change_check(struct change *ch, const struct buf *text, struct config **ret);
/* It is the file from now on, in one step. 0; -ESTALE: somebody else has changed it meanwhile;
 * others as file_replace */
int change_write(const struct change *ch, const struct buf *text);
/* "changed", or not; the exit code */
int change_say(const struct change *ch, bool changed);

#endif
