/*
 * JSON text straight into a buffer: no tree, no second copy, compact, keys in the order
 * in which they are put. jansson would allocate for every value and print through a
 * callback a piece; a reply of a few fields is ten times cheaper this way.
 *
 * Strings that are not UTF-8 never make bad JSON: each wrong byte becomes U+FFFD. Where
 * the bytes themselves matter use json_writer_bytes (the "_b64" twin).
 */
#ifndef VARLINK_JSON_WRITE_H
#define VARLINK_JSON_WRITE_H

#include <jansson.h>

#include "base/buf.h"

/* Each 0 or -ENOMEM; a failed one may have appended a part. */
int json_write_string(struct buf *out, const char *s, size_t n); /* with its quotes */
int json_write_int(struct buf *out, int64_t v);

/* Any value. -ENOMEM; -RV_ELIMIT when nested more than depth_max deep (0: no
 * containers) */
int json_write_value(struct buf *out, const json_t *v, unsigned depth_max);

/*
 * Writer whose errors stick: put everything, then look at json_writer_end once.
 *
 * The key is NULL inside of arrays and for the outermost value; keys are the program's
 * own (no escaping is done for them).
 */
struct json_writer {
	struct buf *out;
	size_t len_before; /* of out, to go back to */
	unsigned depth;
	int error;
	bool comma; /* the next value is not the first of its container */
};

/* Appends to out, which outlives the writer and is not touched otherwise meanwhile. */
void json_writer_init(struct json_writer *w, struct buf *out);
/* 0; or the first error, and out is as it was before json_writer_init */
int json_writer_end(struct json_writer *w);

void json_writer_object(struct json_writer *w, const char *key);
void json_writer_object_end(struct json_writer *w);
void json_writer_array(struct json_writer *w, const char *key);
void json_writer_array_end(struct json_writer *w);
void json_writer_string(struct json_writer *w, const char *key, const char *s);
void json_writer_string_n(
	struct json_writer *w, const char *key, const char *s, size_t n);
void json_writer_int(struct json_writer *w, const char *key, int64_t v);
void json_writer_bool(struct json_writer *w, const char *key, bool v);
void json_writer_null(struct json_writer *w, const char *key);
void json_writer_value(struct json_writer *w, const char *key, const json_t *v);
/* the string "KEY" where the bytes are UTF-8 without NUL, else "KEY_b64" */
void json_writer_bytes(struct json_writer *w, const char *key, const void *p, size_t n);
/* always base64, under the key as given: output of jobs */
void json_writer_base64(
	struct json_writer *w, const char *key, const void *p, size_t n);
/* NULL-terminated array: strings under KEY, or where one of them is not UTF-8 all of
 * them base64 under KEY_b64 */
void json_writer_strv(struct json_writer *w, const char *key, char *const *v);

#endif
