#include "config/config_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "config/config_file.h"

#define BLANKS " \t\r\v\f"

/* where a section or a key begins */
struct mark {
	size_t line; /* from 0 */
	bool is_section;
	bool is_ours; /* in the section of the place */
	bool is_key; /* the key of the place; of a place that has none, each of its section */
};

/* A text, its lines and what the reader says begins in them. */
struct view {
	const struct config_place *place;
	const char *text;
	size_t n;
	size_t *starts; /* of each line, and n behind the last */
	size_t n_lines;
	struct mark *marks;
	size_t n_marks;
	/* All that it says, but for our key: an edit leaves it as it is. */
	struct buf others;
	struct buf value; /* of our key, ended by NUL; empty: it is not there */
};

static void view_deinit(struct view *v)
{
	free(v->starts);
	free(v->marks);
	buf_deinit(&v->others);
	buf_deinit(&v->value);
}

static bool same(const char *a, const char *b)
{
	return a && b ? STREQ(a, b) : a == b;
}

static int append_text(struct buf *b, const char *text)
{
	return buf_append(b, text ? text : "\1", text ? strlen(text) + 1 : 2);
}

static int view_entry(const struct config_entry *e, void *arg)
{
	struct view *v = arg;
	bool is_ours = same(e->section, v->place->section) &&
		       same(e->argument, v->place->argument);
	bool is_key =
		is_ours && e->key && (!v->place->key || STREQ(e->key, v->place->key));
	int r = 0;

	if ((v->n_marks & (v->n_marks - 1)) == 0) {
		struct mark *marks = reallocarray(
			v->marks, v->n_marks ? v->n_marks * 2 : 1, sizeof(*marks));

		if (!marks)
			return -ENOMEM;
		v->marks = marks;
	}
	v->marks[v->n_marks++] = (struct mark){e->line - 1, !e->key, is_ours, is_key};
	if (is_key)
		return buf_append(&v->value, e->value, strlen(e->value) + 1);
	if (is_ours && !e->key)
		return 0; /* it may begin because of us */
	r = append_text(&v->others, e->section);
	if (r >= 0)
		r = append_text(&v->others, e->argument);
	if (r >= 0)
		r = append_text(&v->others, e->key);
	return r < 0 ? r : append_text(&v->others, e->value);
}

static int index_lines(struct view *v)
{
	const char *end = v->text + v->n, *p = v->text;
	size_t max = 1;

	for (const char *q = p; q < end && (q = memchr(q, '\n', (size_t)(end - q)));
		q++)
		max++;
	v->starts = calloc(max + 1, sizeof(*v->starts));
	if (!v->starts)
		return -ENOMEM;
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		v->starts[v->n_lines++] = (size_t)(p - v->text);
		p = nl ? nl + 1 : end;
	}
	v->starts[v->n_lines] = v->n;
	return 0;
}

/* 0; -EINVAL: its form is bad, errors says where; -ENOMEM */
static int view_init(struct view *v, const char *text, size_t n, const char *file,
	const struct config_place *place, struct config_errors *errors)
{
	int r;

	*v = (struct view){.place = place,
		.text = text,
		.n = n,
		.others = BUF_NULL,
		.value = BUF_NULL};
	r = index_lines(v);
	if (r >= 0)
		r = config_file_parse(text, n, file, view_entry, v, errors);
	if (r >= 0 && !config_errors_is_empty(errors))
		r = errors->no_memory ? -ENOMEM : -EINVAL;
	return r;
}

/* ---- lines ----------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

/* without its line end */
static size_t line_len(const struct view *v, size_t line)
{
	size_t from = v->starts[line], to = v->starts[line + 1];

	return to - from - (to > from && v->text[to - 1] == '\n');
}

static bool line_is_empty(const struct view *v, size_t line)
{
	const char *p = v->text + v->starts[line], *end = p + line_len(v, line);

	while (p < end && is_blank(*p))
		p++;
	return p == end;
}

static bool line_continues(const struct view *v, size_t line)
{
	return is_blank(v->text[v->starts[line]]) && !line_is_empty(v, line);
}

/* "\n", or "\r\n" where that line has it; the last of a file may have none, then it is that
 * of the line before */
