/*
 * From a command line to Submit: the job's properties, the caller's environment,
 * working directory and umask, and the key that makes a repeated call harmless.
 */
#ifndef CLI_SUBMIT_H
#define CLI_SUBMIT_H

#include <jansson.h>

#include "job/spec.h"

struct cli;
struct client;

/* so many jobs, and bytes of them, go into one call where the daemon takes more */
#define SUBMIT_JOBS_MAX  500
#define SUBMIT_BYTES_MAX ((size_t)200 * 1024)

/**
 * The properties that the options give, with "-e NAME" looked up, and paths that are
 * relative to the caller's working directory made whole.
 *
 * @s    initialised here; deinit it also on failure
 * @err  for people
 *
 * Returns 0, -EINVAL, -errno.
 */
int submit_spec(struct job_spec *s, const struct cli *c, char **err);

/* Paths of a spec that are relative to the caller's working directory are made whole. 0,
 * -EINVAL with *err, -ENOMEM */
int submit_make_whole(struct job_spec *s, char **err);

/* The command itself: the operands, unless -c or --function say it. Where nothing says it,
 * the configuration may, which the daemon knows. Checks the whole spec. 0, -EINVAL with *err,
 * -ENOMEM */
int submit_command(struct job_spec *s, const struct cli *c, char **err);

/* The caller's environment as "env" or "env_b64" into obj; entries without '=' are no
 * variables and left out. *ret_bytes: what it takes in a call. 0, -ENOMEM */
int submit_put_env(json_t *obj, char *const *env, size_t *ret_bytes);

/**
 * What the caller is, as members of Submit into obj: its environment, and for jobs where
 * neither they nor the configuration say, its working directory and umask.
 *
 * @s          a command without a cwd of its own: the caller's has to be known
 * @ret_bytes  what it takes in a call
 *
 * Returns 0, or the exit code after printing the error.
 */
int submit_put_caller(
	const struct cli *c, json_t *obj, const struct job_spec *s, size_t *ret_bytes);

/* What the daemon says of one job of a call: "FIELD: what is wrong"; malloc'd, NULL: no memory */
char *submit_error_text(const char *error, const json_t *params);

#define SUBMIT_MADE_KEY_MAX 33
/* The key that the user gave, else one that is made up here. 0, or the exit code after
 * printing the error. */
int submit_key(const struct cli *c, const char **ret, char made[SUBMIT_MADE_KEY_MAX]);

/* bytes of a value as JSON text */
size_t submit_json_bytes(const json_t *value);

/**
 * Parameters of Submit.
 *
 * @jobs    array of Spec; taken, also on failure
 * @caller  object of submit_put_caller; borrowed
 *
 * NULL when out of memory.
 */
json_t *submit_params(json_t *jobs, const json_t *caller, const char *key);

/**
 * Submit one job and wait for its id. When the connection breaks before the answer, the
 * call is repeated with the same key on a new one: it gives the same job.
 *
 * @client  replaced when the connection had to be made again
 * @split   stdout and stderr stay apart, where nobody names one file for them
 *
 * Returns 0, or the exit code after printing the error.
 */
int submit_one(const struct cli *c, struct client **client, const struct job_spec *s,
	bool split, int64_t *ret_id);

#endif
