/* What the files of this folder that deal with values share. */
#ifndef JOB_VALUE_PRIV_H
#define JOB_VALUE_PRIV_H

#include "base/macro.h"
#include "base/parse.h"
#include "job/fields.h"

/* Set *err (may be NULL) to a message and return r. A message that cannot be allocated
 * is left out: the code says enough. */
int job_err(char **err, int r, const char *fmt, ...) PRINTF(3, 4);

/* texts of an enumerated type, NULL-terminated, or NULL when it is none */
const char *const *job_type_words(enum job_type t);

/* canonical text of a list of limits, malloc'd; same errors as job_value_parse */
int rlimits_canonical(char **ret, const char *text, char **err);

/* most bytes of a text, most elements of a list */
size_t job_field_bytes_max(enum job_field f);
size_t job_field_elements_max(enum job_field f);

#endif
