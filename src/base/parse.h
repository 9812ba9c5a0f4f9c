/* Text to values and back, for input that people and clients write. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "reeve/base.h"

/* whole string must be a number in range: 0, -EINVAL, -ERANGE */
int parse_i64(int64_t *ret, const char *s, int64_t min, int64_t max);
int parse_u64(uint64_t *ret, const char *s, uint64_t min, uint64_t max);
/* yes/no, true/false, on/off, 1/0 */
int parse_bool(bool *ret, const char *s);
/* bytes: "64M", "1.5G", "4096", K M G T as 1024 powers, with an optional B or iB;
 * "infinity" is INT64_MAX */
int size_parse(int64_t *ret_bytes, const char *s);
char *size_format(
	char *buf, size_t size, int64_t bytes); /* reads back to the same value */
bool utf8_is_valid(const void *p, size_t n);
/* printable form of any bytes for messages: control bytes and invalid UTF-8 as \xNN;
 * NUL-terminated, cut with "..." at size. Returns out. */
char *str_escape(char *out, size_t size, const void *p, size_t n);
/* nearest of the candidates by edit distance, NULL when none is near enough */
const char *str_nearest(const char *s, const char *const *candidates, size_t n);
/* [A-Za-z_][A-Za-z0-9_.@-]{0,63}: names of jobs, pools, labels (BEHAVIOUR.md) */
bool name_is_valid(const char *s);

#endif
