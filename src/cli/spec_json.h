/*
 * A job's properties as the protocol has them: struct job_spec to a Spec object and
 * back, by the table of fields. Bytes that are not UTF-8 go into the "_b64" twin. Pure.
 */
#ifndef CLI_SPEC_JSON_H
#define CLI_SPEC_JSON_H

#include <jansson.h>

#include "job/spec.h"

/* A new object with the fields that are set; NULL when out of memory. */
json_t *spec_to_json(const struct job_spec *s);

/**
 * Put the members of a Spec object into s, over or behind what is there.
 *
 * @err  what is wrong, for people, malloc'd
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int spec_from_json(struct job_spec *s, const json_t *obj, char **err);

/* dst gets its own copy of every field set in src */
int spec_copy(struct job_spec *dst, const struct job_spec *src);

/* One value of a field from text, as options and the configuration write it.
 * 0, -EINVAL with *err, -ENOMEM */
int spec_put_text(struct job_spec *s, enum job_field f, const char *text, char **err);
/* the same for values that are there as they are: no parsing. 0, -EINVAL, -ENOMEM */
int spec_put_str(struct job_spec *s, enum job_field f, const char *value, char **err);
int spec_put_num(struct job_spec *s, enum job_field f, int64_t value);
int spec_put_strv(struct job_spec *s, enum job_field f, char *const *value, char **err);

#endif
