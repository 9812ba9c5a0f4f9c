#include "config.h"

#include "varlink/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "varlink/json_write.h"
#include "varlink/limits.h"
#include "varlink/message_quick.h"

#define LOAD_FLAGS JSON_REJECT_DUPLICATES

void vl_call_message_deinit(struct vl_call_message *m)
{
	json_decref(m->params);
	json_decref(m->tree);
	*m = (struct vl_call_message){0};
}

void vl_reply_message_deinit(struct vl_reply_message *m)
{
	free(m->error);
	json_decref(m->params);
	*m = (struct vl_reply_message){0};
}

/* jansson's texts change between its versions and quote the input; these do neither. */
static const char *json_fault_text(enum json_error_code code)
{
	switch (code) {
	case json_error_stack_overflow: return "nested too deeply";
	case json_error_invalid_utf8: return "invalid UTF-8";
	case json_error_null_character:
	case json_error_null_byte_in_key: return "NUL in a string";
	case json_error_duplicate_key: return "duplicate key";
	case json_error_numeric_overflow: return "number out of range";
	default: return "not JSON";
	}
}

/* The whole message as a tree: an object. */
static int load_object(
	json_t **ret, struct vl_fault *fault, const char *text, size_t len)
{
	json_error_t e = {0};
	json_t *v;

	v = json_loadb(text, len, LOAD_FLAGS, &e);
	if (!v) {
		/* out of memory in the middle of a value leaves no text at all */
		if (!e.text[0] || json_error_code(&e) == json_error_out_of_memory)
			return -ENOMEM;
		vl_fault_set(fault, "", "%s at byte %d",
			json_fault_text(json_error_code(&e)), e.position);
		return -RV_EPROTOCOL;
	}
	if (!json_is_object(v)) {
		json_decref(v);
		vl_fault_set(fault, "", "message is not an object");
		return -RV_EPROTOCOL;
	}
	*ret = v;
	return 0;
}

static const struct {
	const char *name;
	unsigned flag;
} call_flag_names[] = {
	{"more", VL_CALL_MORE},
	{"oneway", VL_CALL_ONEWAY},
	{"upgrade", VL_CALL_UPGRADE},
};

/* 0 where the name is none of a flag */
static unsigned call_flag(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(call_flag_names); i++)
		if (STREQ(name, call_flag_names[i].name))
			return call_flag_names[i].flag;
	return 0;
}

static int take_member(struct vl_call_message *m, struct vl_fault *fault,
	const char *key, json_t *value)
{
	const char *expected;

	if (STREQ(key, "method")) {
		m->method = json_string_value(value);
		expected = m->method ? NULL : "expected string";
	} else if (json_is_null(value)) {
		expected = NULL;
	} else if (STREQ(key, "parameters")) {
		m->params = json_is_object(value) ? value : NULL;
		expected = m->params ? NULL : "expected object";
	} else if (call_flag(key)) {
		expected = json_is_boolean(value) ? NULL : "expected bool";
		if (json_is_true(value))
			m->flags |= call_flag(key);
	} else {
		expected = strchr(key, '.') ? NULL : "unknown member of a call";
	}
	if (!expected)
		return 0;
	vl_fault_set(fault, key, "%s", expected);
	return -EINVAL;
}

static int decode_tree(struct vl_call_message *ret, struct vl_fault *fault,
	const char *text, size_t len)
{
	struct vl_call_message m = {0};
	struct vl_fault later;
	const char *key;
	json_t *value;
	int r;

	r = load_object(&m.tree, fault, text, len);
	if (r < 0)
		return r;
	/* The first wrong member is reported, but all are looked at: whether an answer
	 * is wanted may stand behind it. */
	json_object_foreach(m.tree, key,
		value) if (take_member(&m, r < 0 ? &later : fault, key, value) < 0) r =
		-EINVAL;
	if (r == 0 && !m.method) {
		vl_fault_set(fault, "method", "missing");
		r = -EINVAL;
	}
	if (r < 0) {
		*ret = (struct vl_call_message){.flags = m.flags};
		json_decref(m.tree);
		return r;
	}
	if (m.params)
		m.params = json_object_size(m.params) ? json_incref(m.params) : NULL;
	*ret = m;
	return 0;
}

int vl_call_decode(
	struct vl_call_message *ret, struct vl_fault *fault, char *text, size_t len)
{
	struct vl_quick_call q;
	json_t *params = NULL;

