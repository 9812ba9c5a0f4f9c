#include "config.h"

#include "cli/each.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "cli/spec_json.h"
#include "cli/text.h"

#define ITEMS_FOLLOW ":::"

enum mark {
	MARK_ITEM,
	MARK_NO_EXTENSION,
	MARK_BASE,
	MARK_DIR,
	MARK_BASE_NO_EXTENSION,
	MARK_NUMBER,
	N_MARKS,
};

static const char *const marks[N_MARKS] = {
	[MARK_ITEM] = "{}",
	[MARK_NO_EXTENSION] = "{.}",
	[MARK_BASE] = "{/}",
	[MARK_DIR] = "{//}",
	[MARK_BASE_NO_EXTENSION] = "{/.}",
	[MARK_NUMBER] = "{#}",
};

/* the first of them in text, and where; NULL: none */
static const char *find_mark(const char *text, enum mark *ret)
{
	for (; (text = strchr(text, '{')); text++)
		for (int m = 0; m < N_MARKS; m++)
			if (strncmp(text, marks[m], strlen(marks[m])) == 0) {
				*ret = (enum mark)m;
				return text;
			}
	return NULL;
}

/* ---- where a mark may stand in the text for a shell ------------------------------------- */

enum { NESTED_MAX = 64 };

/* What is around a place of the text, the innermost last: ' " ` # (a comment) and ( */
struct around {
	char v[NESTED_MAX];
	unsigned n, n_backticks;
	bool in_document; /* a here-document has begun: what is of it is not looked for */
};

static char innermost(const struct around *a)
{
	return a->n ? a->v[a->n - 1] : '\0';
}

static void enter(struct around *a, char c)
{
	if (a->n < NESTED_MAX)
		a->v[a->n++] = c;
	a->n_backticks += c == '`';
}

static void leave(struct around *a)
{
	a->n_backticks -= a->v[--a->n] == '`';
}

/* Past one byte that is no part of a word in quotation marks; what begins and ends there. */
static const char *step_plain(struct around *a, const char *text, const char *p)
{
	bool at_word = p == text || strchr(" \t\n;&|()", p[-1]);

	if (*p == '\'' || *p == '"' || *p == '(' || (*p == '#' && at_word))
		enter(a, *p);
	else if (*p == ')' && innermost(a) == '(')
		leave(a);
	else if (strncmp(p, "<<<", 3) == 0)
		return p + 3;
	else if (strncmp(p, "<<", 2) == 0)
		a->in_document = true;
	return p + 1;
}

static const char *step(struct around *a, const char *text, const char *p)
{
	char in = innermost(a);

	if (in == '\'' || in == '#') {
		if (*p == (in == '#' ? '\n' : '\''))
			leave(a);
		return p + 1;
	}
	if (*p == '\\' && p[1])
		return p + 2;
	if (*p == '`') {
		if (in == '`')
			leave(a);
		else
			enter(a, '`');
		return p + 1;
	}
	if (in != '"')
		return step_plain(a, text, p);
	if (*p == '"')
		leave(a);
	else if (strncmp(p, "$(", 2) == 0)
		enter(a, *++p);
	return p + 1;
}

/* What keeps the quotation marks that are put around an item from being that at p; NULL:
 * nothing. Where it cannot be told for sure there is something. */
static const char *what_hinders(const struct around *a, const char *text, const char *p)
{
	if (a->n == NESTED_MAX)
		return "too deep in the text to be quoted";
	if (a->in_document)
		return "behind '<<', and would not be quoted in a here-document";
	if (a->n_backticks > 0)
		return "within backticks, and cannot be quoted there: use $(...)";
	if (innermost(a) == '#')
		return "in a comment, and would not be quoted there";
	if (innermost(a) == '\'' || innermost(a) == '"')
		return "within quotation marks, though it is quoted by itself: leave "
		       "them out";
	if (p > text && (p[-1] == '\\' || p[-1] == '$'))
		return "behind a character that takes its quotation marks away";
	return NULL;
}

