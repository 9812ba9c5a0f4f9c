#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/strv.h"
#include "varlink/idl_priv.h"

#define NAME_MAX_BYTES 255

static void type_deinit(struct vl_type *t)
{
	if (t->element) {
		type_deinit(t->element);
		free(t->element);
	}
	for (size_t i = 0; t->fields && i < t->n; i++) {
		free(t->fields[i].name);
		free(t->fields[i].doc);
		type_deinit(&t->fields[i].type);
	}
	free(t->fields);
	free(t->by_name);
	strv_free(t->values);
	free(t->name);
	*t = (struct vl_type){0};
}

struct vl_idl *vl_idl_free(struct vl_idl *idl)
{
	if (!idl)
		return NULL;
	for (size_t i = 0; i < idl->n_members; i++) {
		struct vl_member *m = &idl->members[i];

		free(m->name);
		free(m->doc);
		type_deinit(&m->type);
		type_deinit(&m->outputs);
	}
	free(idl->members);
	free(idl->name);
	free(idl->doc);
	free(idl);
	return NULL;
}

DEFINE_CLEANUP(struct vl_idl *, vl_idl_free)

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_alnum(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9');
}

/* fields and enum values: letters and digits from a letter, single '_' between them */
static bool is_field_name(const char *s, size_t n)
{
	if (n == 0 || !is_letter(s[0]) || s[n - 1] == '_')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]) && (s[i] != '_' || s[i - 1] == '_'))
			return false;
	return true;
}

/* types, methods, errors: letters and digits from a capital */
static bool is_member_name(const char *s, size_t n)
{
	if (n == 0 || s[0] < 'A' || s[0] > 'Z')
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]))
			return false;
	return true;
}

bool vl_interface_name_is_valid(const char *s, size_t n)
{
	size_t n_parts = 1;

	if (n == 0 || n > NAME_MAX_BYTES || !is_letter(s[0]) || !is_alnum(s[n - 1]))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (s[i] == '.')
			n_parts++;
		else if (s[i] != '-' && !is_alnum(s[i]))
			return false;
		/* a part neither begins nor ends with '-', and is not empty */
		if (s[i] == '.' && !is_alnum(s[i - 1]))
			return false;
		if (s[i - 1] == '.' && !is_alnum(s[i]))
			return false;
	}
	return n_parts >= 2;
}

/* The array at *items grown by a zeroed element. NULL when out of memory. */
static void *grow(void **items, size_t *n, size_t item_size)
{
	/* doubles at powers of two: capacity needs no field of its own */
	if ((*n & (*n - 1)) == 0) {
		size_t n_max = *n ? *n * 2 : 1;
		void *p = reallocarray(*items, n_max, item_size);

		if (!p)
			return NULL;
		*items = p;
	}
	return memset((char *)*items + (*n)++ * item_size, 0, item_size);
}

static int take_doc(struct vl_scanner *s, char **ret)
{
	if (buf_len(&s->doc) == 0)
		return 0;
	*ret = strndup(buf_head(&s->doc), buf_len(&s->doc));
	return *ret ? 0 : -ENOMEM;
}

static int expected(struct vl_scanner *s, const char *what)
{
	char show[48];

	return vl_scanner_fail(
		s, "expected %s, got %s", what, vl_scanner_show(s, show));
}

static int take_mark(struct vl_scanner *s, char c, const char *what)
{
	return vl_scanner_at_mark(s, c) ? vl_scanner_next(s) : expected(s, what);
}

static int take_name(struct vl_scanner *s, char **ret,
	bool (*is_valid)(const char *, size_t), const char *what)
{
	if (s->token != VL_TOKEN_WORD || !is_valid(s->text, s->len) ||
		s->len > NAME_MAX_BYTES)
		return expected(s, what);
	*ret = strndup(s->text, s->len);
	if (!*ret)
		return -ENOMEM;
	return vl_scanner_next(s);
}

static int parse_type(struct vl_scanner *s, struct vl_type *t, unsigned depth);

/* Where a name is in by_name, or where it belongs: true when it is there. */
static bool find_field(const struct vl_type *t, size_t n, const char *name, size_t *ret)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(t->fields[t->by_name[mid]].name, name);

		if (c == 0) {
			*ret = mid;
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return false;
}

/* Enter the last field into by_name, which has room for it. */
static void index_field(struct vl_type *t, size_t at)
{
	size_t n = t->n - 1;

	memmove(t->by_name + at + 1, t->by_name + at, (n - at) * sizeof(*t->by_name));
	t->by_name[at] = n;
}

