/*
 * Files of variables (env-file), in the form that systemd's EnvironmentFile has:
 *   NAME=VALUE            blanks around the name and the value are dropped
 *   # or ; first          a comment
 *   'VALUE'               every byte as it is, over several lines, too
 *   "VALUE"               likewise, but a backslash escapes \ " ` and $
 *   a backslash at the end of a line: the value goes on in the next
 * Several quoted pieces in a row are one value; outside of quotes a backslash keeps the byte
 * behind it. Nothing is expanded. Of two values of one variable the later counts.
 *
 * What systemd passes over in silence is an error here: a line without '=', a name that is
 * none, a quote that is not closed.
 */
#ifndef CONFIG_ENV_FILE_H
#define CONFIG_ENV_FILE_H

#include "config/configuration.h"

#define ENV_FILE_BYTES_MAX     (256 * 1024)
#define ENV_FILE_VARIABLES_MAX 1024

struct env_fault {
	unsigned line; /* counted from 1; 0: of no line */
	char text
		[120]; /* says nothing of what stands in the file: that may be secret */
};

/* letters, digits and _, no digit first */
bool env_name_is_valid(const char *s);

/* Of NAME=VALUE: is the name that of a variable? 0; -EINVAL, with what is wrong, malloc'd; -ENOMEM */
int env_entry_check(const char *entry, char **err);

/* Pure. ret: NAME=VALUE each; the caller's; NULL where there is none. 0; -EINVAL, -RV_ELIMIT
 * with *fault; -ENOMEM */
int env_file_parse(char ***ret, const char *text, size_t n, struct env_fault *fault);

/**
 * The same of a file, by the rules for files of the configuration: a regular one, and for the
 * daemon of the system one that only root may write. Blocks.
 *
 * @if_there  one that is not there gives nothing
 *
 * Returns 0; negative, with *fault, but for -ENOMEM.
 */
int env_file_read(char ***ret, const char *path, bool if_there, enum config_mode mode,
	struct env_fault *fault);

/* Is there a virtual environment of Python, by its pyvenv.cfg? 0, negative with *fault. Blocks. */
int virtualenv_check(const char *path, struct env_fault *fault);

#endif
