/* Text to values and back, for input that people and clients write. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "reeve/base.h"

/* The whole string must be a decimal number in range, without blanks, '+' or a base
 * prefix. 0, -EINVAL (no number), -ERANGE. */
int parse_i64(int64_t *ret, const char *s, int64_t min, int64_t max);
int parse_u64(uint64_t *ret, const char *s, uint64_t min, uint64_t max);
/* yes/no, true/false, on/off, 1/0; 0, -EINVAL */
int parse_bool(bool *ret, const char *s);
/* bytes: "64M", "1.5G", "4096", K M G T as 1024 powers, with an optional B or iB;
 * "infinity" is INT64_MAX (and nothing else is). Fractions of a byte are dropped.
 * 0, -EINVAL, -ERANGE. */
int size_parse(int64_t *ret_bytes, const char *s);
/* Returns buf; SIZE_TEXT_MAX bytes are enough. */
#define SIZE_TEXT_MAX 32
char *size_format(
	char *buf, size_t size, int64_t bytes); /* reads back to the same value */
/* RFC 3629: no overlong forms, surrogates or values over U+10FFFF; NUL counts as valid
 */
bool utf8_is_valid(const void *p, size_t n);
/* printable form of any bytes for messages: control bytes and invalid UTF-8 as \xNN;
 * NUL-terminated, cut with "..." at size. Returns out. */
char *str_escape(char *out, size_t size, const void *p, size_t n);
/* a text so, in quotes, cut where long. QUOTED(text): in a buffer of the enclosing block */
struct quoted {
	char text[100];
};
const char *quoted_fill(struct quoted *q, const char *text);
#define QUOTED(text) quoted_fill(&(struct quoted){""}, (text))
/* A copy of text; where it is too long for size the middle is left out for "...", between
 * characters: a third from its beginning stays, and its end, where errors say what
 * they are. Returns out. */
char *str_shorten(char *out, size_t size, const char *text);
/* The candidate with the smallest edit distance (the first of equals; case does not
 * count), NULL when none is near enough to be a slip. */
const char *str_nearest(const char *s, const char *const *candidates, size_t n);
/* [A-Za-z_][A-Za-z0-9_.@-]{0,63}: names of jobs, pools, labels (BEHAVIOUR.md) */
bool name_is_valid(const char *s);
/* "a/b" is directory "a" (malloc'd) and name "b" (points into path); "b" is in ".",
 * "/b" in
 * "/". 0, -ENOMEM, -EINVAL when the last part is no file's name ("", ".", ".."). */
int path_split(char **ret_dir, const char **ret_name, const char *path);

#endif
