#include "config.h"

#include "varlink/json_write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/parse.h"
#include "base/strv.h"
#include "varlink/limits.h"

/* Bytes of the well-formed UTF-8 sequence at p, 0 when it is not one. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	return utf8_is_valid(p, len) ? len : 0;
}

static int write_escape(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"': return buf_append(out, "\\\"", 2);
	case '\\': return buf_append(out, "\\\\", 2);
	case '\b': return buf_append(out, "\\b", 2);
	case '\f': return buf_append(out, "\\f", 2);
	case '\n': return buf_append(out, "\\n", 2);
	case '\r': return buf_append(out, "\\r", 2);
	case '\t': return buf_append(out, "\\t", 2);
	default: return buf_printf(out, "\\u%04x", c);
	}
}

int json_write_string(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t plain = 0; /* start of what needs no change and is not written yet */
	size_t i = 0;
	int r;

	r = buf_append_byte(out, '"');
	while (i < n && r >= 0) {
		size_t len = 1;
		bool bad = false;

		if (p[i] >= 0x80) {
			len = utf8_sequence(p + i, n - i);
			bad = len == 0;
		}
		if (!bad && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\') {
			i += len;
			continue;
		}
		r = buf_append(out, s + plain, i - plain);
		if (r >= 0)
			r = bad ? buf_append(out, "\xef\xbf\xbd", 3)
				: write_escape(out, p[i]);
		plain = ++i;
	}
	if (r >= 0)
		r = buf_append(out, s + plain, n - plain);
	if (r >= 0)
		r = buf_append_byte(out, '"');
	return r < 0 ? r : 0;
}

int json_write_int(struct buf *out, int64_t v)
{
	char text[24], *p = text + sizeof(text);
	/* the magnitude of INT64_MIN does not fit an int64_t */
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	if (v < 0)
		*--p = '-';
	return buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

static int write_real(struct buf *out, double v)
{
	char text[40];

	snprintf(text, sizeof(text), "%.17g", v);
	for (char *p = text; *p; p++)
		if (*p == ',') /* the decimal point of the locale */
			*p = '.';
	/* a real stays a real when it is read back */
	if (buf_append_str(out, text) < 0)
		return -ENOMEM;
	return strpbrk(text, ".e") ? 0 : buf_append_str(out, ".0");
}

static int write_object(struct buf *out, const json_t *v, unsigned depth_max)
{
	/* jansson's iterators take no const, and change nothing */
	json_t *o = (json_t *)(uintptr_t)v;
	const char *sep = "{";
	int r = 0;

	for (void *it = json_object_iter(o); it && r >= 0;
		it = json_object_iter_next(o, it)) {
		r = buf_append(out, sep, 1);
		if (r >= 0)
			r = json_write_string(out, json_object_iter_key(it),
				json_object_iter_key_len(it));
		if (r >= 0)
			r = buf_append_byte(out, ':');
		if (r >= 0)
			r = json_write_value(
				out, json_object_iter_value(it), depth_max);
		sep = ",";
	}
	if (r >= 0)
		r = buf_append_str(out, *sep == '{' ? "{}" : "}");
	return r;
}

static int write_array(struct buf *out, const json_t *v, unsigned depth_max)
{
	size_t n = json_array_size(v);
	int r = buf_append_byte(out, '[');

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (i > 0)
			r = buf_append_byte(out, ',');
		if (r >= 0)
			r = json_write_value(out, json_array_get(v, i), depth_max);
	}
	return r < 0 ? r : buf_append_byte(out, ']');
}

int json_write_value(struct buf *out, const json_t *v, unsigned depth_max)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return depth_max ? write_object(out, v, depth_max - 1) : -RV_ELIMIT;
	case JSON_ARRAY:
		return depth_max ? write_array(out, v, depth_max - 1) : -RV_ELIMIT;
	case JSON_STRING:
		return json_write_string(
			out, json_string_value(v), json_string_length(v));
	case JSON_INTEGER: return json_write_int(out, json_integer_value(v));
	case JSON_REAL: return write_real(out, json_real_value(v));
	case JSON_TRUE: return buf_append_str(out, "true");
	case JSON_FALSE: return buf_append_str(out, "false");
	case JSON_NULL: return buf_append_str(out, "null");
	}
	return -EINVAL;
}

void json_writer_init(struct json_writer *w, struct buf *out)
{
	*w = (struct json_writer){.out = out, .len_before = buf_len(out)};
}