static const char *line_end_like(const struct view *v, size_t line)
{
	size_t to;

	if (line >= v->n_lines)
		return "\n";
	if (line > 0 && line + 1 == v->n_lines && v->text[v->n - 1] != '\n')
		line--;
	to = v->starts[line + 1];
	return to >= 2 && v->text[to - 1] == '\n' && v->text[to - 2] == '\r' ? "\r\n"
									     : "\n";
}

/* the line in which the next section or key begins */
static size_t mark_end(const struct view *v, size_t mark)
{
	return mark + 1 < v->n_marks ? v->marks[mark + 1].line : v->n_lines;
}

/* behind the last line of its value, at least behind `line` */
static size_t behind_value(const struct view *v, size_t mark, size_t line)
{
	size_t end = line + 1;

	for (size_t i = line + 1; i < mark_end(v, mark); i++)
		if (line_continues(v, i))
			end = i + 1;
	return end;
}

static int append_lines(struct buf *out, const struct view *v, size_t from, size_t to)
{
	return buf_append(
		out, v->text + v->starts[from], v->starts[to] - v->starts[from]);
}

/* "#KEY =", or ";", blanks anywhere */
static bool line_is_comment_of(const struct view *v, size_t line, const char *key)
{
	const char *p = v->text + v->starts[line], *end = p + line_len(v, line);
	size_t n = strlen(key);

	if (p == end || (*p != '#' && *p != ';'))
		return false;
	for (p++; p < end && is_blank(*p); p++)
		;
	if ((size_t)(end - p) <= n || memcmp(p, key, n) != 0)
		return false;
	for (p += n; p < end && is_blank(*p); p++)
		;
	return p < end && *p == '=';
}

/* ---- the change ------------------------------------------------------------------------ */

/* What stands behind the '='; a value of several lines stands below its key. */
static int append_value(struct buf *out, const char *value, const char *end_of_line)
{
	bool is_long = strchr(value, '\n');
	int r = is_long ? buf_append_str(out, end_of_line) : 0;

	while (r >= 0 && *value) {
		size_t n = strcspn(value, "\n");

		if (is_long && n > 0)
			r = buf_append_byte(out, '\t');
		if (r >= 0)
			r = buf_append(out, value, n);
		value += n;
		if (r >= 0 && *value) {
			r = buf_append_str(out, end_of_line);
			value++;
		}
	}
	return r;
}

static int append_new(struct buf *out, const struct view *v, const char *value,
	const char *end_of_line)
{
	bool is_blank_behind = *value && !strchr(value, '\n');
	int r = buf_append_str(out, v->place->key);

	if (r >= 0)
		r = buf_append_str(out, is_blank_behind ? " = " : " =");
	return r < 0 ? r : append_value(out, value, end_of_line);
}

/* a comment among the lines of a value */
static bool line_is_kept(const struct view *v, size_t line)
{
	return !line_continues(v, line) && !line_is_empty(v, line);
}

static bool keeps_any(const struct view *v, size_t from, size_t to)
{
	for (; from < to; from++)
		if (line_is_kept(v, from))
			return true;
	return false;
}

/* the value where it stands */
static int replace(
	struct buf *out, const struct view *v, size_t mark, const char *value)
{
	size_t line = v->marks[mark].line, end = behind_value(v, mark, line);
	const char *p = v->text + v->starts[line], *p_end = p + line_len(v, line);
	const char *at = (const char *)memchr(p, '=', (size_t)(p_end - p)) + 1,
		   *old = at;
	const char *end_of_line = line_end_like(v, line);
	int r = append_lines(out, v, 0, line);

	while (old < p_end && is_blank(*old))
		old++;
	if (r >= 0) {
		bool is_short = *value && !strchr(value, '\n');

		/* the blanks before a value stay */
		if (is_short && old < p_end)
			at = old;
		r = buf_append(out, p, (size_t)(at - p));
		if (r >= 0 && is_short && old == p_end)
			r = buf_append_byte(out, ' ');
		if (r >= 0)
			r = append_value(out, value, end_of_line);
		/* the last line of a file may have no end */
		if (r >= 0 && (end < v->n_lines || v->text[v->n - 1] == '\n' ||
				      keeps_any(v, line + 1, end)))
			r = buf_append_str(out, end_of_line);
	}
	for (size_t i = line + 1; r >= 0 && i < end; i++)
		if (line_is_kept(v, i))
			r = append_lines(out, v, i, i + 1);
	return r < 0 ? r : append_lines(out, v, end, v->n_lines);
}