	*ret = (struct vl_call_message){0};
	if (!vl_quick_scan(&q, text, len))
		return decode_tree(ret, fault, text, len);
	if (q.params_len > 0) {
		params = json_loadb(text + q.params_at, q.params_len, LOAD_FLAGS, NULL);
		if (!params) /* once more, for the place in the whole message */
			return decode_tree(ret, fault, text, len);
	}
	text[q.method_at + q.method_len] = '\0';
	ret->method = text + q.method_at;
	ret->params = params;
	ret->flags = q.flags;
	return 0;
}

int vl_reply_decode(struct vl_reply_message *ret, struct vl_fault *fault,
	const char *text, size_t len)
{
	struct vl_reply_message m = {0};
	json_t *tree, *params, *error, *continues;
	const char *wrong = NULL;
	int r;

	r = load_object(&tree, fault, text, len);
	if (r < 0)
		return r;
	params = json_object_get(tree, "parameters");
	error = json_object_get(tree, "error");
	continues = json_object_get(tree, "continues");
	if (params && !json_is_object(params) && !json_is_null(params))
		wrong = "parameters";
	else if (error && !json_is_string(error) && !json_is_null(error))
		wrong = "error";
	else if (continues && !json_is_boolean(continues) && !json_is_null(continues))
		wrong = "continues";
	if (wrong) {
		vl_fault_set(fault, wrong, "wrong type");
		r = -RV_EPROTOCOL;
	} else {
		m.continues = json_is_true(continues);
		m.params = json_is_object(params) ? json_incref(params) : json_object();
		if (json_is_string(error))
			m.error = strdup(json_string_value(error));
		if (!m.params || (json_is_string(error) && !m.error)) {
			vl_reply_message_deinit(&m);
			r = -ENOMEM;
		}
	}
	json_decref(tree);
	if (r >= 0)
		*ret = m;
	return r;
}

/* Ends a message begun when out had len_before bytes; r is how writing it went. */
static int finish(struct buf *out, size_t len_before, size_t size_max, int r)
{
	if (r >= 0 && buf_len(out) - len_before > size_max)
		r = -EMSGSIZE;
	if (r >= 0)
		r = buf_append_byte(out, '\0');
	if (r < 0)
		out->end = out->start + len_before;
	return r < 0 ? r : 0;
}

/* ..."parameters":{...} */
static int put_params(struct buf *out, const char *before, const json_t *params)
{
	int r;

	r = buf_append_str(out, before);
	if (r < 0)
		return r;
	if (!params)
		return buf_append(out, "{}", 2);
	return json_write_value(out, params, VL_DEPTH_MAX - 1);
}

int vl_encode_call(struct buf *out, size_t size_max, const char *method,
	const json_t *params, unsigned flags)
{
	size_t before = buf_len(out);
	int r;

	r = buf_append_str(out, "{\"method\":");
	if (r >= 0)
		r = json_write_string(out, method, strlen(method));
	if (r >= 0)
		r = put_params(out, ",\"parameters\":", params);
	for (size_t i = 0; i < ARRAY_LEN(call_flag_names) && r >= 0; i++)
		if (flags & call_flag_names[i].flag)
			r = buf_printf(out, ",\"%s\":true", call_flag_names[i].name);
	if (r >= 0)
		r = buf_append_byte(out, '}');
	return finish(out, before, size_max, r);
}

static int end_reply(struct buf *out, bool continues)
{
	return continues ? buf_append_str(out, ",\"continues\":true}")
			 : buf_append_byte(out, '}');
}

int vl_encode_reply(
	struct buf *out, size_t size_max, const json_t *params, bool continues)
{
	size_t before = buf_len(out);
	int r;

	r = put_params(out, "{\"parameters\":", params);
	if (r >= 0)
		r = end_reply(out, continues);
	return finish(out, before, size_max, r);
}

int vl_encode_reply_text(struct buf *out, size_t size_max, const char *params,
	size_t len, bool continues)
{
	size_t before = buf_len(out);
	int r;

	r = buf_append_str(out, "{\"parameters\":");
	if (r >= 0)
		r = buf_append(out, params, len);
	if (r >= 0)
		r = end_reply(out, continues);
	return finish(out, before, size_max, r);
}

int vl_encode_error(
	struct buf *out, size_t size_max, const char *name, const json_t *params)
{
	size_t before = buf_len(out);
	int r;

	r = buf_append_str(out, "{\"error\":");
	if (r >= 0)
		r = json_write_string(out, name, strlen(name));
	if (r >= 0)
		r = put_params(out, ",\"parameters\":", params);
	if (r >= 0)
		r = buf_append_byte(out, '}');
	return finish(out, before, size_max, r);
}
