/*
 * Any bytes as a file of variables. Properties:
 * - what is refused says why, and in which line of it;
 * - what is read are variables, each with a name, as many as there may be;
 * - written between single quotes, they read back as the same.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/strv.h"
#include "config/env_file.h"
#include "tests/fuzz/fuzz.h"

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

/* a single quote stands between double ones */
static void write_value(struct buf *out, const char *value)
{
	INVARIANT(buf_append_byte(out, '\'') == 0);
	for (; *value; value++)
		INVARIANT(buf_append_str(out, *value == '\''
						      ? "'\"'\"'"
						      : (char[]){*value, '\0'}) == 0);
	INVARIANT(buf_append_str(out, "'\n") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(strv_freep) char **v = NULL, **again = NULL;
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	struct env_fault fault;
	int r = env_file_parse(&v, (const char *)data, size, &fault);

	if (r < 0) {
		INVARIANT((r == -EINVAL || r == -RV_ELIMIT) && !v);
		INVARIANT(fault.text[0] && fault.line >= 1);
		INVARIANT(fault.line <= count_lines(data, size));
		return 0;
	}
	INVARIANT(strv_len(v) <= ENV_FILE_VARIABLES_MAX);
	STRV_FOREACH(entry, v) {
		size_t n = strcspn(*entry, "=");

		INVARIANT(n > 0 && (*entry)[n] == '=');
		INVARIANT(buf_append(&out, *entry, n + 1) == 0);
		write_value(&out, *entry + n + 1);
	}
	r = env_file_parse(&again, buf_head(&out), buf_len(&out), &fault);
	INVARIANT(r == 0 && strv_len(v) == strv_len(again));
	INVARIANT(!v || strv_equal(v, again));
	return 0;
}
