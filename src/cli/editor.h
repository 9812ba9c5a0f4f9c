/* A text in the editor of whoever calls. */
#ifndef CLI_EDITOR_H
#define CLI_EDITOR_H

#include "reeve/base.h"

/**
 * A file for the editor, STEM-XXXXXX.conf in $TMPDIR or /tmp, with mode 0600: values of
 * environment variables may be in it.
 *
 * @ret  its path, owned by the caller, who removes the file. 0, -errno
 */
int editor_file(char **ret, const char *stem, const void *text, size_t n);

/* $VISUAL, else $EDITOR, else vi: a command line of the shell */
const char *editor_name(void);

/* Its exit code; -errno when no shell can be started. Ctrl-C is the editor's meanwhile. */
int editor_run(const char *path);

/* "Edit again?" on stderr; no where nobody can answer */
bool editor_again(void);

#endif
