/*
 * From files to a configuration. Either the whole of it is good or there is none: the
 * daemon never starts with half of one.
 */
#ifndef CONFIG_CONFIG_LOAD_H
#define CONFIG_CONFIG_LOAD_H

#include "config/configuration.h"

/* A text that is read in place of a file, which need not be there: what the files would
 * say if it stood among them. Nothing of it is owned. */
struct config_instead {
	const char *path; /* of the file, as config_paths_place spells it */
	const char *name; /* for messages; NULL: path */
	const char *text;
	size_t n;
};

/* What is read, in this order, later over earlier; a NULL is left out. */
struct config_paths {
	char *vendor_dir; /* *.conf in it, in byte order of their names */
	char *file;
	char *dropin_dir;      /* like vendor_dir */
	bool file_is_required; /* else a file that is not there is no error */
	enum config_mode mode; /* whose daemon reads them */
	const struct config_instead *instead; /* NULL: only files are read */
	bool looks_at_environments; /* and at the files that these name (config_environment.h) */
};

/* Of the system: /usr/lib/reeve/reeve.conf.d, /etc/reeve/reeve.conf (and .d). */
int config_paths_system(struct config_paths *ret);
/* Of a user: $XDG_CONFIG_HOME/reeve/reeve.conf and .d, where config_home is that
 * variable's value or home's .config if it is NULL, empty or relative. Both NULL: no
 * file. 0, -ENOMEM. */
int config_paths_user(
	struct config_paths *ret, const char *config_home, const char *home);
/* --config FILE: only this one, and it has to be there. */
int config_paths_single(struct config_paths *ret, const char *file);
/**
 * The place of a file among those that are read.
 *
 * @ret   its path; owned by the caller
 * @name  a path (the directory's part is resolved, so that links do not matter), or
 *        without '/' a file of dropin_dir
 *
 * 0; -ENOENT: nothing reads a file there; -ENOMEM; -errno
 */
int config_paths_place(char **ret, const struct config_paths *paths, const char *name);
void config_paths_deinit(struct config_paths *p);
static inline void config_paths_deinitp(struct config_paths *p)
{
	config_paths_deinit(p);
}

/**
 * Read, check and put together.
 *
 * @ret     the caller's, set only when nothing at all is wrong
 * @errors  initialised by the caller; gets everything that is wrong
 *
 * Blocks on the files. Returns 0, -EINVAL (errors has at least one), -ENOMEM.
 */
int config_load(struct config **ret, const struct config_paths *paths,
	struct config_errors *errors);

/* Editors leave copies beside a file, and packages theirs: of a directory only *.conf
 * counts, without a '.' before it. */
bool config_is_file_name(const char *name);

/* What holds across keys; used by config_load. */
void config_validate(struct config *c, struct config_errors *errors);

/* The same for one text that stands for a file: tests and the fuzzer. */
int config_load_text(struct config **ret, const char *text, size_t n, const char *file,
	struct config_errors *errors);

#endif