/* The line before which a new key goes; SIZE_MAX: there is no such section. */
static size_t find_room(const struct view *v)
{
	size_t room = SIZE_MAX;

	for (size_t m = 0; m < v->n_marks; m++) {
		if (!v->marks[m].is_ours)
			continue;
		room = behind_value(v, m, v->marks[m].line);
		for (size_t i = v->marks[m].line + 1; i < mark_end(v, m); i++)
			if (line_is_comment_of(v, i, v->place->key))
				return behind_value(v, m, i);
	}
	return room;
}

static int insert(struct buf *out, const struct view *v, const char *value)
{
	size_t room = find_room(v), before = room == SIZE_MAX ? v->n_lines : room;
	const char *end_of_line = before > 0 ? line_end_like(v, before - 1) : "\n";
	int r = append_lines(out, v, 0, before);

	if (r >= 0 && before > 0 && v->text[v->starts[before] - 1] != '\n')
		r = buf_append_str(out,
			v->text[v->starts[before] - 1] == '\r' ? "\n" : end_of_line);
	if (r >= 0 && room == SIZE_MAX) {
		if (before > 0 && !line_is_empty(v, before - 1))
			r = buf_append_str(out, end_of_line);
		if (r >= 0)
			r = buf_printf(out, "[%s%s%s]%s", v->place->section,
				v->place->argument ? " " : "",
				v->place->argument ? v->place->argument : "",
				end_of_line);
	}
	if (r >= 0)
		r = append_new(out, v, value, end_of_line);
	if (r >= 0)
		r = buf_append_str(out, end_of_line);
	return r < 0 ? r : append_lines(out, v, before, v->n_lines);
}

/* ---- what is taken out ------------------------------------------------------------------ */

static bool line_is_comment(const struct view *v, size_t line)
{
	size_t at = v->starts[line];

	return at < v->starts[line + 1] && (v->text[at] == '#' || v->text[at] == ';');
}

/* The lines of a section: from its header up to those of the next one, to which the comments
 * directly before its header belong. */
static size_t section_end(const struct view *v, size_t section, size_t *ret_next)
{
	size_t next = section + 1, end;

	while (next < v->n_marks && !v->marks[next].is_section)
		next++;
	*ret_next = next;
	end = next < v->n_marks ? v->marks[next].line : v->n_lines;
	while (next < v->n_marks && end - 1 > v->marks[next - 1].line &&
		line_is_comment(v, end - 1))
		end--;
	return end;
}

/* The header, and one empty line that parts it from what is before it, where one behind it or
 * the end of the file is left to do so. */
static void drop_header(const struct view *v, bool *drop, size_t header, size_t end)
{
	size_t blank = end;

	while (blank > header + 1 && line_is_empty(v, blank - 1))
		blank--;
	drop[header] = true;
	if (header == 0) {
		for (size_t i = blank; i < end; i++)
			drop[i] = true;
		return;
	}
	if ((blank < end || end == v->n_lines) && line_is_empty(v, header - 1) &&
		(header == 1 || !line_is_empty(v, header - 2)))
		drop[header - 1] = true;
}

/* Where the section ends itself: comments that stand apart behind its last value may be those of
 * anything, one that is commented out for example, and stay. */
static size_t own_end(const struct view *v, size_t next, size_t end)
{
	size_t last = v->marks[next - 1].line;
	size_t at = v->marks[next - 1].is_section ? last + 1
						  : behind_value(v, next - 1, last);

	while (at < end && !line_is_empty(v, at))
		at++;
	while (at < end && line_is_empty(v, at))
		at++;
	return at;
}

/* A section that nothing is left of goes, too; one with comments only where all of it is to. */
static void drop_section(const struct view *v, bool *drop, size_t section)
{
	size_t header = v->marks[section].line, next;
	size_t end = section_end(v, section, &next);
	bool has_keys = next > section + 1, has_comments = false, is_emptied = true;

	for (size_t m = section + 1; m < next; m++)
		is_emptied &= v->marks[m].is_key;
	for (size_t i = header + 1; i < end; i++)
		has_comments |= line_is_comment(v, i);
	if (!v->place->key) {
		end = own_end(v, next, end);
		for (size_t i = header; i < end; i++)
			drop[i] |= !line_is_empty(v, i);
		drop_header(v, drop, header, end);
	} else if (is_emptied && has_keys && !has_comments) {
		drop_header(v, drop, header, end);
	}
}

