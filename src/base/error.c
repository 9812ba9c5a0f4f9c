#include "config.h"

#include "base/error.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

#define X(name, number, text) \
	_Static_assert(       \
		name == (number), "error_codes.def and the enums differ: " #name);
#include "base/error_codes.def"
#undef X

static const struct error_row {
	int number;
	const char *name, *text;
} error_rows[] = {
#define X(name, number, text) {number, #name, text},
#include "base/error_codes.def"
#undef X
};

/* of either sign; the one value that has no positive counterpart stays unknown */
static int error_number(int err)
{
	if (err == INT_MIN)
		return INT_MAX;
	return err < 0 ? -err : err;
}

static const struct error_row *error_find(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(error_rows); i++) {
		if (error_rows[i].number == number)
			return &error_rows[i];
	}
	return NULL;
}

const char *rv_strerror(int err)
{
	static _Thread_local char unknown[32];
	int number = error_number(err);
	const struct error_row *row = error_find(number);
	const char *text;

	if (row)
		return row->text;
	/* not strerror_r: that one translates, and clients compare logs across machines
	 */
	text = strerrordesc_np(number);
	if (text)
		return text;
	snprintf(unknown, sizeof(unknown), "unknown error %d", number);
	return unknown;
}

const char *error_name(int err)
{
	int number = error_number(err);
	const struct error_row *row = error_find(number);

	if (row)
		return row->name;
	return number ? strerrorname_np(number) : NULL;
}
