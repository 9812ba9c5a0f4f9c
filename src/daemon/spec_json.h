/* Specs as the protocol writes them (type Spec of io.reeve.Job), by the table of fields. */
#ifndef DAEMON_SPEC_JSON_H
#define DAEMON_SPEC_JSON_H

#include <jansson.h>

#include "job/spec.h"
#include "varlink/json_write.h"

/**
 * @obj  has passed the check against the interface: names and JSON types are right
 *
 * Returns 0; -EINVAL with *ret_field the member's name and *err what is wrong with its
 * value (malloc'd); -RV_ELIMIT, -ENOMEM. ret is set (job_spec_deinit it) on success only.
 */
int spec_from_json(
	struct job_spec *ret, const json_t *obj, const char **ret_field, char **err);

/* what was given, not the defaults; env: values of variables too, else their names */
void spec_to_json(
	struct json_writer *w, const char *key, const struct job_spec *s, bool env);

#endif