/* 1; 0: it is not there; -ENOMEM */
static int take_out(struct buf *out, const struct view *v)
{
	_cleanup_free_ bool *drop = calloc(v->n_lines + 1, sizeof(*drop));
	bool found = false;
	int r = 0;

	if (!drop)
		return -ENOMEM;
	for (size_t m = 0; m < v->n_marks; m++) {
		size_t line = v->marks[m].line;

		found |= v->marks[m].is_key || (v->marks[m].is_ours && !v->place->key);
		if (!v->marks[m].is_key)
			continue;
		for (size_t i = line; i < behind_value(v, m, line); i++)
			drop[i] = i == line || !line_is_kept(v, i);
	}
	for (size_t m = 0; m < v->n_marks; m++)
		if (v->marks[m].is_section && v->marks[m].is_ours)
			drop_section(v, drop, m);
	for (size_t i = 0; i < v->n_lines && r >= 0; i++)
		if (!drop[i])
			r = append_lines(out, v, i, i + 1);
	return r < 0 ? r : found;
}

/* ---- all ----------------------------------------------------------------------------------- */

/* nothing of it: of a key, or of the whole section */
static bool is_gone(const struct view *v)
{
	bool is_there = buf_len(&v->value) > 0;

	for (size_t m = 0; m < v->n_marks && !v->place->key; m++)
		is_there |= v->marks[m].is_ours;
	return !is_there;
}

/* The reader is the judge: it finds what was asked for, and else what was there. */
static int check(const struct buf *out, size_t from, const struct view *before,
	const char *file, const char *value, struct config_errors *errors)
{
	_cleanup_(config_errors_deinitp) struct config_errors faults =
		CONFIG_ERRORS_NULL;
	_cleanup_(view_deinit) struct view after;
	size_t n = value ? strlen(value) + 1 : 0;
	const char *name;
	int r = view_init(&after, buf_head(out) + from, buf_len(out) - from, file,
		before->place, &faults);

	if (r == -ENOMEM)
		return r;
	if (r >= 0 && buf_len(&after.value) == n &&
		(n == 0 ? is_gone(&after)
			: memcmp(buf_head(&after.value), value, n) == 0) &&
		buf_len(&after.others) == buf_len(&before->others) &&
		(buf_len(&after.others) == 0 ||
			memcmp(buf_head(&after.others), buf_head(&before->others),
				buf_len(&after.others)) == 0))
		return 0;
	name = before->place->key ? before->place->key : before->place->section;
	if (value)
		config_errors_add(errors, file, 0, "%s: no file can say this value: %s",
			name, QUOTED(value));
	else
		config_errors_add(errors, file, 0,
			"%s: it cannot be taken out without changing more", name);
	return -EINVAL;
}

static int find_key(const struct view *v, size_t *ret, const char *file,
	struct config_errors *errors)
{
	*ret = SIZE_MAX;
	for (size_t m = 0; m < v->n_marks; m++) {
		if (!v->marks[m].is_key)
			continue;
		if (*ret != SIZE_MAX) {
			config_errors_add(errors, file, (unsigned)v->marks[m].line + 1,
				"%s is set in line %zu too: unset takes out both, "
				"config edit changes one",
				v->place->key, v->marks[*ret].line + 1);
			return -EINVAL;
		}
		*ret = m;
	}
	return 0;
}

int config_edit(struct buf *out, const char *text, size_t n, const char *file,
	const struct config_place *place, const char *value,
	struct config_errors *errors)
{
	_cleanup_(view_deinit) struct view v;
	size_t from = buf_len(out), mark;
	int r = view_init(&v, text, n, file, place, errors);

	if (r >= 0 && !value) {
		r = take_out(out, &v);
		if (r > 0)
			r = check(out, from, &v, file, NULL, errors);
		else
			return r;
		return r < 0 ? r : 1;
	}
	if (r >= 0)
		r = find_key(&v, &mark, file, errors);
	if (r < 0)
		return r;
	if (mark != SIZE_MAX && STREQ(buf_head(&v.value), value))
		return buf_append(out, text, n);
	r = mark == SIZE_MAX ? insert(out, &v, value) : replace(out, &v, mark, value);
	if (r >= 0)
		r = check(out, from, &v, file, value, errors);
	return r < 0 ? r : 1;
}
