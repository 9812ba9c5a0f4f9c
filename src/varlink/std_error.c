#include "config.h"

#include "varlink/std_error.h"

#include <string.h>

#include "varlink/json_write.h"

static int encode(
	struct buf *out, const char *name, const char *const pairs[][2], size_t n_pairs)
{
	struct json_writer w;
	int r;

	json_writer_init(&w, out);
	json_writer_object(&w, NULL);
	json_writer_string(&w, "error", name);
	json_writer_object(&w, "parameters");
	for (size_t i = 0; i < n_pairs; i++)
		json_writer_string_n(&w, pairs[i][0], pairs[i][1],
			strnlen(pairs[i][1], VL_ERROR_VALUE_MAX));
	json_writer_object_end(&w);
	json_writer_object_end(&w);
	r = json_writer_end(&w);
	if (r < 0)
		return r;
	r = buf_append_byte(out, '\0');
	if (r < 0) /* without its NUL the message must not stay */
		out->end = out->start + w.len_before;
	return r;
}

int vl_encode_error_simple(
	struct buf *out, const char *name, const char *key, const char *value)
{
	const char *const pairs[][2] = {{key, value}};

	return encode(out, name, pairs, key ? 1 : 0);
}

int vl_encode_invalid(struct buf *out, const char *path, const char *reason)
{
	const char *const pairs[][2] = {
		{"parameter", *path ? path : "message"},
		{"reason", reason},
	};

	return encode(out, VL_ERROR_INVALID_PARAMETER, pairs, *reason ? 2 : 1);
}
