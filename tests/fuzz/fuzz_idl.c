/*
 * An interface definition, a NUL, a JSON value: the definition parses or tells where it
 * is wrong, and the value is checked against all of its types.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/invariant.h"
#include "tests/fuzz/fuzz.h"
#include "varlink/idl.h"

static void check(const struct vl_type *type, const json_t *value)
{
	struct vl_fault fault;

	if (vl_check(type, value, &fault) == 0)
		return;
	INVARIANT(strlen(fault.path) < sizeof(fault.path));
	INVARIANT(*fault.reason && strlen(fault.reason) < sizeof(fault.reason));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = strnlen(text, size);
	struct vl_idl_error error;
	json_t *value = NULL;
	struct vl_idl *idl;
	int r;

	r = vl_idl_parse(&idl, &error, text, len);
	if (r < 0) {
		INVARIANT(r == -EINVAL);
		INVARIANT(error.line > 0 && error.column > 0 && *error.text);
		return 0;
	}
	INVARIANT(idl->n_members > 0);
	if (len < size)
		value = json_loadb(
			text + len + 1, size - len - 1, JSON_DECODE_ANY, NULL);
	for (size_t i = 0; i < idl->n_members && value; i++) {
		check(&idl->members[i].type, value);
		if (idl->members[i].kind == VL_MEMBER_METHOD)
			check(&idl->members[i].outputs, value);
	}
	json_decref(value);
	vl_idl_free(idl);
	return 0;
}
