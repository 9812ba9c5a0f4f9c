/* The few things that every verb does with JSON values. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "reeve/base.h"

static inline void json_decref_freep(json_t **v)
{
	json_decref(*v);
}
#define _cleanup_json_ _cleanup_(json_decref_freep)

/* members of an object, with what to take where they are missing, null or of another
 * type: replies come from outside */
const char *json_str(const json_t *obj, const char *key); /* "" */
int64_t json_int(const json_t *obj, const char *key, int64_t missing);
bool json_is_set(const json_t *obj, const char *key); /* there and not null */

/* Set a member, taking the value. 0, -ENOMEM (also for a NULL value, so that the
 * constructor needs no check of its own). */
int json_put(json_t *obj, const char *key, json_t *value);
/* Append to the array obj[key], which is made when it is not there. 0, -ENOMEM */
int json_put_append(json_t *obj, const char *key, json_t *value);

/* One value and a newline; indented where it is for people. 0, -EIO */
int json_print(FILE *f, const json_t *value, bool indented);

#endif
