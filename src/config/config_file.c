#include "config/config_file.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/invariant.h"
#include "base/parse.h"

#define BLANKS      " \t\r\v\f"
#define SECTION_KEY "@" /* no key: stands for the beginning of a section */

/* A section or a key with its value, as they truly are. */
struct entry {
	unsigned line;
	char *name;       /* of the section, or of the key */
	char *argument;   /* of a section, may be NULL */
	struct buf value; /* of a key, ended by NUL when the file is read */
	struct buf lines; /* of its value: the number of each line of it, unsigned */
	bool is_section, is_bad;
};

enum continues { CONTINUES_NOTHING, CONTINUES_ENTRY, CONTINUES_BAD };

struct reader {
	const char *file;
	struct config_errors *errors;
	struct entry *entries;
	size_t n;
	/* of the value that is being read */
	enum continues continues;
	size_t n_blank;     /* empty lines since its last line */
	const char *indent; /* of its first continued line, NULL before that */
	size_t indent_len;
	bool in_section;
};

static void reader_deinit(struct reader *rd)
{
	for (size_t i = 0; i < rd->n; i++) {
		free(rd->entries[i].name);
		free(rd->entries[i].argument);
		buf_deinit(&rd->entries[i].value);
		buf_deinit(&rd->entries[i].lines);
	}
	free(rd->entries);
}

static int entry_add(struct entry **ret, struct reader *rd, unsigned line)
{
	/* grows at every power of two */
	if ((rd->n & (rd->n - 1)) == 0) {
		struct entry *v =
			reallocarray(rd->entries, rd->n ? rd->n * 2 : 1, sizeof(*v));

		if (!v)
			return -ENOMEM;
		rd->entries = v;
	}
	*ret = &rd->entries[rd->n++];
	**ret = (struct entry){.line = line, .value = BUF_NULL, .lines = BUF_NULL};
	return 0;
}

/* a NUL is not one, although strchr finds it */
static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static const char *trim_blanks(const char *p, const char *end)
{
	while (end > p && is_blank(end[-1]))
		end--;
	return end;
}

/* p..end as a text for a message; a failed copy says so in its place */
static void line_error(struct reader *rd, unsigned line, const char *what,
	const char *p, const char *end)
{
	_cleanup_free_ char *text = strndup(p, (size_t)(end - p));

	config_errors_add(
		rd->errors, rd->file, line, "%s: %s", what, QUOTED(text ? text : "?"));
}

/* A header whose form is bad begins a section all the same: its keys must not fall into
 * the one before. */
static int read_section(
	struct reader *rd, unsigned line, const char *p, const char *end)
{
	const char *close = memchr(p, ']', (size_t)(end - p));
	const char *name, *name_end, *arg, *arg_end;
	struct entry *e;
	int r;

	rd->continues = CONTINUES_NOTHING;
	rd->in_section = true;
	r = entry_add(&e, rd, line);
	if (r < 0)
		return r;
	e->is_section = true;
	if (!close || close + 1 != end) {
		e->is_bad = true;
		line_error(rd, line,
			close ? "text behind the ']' of a section"
			      : "section without ']'",
			p, end);
		return 0;
	}
	name = skip_blanks(p + 1, close);
	for (name_end = name; name_end < close && !is_blank(*name_end); name_end++)
		;
	arg = skip_blanks(name_end, close);
	arg_end = trim_blanks(arg, close);
	if (name == name_end) {
		e->is_bad = true;
		line_error(rd, line, "section without a name", p, end);
		return 0;
	}
	e->name = strndup(name, (size_t)(name_end - name));
	if (arg < arg_end)
		e->argument = strndup(arg, (size_t)(arg_end - arg));
	return !e->name || (arg < arg_end && !e->argument) ? -ENOMEM : 0;
}

/* Letters, digits and '-' or '_', a letter first: what libinih has no use for. */
static bool is_key(const char *p, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (n == 0 || n > CONFIG_KEY_LEN_MAX || !strchr(letters, *p))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!strchr(letters, p[i]) && !strchr("0123456789-_", p[i]))
			return false;
	return true;
}

static int read_key(struct reader *rd, unsigned line, const char *p, const char *end)
{
	const char *eq = memchr(p, '=', (size_t)(end - p)), *key_end, *value;
	struct entry *e;
	int r;

	rd->continues = CONTINUES_BAD;
	if (!eq) {
		line_error(rd, line, "no '=' in this line", p, end);
		return 0;
	}
	key_end = trim_blanks(p, eq);
	if (!is_key(p, (size_t)(key_end - p))) {
		line_error(rd, line, "not a key", p, key_end);
		return 0;
	}
	if (!rd->in_section) {
		line_error(rd, line, "key before the first [section]", p, key_end);
		return 0;
	}
	r = entry_add(&e, rd, line);
	if (r < 0)
		return r;
	e->name = strndup(p, (size_t)(key_end - p));
	if (!e->name)
		return -ENOMEM;
	value = skip_blanks(eq + 1, end);
	rd->continues = CONTINUES_ENTRY;
	rd->n_blank = 0;
	rd->indent = NULL;
	r = value < end ? buf_append(&e->lines, &line, sizeof(line)) : 0;
	return r < 0 ? r : buf_append(&e->value, value, (size_t)(end - value));
}

static int read_continuation(
	struct reader *rd, unsigned line, const char *p, const char *end)
{
	struct entry *e;
	int r = 0;

