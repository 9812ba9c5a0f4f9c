/*
 * The configuration, read as the daemon reads it and with the daemon's own reader: by
 * `config check`, and before a daemon that is well is stopped for another one.
 */
#ifndef CLI_CONFIG_CHECK_H
#define CLI_CONFIG_CHECK_H

#include <jansson.h>

#include "base/buf.h"
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
 * @file  only this one, by the rules of that mode where one was said or root calls, else by those
 *        that hold of both; NULL: the usual files of that mode
 *
 * Returns the exit code; all that is wrong is printed then.
 */
int config_check(const struct cli *c, enum paths_mode mode, const char *file,
	enum check_say say);
/* the same of these files */
int config_check_files(
	const struct cli *c, const struct config_paths *paths, enum check_say say);

/* The configuration that these files are. 0, or the exit code, with what is wrong told */
int config_check_load(
	struct cli *c, const struct config_paths *paths, struct config **ret);

/* the usual files, with another file in a place of theirs */
struct config_as {
	struct config_paths paths; /* what is read: borrows the rest */
	struct config_instead instead;
	struct buf text;
	char *place;
};
/* FILE in the place of NAME: what Ansible's `validate` needs. 0, or the exit code after
 * telling what is wrong; then config_as_deinit */
int config_as_read(
	struct cli *c, struct config_as *ret, const char *name, const char *file);
void config_as_deinit(struct config_as *as);

/* An error reply of the daemon that may be ConfigInvalid, told with all that is wrong. The
 * exit code */
int config_check_refused(struct cli *c, const char *error, const json_t *reply);

/* What is wrong, as text or JSON on stderr. */
int config_check_tell(const struct cli *c, const struct config_errors *errors);

#endif