int json_writer_end(struct json_writer *w)
{
	INVARIANT(w->error < 0 || w->depth == 0);
	if (w->error < 0)
		w->out->end = w->out->start + w->len_before;
	return w->error;
}

static void keep(struct json_writer *w, int r)
{
	if (r < 0 && w->error == 0)
		w->error = r;
}

/* Comma and key in front of a value; suffix goes onto the key. False: after an error.
 */
static bool begin_suffixed(struct json_writer *w, const char *key, const char *suffix)
{
	if (w->error < 0)
		return false;
	if (w->comma)
		keep(w, buf_append_byte(w->out, ','));
	w->comma = true;
	if (key) {
		keep(w, buf_append_byte(w->out, '"'));
		keep(w, buf_append_str(w->out, key));
		keep(w, buf_append_str(w->out, suffix));
		keep(w, buf_append(w->out, "\":", 2));
	}
	return w->error == 0;
}

static bool begin(struct json_writer *w, const char *key)
{
	return begin_suffixed(w, key, "");
}

static void open_container(
	struct json_writer *w, const char *key, const char *suffix, char c)
{
	if (!begin_suffixed(w, key, suffix))
		return;
	keep(w, buf_append_byte(w->out, c));
	w->depth++;
	w->comma = false;
}

static void close_container(struct json_writer *w, char c)
{
	if (w->error < 0)
		return;
	INVARIANT(w->depth > 0);
	w->depth--;
	keep(w, buf_append_byte(w->out, c));
	w->comma = true;
}

void json_writer_object(struct json_writer *w, const char *key)
{
	open_container(w, key, "", '{');
}

void json_writer_object_end(struct json_writer *w)
{
	close_container(w, '}');
}

void json_writer_array(struct json_writer *w, const char *key)
{
	open_container(w, key, "", '[');
}

void json_writer_array_end(struct json_writer *w)
{
	close_container(w, ']');
}

void json_writer_string_n(
	struct json_writer *w, const char *key, const char *s, size_t n)
{
	if (begin(w, key))
		keep(w, json_write_string(w->out, s, n));
}

void json_writer_string(struct json_writer *w, const char *key, const char *s)
{
	json_writer_string_n(w, key, s, strlen(s));
}

void json_writer_int(struct json_writer *w, const char *key, int64_t v)
{
	if (begin(w, key))
		keep(w, json_write_int(w->out, v));
}

void json_writer_bool(struct json_writer *w, const char *key, bool v)
{
	if (begin(w, key))
		keep(w, buf_append_str(w->out, v ? "true" : "false"));
}

void json_writer_null(struct json_writer *w, const char *key)
{
	if (begin(w, key))
		keep(w, buf_append_str(w->out, "null"));
}

void json_writer_value(struct json_writer *w, const char *key, const json_t *v)
{
	if (begin(w, key))
		keep(w, json_write_value(w->out, v,
				w->depth < VL_DEPTH_MAX ? VL_DEPTH_MAX - w->depth : 0));
}

static void put_base64(struct json_writer *w, const void *p, size_t n)
{
	size_t len = base64_encoded_len(n);
	char *room;
	int r;

	r = buf_reserve(w->out, len + 3, &room);
	if (r < 0) {
		keep(w, r);
		return;
	}
	room[0] = '"';
	base64_encode(room + 1, p, n);
	room[len + 1] = '"'; /* where the NUL was */
	buf_commit(w->out, len + 2);
}

void json_writer_base64(struct json_writer *w, const char *key, const void *p, size_t n)
{
	if (begin(w, key))
		put_base64(w, p, n);
}

/* utf8_is_valid may take a NUL for a character; a C string could not hold it */
static bool is_text(const void *p, size_t n)
{
	return !memchr(p, '\0', n) && utf8_is_valid(p, n);
}

void json_writer_bytes(struct json_writer *w, const char *key, const void *p, size_t n)
{
	if (n == 0 || is_text(p, n))
		json_writer_string_n(w, key, n ? p : "", n);
	else if (begin_suffixed(w, key, key ? "_b64" : ""))
		put_base64(w, p, n);
}

void json_writer_strv(struct json_writer *w, const char *key, char *const *v)
{
	bool text = true;

	STRV_FOREACH(s, v)
		text = text && utf8_is_valid(*s, strlen(*s));
	open_container(w, key, text ? "" : "_b64", '[');
	STRV_FOREACH(s, v)
		if (text)
			json_writer_string(w, NULL, *s);
		else
			json_writer_base64(w, NULL, *s, strlen(*s));
	close_container(w, ']');
}
