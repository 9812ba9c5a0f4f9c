/* From "key = value" to the method Set: for `set`, and for whoever else changes jobs. */
#ifndef CLI_SET_H
#define CLI_SET_H

#include <jansson.h>

#include "job/spec.h"

struct cli;
struct client;
struct selection;

/**
 * One property, in the notation of the configuration.
 *
 * @reset  array of names for Set: an empty value puts the property back to its default
 * @err    what is wrong, for people, malloc'd
 *
 * Returns 0, -EINVAL, -RV_ELIMIT, -ENOMEM.
 */
int set_put(struct job_spec *spec, json_t *reset, const char *key, const char *value,
	char **err);

struct set_result {
	int64_t n, n_unchanged;
	json_t *refused; /* array of Refusal, the caller's */
};

/* Adds to res. 0, or the exit code after printing the error. */
int set_call(const struct cli *c, struct client *client, const struct selection *sel,
	const struct job_spec *spec, json_t *reset, struct set_result *res);

#endif