/* NAME ":" type; name has been read, the token is behind it. */
static int parse_field(
	struct vl_scanner *s, struct vl_type *t, char *name, char *doc, unsigned depth)
{
	struct vl_field *f;
	size_t at = 0, n_index = t->n;
	bool is_known;
	int r;

	is_known = find_field(t, t->n, name, &at);
	f = is_known ? NULL : grow((void **)&t->fields, &t->n, sizeof(*t->fields));
	if (!f || !grow((void **)&t->by_name, &n_index, sizeof(*t->by_name))) {
		r = is_known ? vl_scanner_fail(s, "field '%s' is there twice", name)
			     : -ENOMEM;
		if (f)
			t->n--;
		free(name);
		free(doc);
		return r;
	}
	*f = (struct vl_field){.name = name, .doc = doc};
	index_field(t, at);
	r = take_mark(s, ':', "':' after the field's name");
	return r < 0 ? r : parse_type(s, &f->type, depth);
}

static int parse_value(struct vl_scanner *s, struct vl_type *t, char *name)
{
	char **v;

	for (size_t i = 0; i < t->n; i++) {
		if (STREQ(t->values[i], name)) {
			int r = vl_scanner_fail(s, "value '%s' is there twice", name);

			free(name);
			return r;
		}
	}
	v = reallocarray(t->values, t->n + 2, sizeof(*v));
	if (!v) {
		free(name);
		return -ENOMEM;
	}
	t->values = v;
	v[t->n++] = name;
	v[t->n] = NULL;
	return 0;
}

/* "(" is under way: a struct, or an enum where names are not followed by ':'. */
static int parse_parens(
	struct vl_scanner *s, struct vl_type *t, bool may_be_enum, unsigned depth)
{
	bool first = true;
	int r;

	t->kind = VL_STRUCT;
	r = take_mark(s, '(', "'('");
	if (r < 0)
		return r;
	if (vl_scanner_at_mark(s, ')'))
		return vl_scanner_next(s);
	for (;;) {
		char *name = NULL, *doc = NULL;

		r = take_doc(s, &doc);
		if (r >= 0)
			r = take_name(s, &name, is_field_name, "the name of a field");
		if (r < 0) {
			free(name);
			free(doc);
			return r;
		}
		if (first && may_be_enum && !vl_scanner_at_mark(s, ':'))
			t->kind = VL_ENUM;
		first = false;
		if (t->n == VL_IDL_ITEMS_MAX) {
			free(name);
			free(doc);
			return vl_scanner_fail(
				s, "more than %d fields", VL_IDL_ITEMS_MAX);
		}
		if (t->kind == VL_ENUM) {
			free(doc);
			r = parse_value(s, t, name);
		} else {
			r = parse_field(s, t, name, doc, depth);
		}
		if (r < 0)
			return r;
		if (vl_scanner_at_mark(s, ')'))
			return vl_scanner_next(s);
		r = take_mark(s, ',', "',' or ')'");
		if (r < 0)
			return r;
	}
}

static int parse_word_type(struct vl_scanner *s, struct vl_type *t)
{
	static const struct {
		const char *word;
		enum vl_kind kind;
	} words[] = {
		{"bool", VL_BOOL},
		{"int", VL_INT},
		{"float", VL_FLOAT},
		{"string", VL_STRING},
		{"object", VL_OBJECT},
		{"any", VL_ANY},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].word) == s->len &&
			memcmp(words[i].word, s->text, s->len) == 0) {
			t->kind = words[i].kind;
			return vl_scanner_next(s);
		}
	}
	t->kind = VL_NAMED;
	t->line = s->token_line;
	t->column = s->token_column;
	return take_name(s, &t->name, is_member_name, "a type");
}

static int parse_type(struct vl_scanner *s, struct vl_type *t, unsigned depth)
{
	int r;

	if (depth >= VL_IDL_DEPTH_MAX)
		return vl_scanner_fail(s, "types are nested too deeply");
	if (vl_scanner_at_mark(s, '?')) {
		t->nullable = true;
		r = vl_scanner_next(s);
		if (r < 0)
			return r;
		if (vl_scanner_at_mark(s, '?'))
			return vl_scanner_fail(s, "'?' is there twice");
	}
	if (s->token == VL_TOKEN_ARRAY || s->token == VL_TOKEN_MAP) {
		t->kind = s->token == VL_TOKEN_ARRAY ? VL_ARRAY : VL_MAP;
		r = vl_scanner_next(s);
		if (r < 0)
			return r;
		t->element = calloc(1, sizeof(*t->element));
		if (!t->element)
			return -ENOMEM;
		return parse_type(s, t->element, depth + 1);
	}
	if (vl_scanner_at_mark(s, '('))
		return parse_parens(s, t, true, depth + 1);
	if (s->token == VL_TOKEN_WORD)
		return parse_word_type(s, t);
	return expected(s, "a type");
}

