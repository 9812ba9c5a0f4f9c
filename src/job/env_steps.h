/*
 * How the environment of a run is put together: a list of variables in which some entries
 * are steps, for what they are made of is known only when the run starts. An entry that
 * begins with '=', as no variable does, is a step; all others are NAME=VALUE. Of two values
 * of one variable the later counts.
 *
 *   =environment NAME  nothing: from here on it is what that environment gives
 *   =file FILE         the variables of that file
 *   =file- FILE        the same, or nothing where there is no such file
 *   =path DIR[:DIR]    directories, in front of PATH
 *   =virtualenv DIR    VIRTUAL_ENV, its bin in front of PATH, and no PYTHONHOME
 *
 * Files are read by whoever calls: this is pure.
 */
#ifndef JOB_ENV_STEPS_H
#define JOB_ENV_STEPS_H

#include "reeve/base.h"

/* what PATH is where nobody says it, as the spawner has it */
#define ENV_DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

#define ENV_VARIABLES_MAX 4096 /* of one run, where there are steps */

enum env_step {
	ENV_STEP_ENVIRONMENT,
	ENV_STEP_FILE,
	ENV_STEP_FILE_IF_THERE,
	ENV_STEP_PATH,
	ENV_STEP_VIRTUALENV,
};

/* Put a step at the end of a list. 0, -ENOMEM */
int env_step_add(char ***list, enum env_step step, const char *text);
/* without one it is an environment as it is */
bool env_has_steps(char *const *list);
/* some step reads files: it is to be run where that may block */
bool env_has_files(char *const *list);
/* What such an entry does, and *ret_text what with, which points into it; false: it is a
 * variable, or a step of a later version. */
bool env_step_parse(enum env_step *ret, const char **ret_text, const char *entry);

struct env_steps_io {
	/* Variables of a file, as NAME=VALUE; those of one that may be missing, and is, are
	 * none: NULL. 0, negative */
	int (*read_file)(char ***ret, const char *path, bool if_there, void *arg);
	/* Is it a virtual environment? 0, negative */
	int (*check_virtualenv)(const char *path, void *arg);
	void *arg;
};

/**
 * An environment, of such a list.
 *
 * @ret  the caller's, without steps; NULL where it has nothing
 * @io   NULL: only to look at it; files give nothing, and nothing is checked
 *
 * Returns 0; -RV_ELIMIT, more than ENV_VARIABLES_MAX; -ENOMEM; what io returned.
 */
int env_steps_run(char ***ret, char *const *list, const struct env_steps_io *io);

#endif