int each_check_text(const char *text, char **err)
{
	struct around a = {.n = 0};
	const char *p = text, *at, *why = NULL;
	enum mark mark;
	bool has_marks = false;

	while (!why && (at = find_mark(p, &mark))) {
		while (p < at)
			p = step(&a, text, p);
		has_marks = true;
		if (mark != MARK_NUMBER)
			why = what_hinders(&a, text, at);
		p = MAX(p, at + strlen(marks[mark]));
	}
	if (why) {
		*err = text_printf("--each: an item stands %s", why);
		return *err ? -EINVAL : -ENOMEM;
	}
	while (!has_marks && *p)
		p = step(&a, text, p);
	if (!has_marks && (why = what_hinders(&a, text, p))) {
		*err = text_printf("--each: the item at the end stands %s", why);
		return *err ? -EINVAL : -ENOMEM;
	}
	return 0;
}

/* ---- what is put in --------------------------------------------------------------------- */

static const char *base_of(const char *item)
{
	const char *slash = strrchr(item, '/');

	return slash ? slash + 1 : item;
}

static size_t len_without_extension(const char *item)
{
	const char *dot = strrchr(base_of(item), '.');

	return dot ? (size_t)(dot - item) : strlen(item);
}

/* as dirname(1): slashes at the end belong to the last component */
static size_t len_of_dir(const char *item)
{
	size_t n = strlen(item);

	while (n > 1 && item[n - 1] == '/')
		n--;
	while (n > 0 && item[n - 1] != '/')
		n--;
	while (n > 1 && item[n - 1] == '/')
		n--;
	return n;
}

static int append_quoted(struct buf *out, const char *s, size_t n)
{
	int r = buf_append_byte(out, '\'');

	for (size_t i = 0; i < n && r == 0; i++)
		r = s[i] == '\'' ? buf_append_str(out, "'\\''")
				 : buf_append_byte(out, s[i]);
	return r < 0 ? r : buf_append_byte(out, '\'');
}

static int append_mark(
	struct buf *out, enum mark mark, const char *item, uint64_t no, bool quoted)
{
	const char *s = item;
	size_t n;

	switch (mark) {
	case MARK_NUMBER: return buf_printf(out, "%" PRIu64, no);
	case MARK_NO_EXTENSION: n = len_without_extension(item); break;
	case MARK_BASE: n = strlen(s = base_of(item)); break;
	case MARK_BASE_NO_EXTENSION:
		s = base_of(item);
		n = len_without_extension(s);
		break;
	case MARK_DIR:
		n = len_of_dir(item);
		if (n == 0) {
			s = ".";
			n = 1;
		}
		break;
	default: n = strlen(item);
	}
	return quoted ? append_quoted(out, s, n) : buf_append(out, s, n);
}

int each_expand(
	struct buf *out, const char *text, const char *item, uint64_t no, bool quoted)
{
	const char *at;
	enum mark mark;
	int r = 0;

	while (r == 0 && (at = find_mark(text, &mark))) {
		r = buf_append(out, text, (size_t)(at - text));
		if (r == 0)
			r = append_mark(out, mark, item, no, quoted);
		text = at + strlen(marks[mark]);
	}
	return r < 0 ? r : buf_append_str(out, text);
}

/* malloc'd; NULL when out of memory */
static char *expanded(const char *text, const char *item, uint64_t no, bool quoted)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	return each_expand(&out, text, item, no, quoted) < 0
		       ? NULL
		       : buf_steal_str(&out, NULL);
}

static int put_text(
	const struct each *e, struct job_spec *s, const char *item, char **why)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	int r;

	r = each_expand(&out, e->text, item, e->src.no, true);
	if (r == 0 && !e->has_marks)
		r = buf_append_byte(&out, ' ');
	if (r == 0 && !e->has_marks)
		r = append_quoted(&out, item, strlen(item));
	if (r == 0)
		r = buf_append_byte(&out, '\0');
	return r < 0 ? r
		     : spec_put_str(s, JOB_FIELD_SHELL_COMMAND, buf_head(&out), why);
}

