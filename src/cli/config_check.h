/*
 * The configuration, read as the daemon reads it and with the daemon's own reader: by
 * `config check`, and before a daemon that is well is stopped for another one.
 */
#ifndef CLI_CONFIG_CHECK_H
#define CLI_CONFIG_CHECK_H

#include "client/paths.h"
#include "config/config_load.h"

struct cli;

/* The files that are meant: only `file`, or with NULL the usual ones of that mode. 0,
 * -ENOMEM */
int config_check_paths(
	struct config_paths *ret, enum paths_mode mode, const char *file);

enum check_say {
	CHECK_TELL,  /* also what was read, where nothing is wrong with it */
	CHECK_QUIET, /* only what is wrong */
};

/**
 * @file  only this one; NULL: the usual files of that mode
 *
 * Returns the exit code; all that is wrong is printed then.
 */
int config_check(const struct cli *c, enum paths_mode mode, const char *file,
	enum check_say say);
/* the same of these files */
int config_check_files(
	const struct cli *c, const struct config_paths *paths, enum check_say say);

/* What is wrong, as text or JSON on stderr. */
int config_check_tell(const struct cli *c, const struct config_errors *errors);

#endif