	if (rd->continues == CONTINUES_NOTHING) {
		line_error(rd, line, "indented line, but there is no value to continue",
			p, end);
		rd->continues = CONTINUES_BAD; /* said once for the whole block */
	}
	if (rd->continues == CONTINUES_BAD)
		return 0;
	e = &rd->entries[rd->n - 1];
	if (!rd->indent) {
		rd->indent = p;
		rd->indent_len = (size_t)(skip_blanks(p, end) - p);
	}
	if ((size_t)(end - p) >= rd->indent_len &&
		memcmp(p, rd->indent, rd->indent_len) == 0)
		p += rd->indent_len;
	else
		p = skip_blanks(p, end);
	/* a value that begins in the next line does not begin with a line end */
	if (buf_len(&e->value) > 0)
		for (size_t i = 0; r >= 0 && i <= rd->n_blank; i++) {
			unsigned at = line - (unsigned)(rd->n_blank - i);

			r = buf_append_byte(&e->value, '\n');
			if (r >= 0 && i < rd->n_blank)
				r = buf_append(&e->lines, &at, sizeof(at));
		}
	rd->n_blank = 0;
	if (r >= 0)
		r = buf_append(&e->lines, &line, sizeof(line));
	return r < 0 ? r : buf_append(&e->value, p, (size_t)(end - p));
}

static int read_line(struct reader *rd, unsigned line, const char *p, const char *end)
{
	if (memchr(p, '\0', (size_t)(end - p))) {
		config_errors_add(rd->errors, rd->file, line, "NUL byte in this line");
		rd->continues = CONTINUES_BAD;
		return 0;
	}
	end = trim_blanks(p, end);
	if (p == end) {
		rd->n_blank++;
		return 0;
	}
	if (*p == '#' || *p == ';')
		return 0;
	if (*p == '[')
		return read_section(rd, line, p, end);
	if (is_blank(*p))
		return read_continuation(rd, line, p, end);
	return read_key(rd, line, p, end);
}

static int read_text(struct reader *rd, const char *p, size_t n)
{
	const char *end = p + n;
	int r = 0;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3; /* editors on other systems put a byte order mark there */
	for (unsigned line = 1; r >= 0 && p < end; line++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		r = read_line(rd, line, p, nl ? nl : end);
		p = nl ? nl + 1 : end;
	}
	for (size_t i = 0; r >= 0 && i < rd->n; i++)
		r = buf_append_byte(&rd->entries[i].value, '\0');
	return r;
}

/* The stand-in that libinih reads, one line at a time. */
struct stand_in {
	const struct reader *rd;
	size_t next;     /* entry */
	bool is_begun;   /* its section header is out, the line for it is next */
	size_t n_passed; /* entries that came back in their order */
	const struct entry *section;
	config_entry_fn fn;
	void *arg;
	int result; /* what fn returned when it was not 0 */
};

static char *stand_in_line(char *line, int size, void *arg)
{
	struct stand_in *s = arg;
	const struct entry *e;
	int n;

	if (s->next == s->rd->n || s->result < 0)
		return NULL;
	e = &s->rd->entries[s->next];
	if (e->is_section && !s->is_begun) {
		s->is_begun = true;
		n = snprintf(line, (size_t)size, "[@%zu]\n", s->next);
	} else {
		s->is_begun = false;
		n = snprintf(line, (size_t)size, "%s=@%zu\n",
			e->is_section ? SECTION_KEY : e->name, s->next);
		s->next++;
	}
	return n < size ? line : NULL;
}

/* libinih's callback: 1 goes on, 0 is an error to it */
static int stand_in_entry(
	void *arg, const char *section, const char *name, const char *value)
{
	struct stand_in *s = arg;
	const struct entry *e;
	struct config_entry out;

	/* an entry that libinih lost or changed is found by the count in the end */
	if (s->result < 0 || s->n_passed == s->rd->n)
		return 0;
	e = &s->rd->entries[s->n_passed];
	if (value[0] != '@' || strtoull(value + 1, NULL, 10) != s->n_passed ||
		!STREQ(name, e->is_section ? SECTION_KEY : e->name))
		return 0;
	if (e->is_section)
		s->section = e;
	if (!s->section || section[0] != '@' ||
		strtoull(section + 1, NULL, 10) !=
			(unsigned long long)(s->section - s->rd->entries))
		return 0;
	s->n_passed++;
	out = (struct config_entry){
		.section = s->section->name,
		.argument = s->section->argument,
		.key = e->is_section ? NULL : e->name,
		.value = e->is_section ? NULL : buf_head(&e->value),
		.line = e->line,
		.lines = &e->lines,
	};
	s->result = s->fn(&out, s->arg);
	return s->result >= 0;
}

unsigned config_entry_line(const struct config_entry *e, size_t i)
{
	unsigned line = e->line;

	if (e->lines && i < buf_len(e->lines) / sizeof(line))
		memcpy(&line, buf_head(e->lines) + i * sizeof(line), sizeof(line));
	return line;
}

int config_file_parse(const char *text, size_t n, const char *file, config_entry_fn fn,
	void *arg, struct config_errors *errors)
{
	_cleanup_(reader_deinit) struct reader rd = {.file = file, .errors = errors};
	struct stand_in s = {.rd = &rd, .fn = fn, .arg = arg};
	int r;

	r = read_text(&rd, text, n);
	if (r < 0)
		return r;
	r = ini_parse_stream(stand_in_line, &s, stand_in_entry, &s);
	if (s.result < 0)
		return s.result;
	if (r == -2)
		return -ENOMEM;
	if (r != 0 || s.n_passed != rd.n)
		config_errors_add(errors, file, 0,
			"libinih did not read this file as it is written");
	return 0;
}
