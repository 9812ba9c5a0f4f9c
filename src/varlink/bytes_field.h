/*
 * Fields that are bytes: argv, environment, cwd, paths.
 *
 * JSON strings are Unicode; what the kernel takes is bytes. Such a field "cwd" has a
 * twin "cwd_b64" that is used where the bytes are not UTF-8; an array has one twin as a
 * whole: one element that is not UTF-8 puts all of them into "argv_b64". Of the two at
 * most one may be there. (For replies see json_writer_bytes and json_writer_strv.)
 */
#ifndef VARLINK_BYTES_FIELD_H
#define VARLINK_BYTES_FIELD_H

#include <jansson.h>

#include "varlink/fault.h"

/**
 * Read a bytes field. For what a C string can hold: a NUL in the bytes is refused.
 *
 * @ret      malloc'd, a NUL after its end; the caller's
 * @ret_len  may be NULL
 *
 * Returns 1; 0 when neither KEY nor its twin is there (or null); -EINVAL with the fault
 * (the field and what is wrong); -ENOMEM.
 */
int vl_get_bytes(const json_t *obj, const char *key, char **ret, size_t *ret_len,
	struct vl_fault *fault);

/* The same for an array: NULL-terminated, for strv_free. An empty array is 1. */
int vl_get_bytes_array(
	const json_t *obj, const char *key, char ***ret, struct vl_fault *fault);

/* Set KEY or its twin, whichever the bytes need. 0, -ENOMEM */
int vl_put_bytes(json_t *obj, const char *key, const void *p, size_t n);
int vl_put_bytes_array(json_t *obj, const char *key, char *const *v);

#endif