static bool at_word(const struct vl_scanner *s, const char *word)
{
	return s->token == VL_TOKEN_WORD && s->len == strlen(word) &&
	       memcmp(s->text, word, s->len) == 0;
}

static int parse_member(struct vl_scanner *s, struct vl_idl *idl)
{
	struct vl_member *m;
	int r;

	if (idl->n_members == VL_IDL_ITEMS_MAX)
		return vl_scanner_fail(s, "more than %d members", VL_IDL_ITEMS_MAX);
	m = grow((void **)&idl->members, &idl->n_members, sizeof(*m));
	if (!m)
		return -ENOMEM;
	if (at_word(s, "type"))
		m->kind = VL_MEMBER_TYPE;
	else if (at_word(s, "method"))
		m->kind = VL_MEMBER_METHOD;
	else if (at_word(s, "error"))
		m->kind = VL_MEMBER_ERROR;
	else
		return expected(s, "'type', 'method' or 'error'");
	r = take_doc(s, &m->doc);
	if (r >= 0)
		r = vl_scanner_next(s);
	if (r < 0)
		return r;
	for (size_t i = 0; i + 1 < idl->n_members; i++) {
		const char *name = idl->members[i].name;

		if (at_word(s, name))
			return vl_scanner_fail(s, "'%.60s' is there twice", name);
	}
	r = take_name(s, &m->name, is_member_name, "a name that begins with a capital");
	if (r >= 0)
		r = parse_parens(s, &m->type, m->kind == VL_MEMBER_TYPE, 0);
	if (r < 0 || m->kind != VL_MEMBER_METHOD)
		return r;
	if (s->token != VL_TOKEN_ARROW)
		return expected(s, "'->'");
	r = vl_scanner_next(s);
	return r < 0 ? r : parse_parens(s, &m->outputs, false, 0);
}

static int resolve(struct vl_scanner *s, const struct vl_idl *idl, struct vl_type *t)
{
	const struct vl_member *m;
	int r;

	if (t->element)
		return resolve(s, idl, t->element);
	for (size_t i = 0; t->fields && i < t->n; i++) {
		r = resolve(s, idl, &t->fields[i].type);
		if (r < 0)
			return r;
	}
	if (t->kind != VL_NAMED)
		return 0;
	m = vl_idl_member(idl, VL_MEMBER_TYPE, t->name);
	if (!m) {
		s->token_line = t->line;
		s->token_column = t->column;
		return vl_scanner_fail(s, "type '%.60s' is not defined", t->name);
	}
	t->named = &m->type;
	return 0;
}

static int parse_interface(struct vl_scanner *s, struct vl_idl *idl)
{
	int r;

	r = vl_scanner_next(s);
	if (r < 0)
		return r;
	if (!at_word(s, "interface"))
		return expected(s, "'interface'");
	r = take_doc(s, &idl->doc);
	if (r >= 0)
		r = vl_scanner_next(s);
	if (r >= 0)
		r = take_name(s, &idl->name, vl_interface_name_is_valid,
			"the name of an interface");
	if (r < 0)
		return r;
	do {
		r = parse_member(s, idl);
		if (r < 0)
			return r;
	} while (s->token != VL_TOKEN_END);
	for (size_t i = 0; i < idl->n_members; i++) {
		r = resolve(s, idl, &idl->members[i].type);
		if (r >= 0)
			r = resolve(s, idl, &idl->members[i].outputs);
		if (r < 0)
			return r;
	}
	return 0;
}

int vl_idl_parse(
	struct vl_idl **ret, struct vl_idl_error *error, const char *text, size_t len)
{
	_cleanup_(vl_idl_freep) struct vl_idl *idl = NULL;
	struct vl_idl_error unused;
	struct vl_scanner s;
	int r;

	INVARIANT(ret && text);
	vl_scanner_init(&s, text, len, error ? error : &unused);
	s.token_line = s.token_column = 1;
	if (len > VL_IDL_TEXT_MAX)
		return vl_scanner_fail(&s, "text is over %d bytes", VL_IDL_TEXT_MAX);
	idl = calloc(1, sizeof(*idl));
	if (!idl)
		return -ENOMEM;
	r = parse_interface(&s, idl);
	vl_scanner_deinit(&s);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(idl);
	return 0;
}

const struct vl_member *vl_idl_member(
	const struct vl_idl *idl, enum vl_member_kind kind, const char *name)
{
	for (size_t i = 0; i < idl->n_members; i++)
		if (idl->members[i].kind == kind && STREQ(idl->members[i].name, name))
			return &idl->members[i];
	return NULL;
}