static int put_words(
	const struct each *e, struct job_spec *s, const char *item, char **why)
{
	_cleanup_(strv_builder_deinitp) struct strv_builder b = STRV_BUILDER_NULL;
	_cleanup_(strv_freep) char **argv = NULL;
	int r = 0;

	for (size_t i = 0; i < e->n_words && r == 0; i++) {
		_cleanup_free_ char *word =
			expanded(e->words[i], item, e->src.no, false);

		r = word ? strv_builder_add(&b, word) : -ENOMEM;
	}
	if (r >= 0 && !e->has_marks)
		r = strv_builder_add(&b, item);
	if (r >= 0)
		r = strv_builder_finish(&b, &argv);
	return r < 0 ? r : spec_put_strv(s, JOB_FIELD_COMMAND, argv, why);
}

/* 1 with the next one, 0, as batch_read */
static int next_item(struct each *e, const char **ret, char **err)
{
	int r;

	if (e->items) {
		if (e->src.no == e->n_items)
			return 0;
		*ret = e->items[e->src.no++];
		return strlen(*ret) > e->src.bytes_max ? -EMSGSIZE : 1;
	}
	e->reader.line_max_bytes = e->src.bytes_max;
	r = batch_read(&e->reader, err);
	e->src.no = e->reader.line_no;
	*ret = buf_head(&e->reader.line);
	return r;
}

static int next_job(struct batch_source *src, struct job_spec *ret,
	const struct job_spec *defaults, char **err)
{
	struct each *e = CONTAINER_OF(src, struct each, src);
	_cleanup_free_ char *why = NULL;
	enum job_field field;
	const char *item;
	int r;

	job_spec_init(ret);
	r = next_item(e, &item, err);
	if (r <= 0)
		return r;
	r = spec_copy(ret, defaults);
	if (r == 0)
		r = e->text ? put_text(e, ret, item, &why)
			    : put_words(e, ret, item, &why);
	if (r == 0)
		r = job_spec_check(ret, &field, &why);
	if (r == -EINVAL) {
		*err = text_printf("%s %" PRIu64 ": %s", src->what, src->no,
			why ? why : "not a job");
		return *err ? -EINVAL : -ENOMEM;
	}
	if (r < 0)
		return r;
	e->n_made++;
	return 1;
}

static bool item_is_ready(struct batch_source *src)
{
	struct each *e = CONTAINER_OF(src, struct each, src);

	return e->items || batch_reader_is_ready(&e->reader);
}

int each_init(struct each *e, char *const *args, size_t n_args, const char *text,
	int fd, int interrupt_fd, bool nul, char **err)
{
	enum mark mark;
	size_t n = 0;

	while (n < n_args && !STREQ(args[n], ITEMS_FOLLOW))
		n++;
	*e = (struct each){
		.src = {.next = next_job, .is_ready = item_is_ready, .what = "item"},
		.words = args,
		.n_words = n,
		.text = text,
		.has_marks = text && find_mark(text, &mark),
	};
	for (size_t i = 0; i < n; i++)
		e->has_marks |= find_mark(args[i], &mark) != NULL;
	batch_reader_init(&e->reader, fd, interrupt_fd, 0);
	e->reader.what = "item";
	e->reader.end = nul ? '\0' : '\n';
	if (n < n_args) {
		e->items = args + n + 1;
		e->n_items = n_args - n - 1;
	}
	if ((n > 0) == (text != NULL))
		*err = strdup(n > 0 ? "--each: a command, or -c, not both"
				    : "--each: a command for the items is missing");
	else if (nul && e->items)
		*err = strdup("-0 is for items on standard input");
	else
		return text ? each_check_text(text, err) : 0;
	return *err ? -EINVAL : -ENOMEM;
}

void each_deinit(struct each *e)
{
	batch_reader_deinit(&e->reader);
}
