/*
 * The configuration, read as the daemon reads it and with the daemon's own reader: by
 * `config check`, and before a daemon that is well is stopped for another one.
 */
#ifndef CLI_CONFIG_CHECK_H
#define CLI_CONFIG_CHECK_H

#include "client/paths.h"

struct cli;

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

#endif
