/*
 * The examples of reeve.1: each is a command line that reeve takes, and each verb, each
 * sub-verb, each option and each property of a job is in one.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/zone.h"
#include "cli/columns.h"
#include "cli/command_table.h"
#include "cli/complete.h"
#include "cli/json.h"
#include "cli/select.h"
#include "cli/time.h"
#include "job/calendar.h"
#include "job/sort.h"
#include "tests/support/unit.h"
#include "tests/unit/cli/shell_commands.h"

#define NOW INT64_C(1800000000000000)

enum { EXAMPLES_MAX = 500 };

/* what one command line has */
struct example {
	const struct command *command; /* NULL: no verb */
	char *text;
	char *word;  /* the sub-verb, NULL: none */
	int ids[32]; /* options and properties */
	size_t n_ids;
};

static struct example examples[EXAMPLES_MAX];
static size_t n_examples;

/* ---- reading ------------------------------------------------------------------------------- */

/* a line of the manual as it is shown */
static void put_shown(struct buf *out, const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = line[i];

		if (c == '\\' && i + 1 < n) {
			c = line[++i] == 'e' ? '\\' : line[i];
			if (c == '&')
				continue;
			ck_assert_msg(
				c == '\\' || c == '-', "an escape: %.*s", (int)n, line);
		}
		ck_assert_int_eq(buf_append_byte(out, c), 0);
	}
	ck_assert_int_eq(buf_append_byte(out, '\n'), 0);
}

/* .Dl and what is displayed literally; the caller's */
static char *all_examples(void)
{
	_cleanup_(buf_deinitp) struct buf page = BUF_NULL, out = BUF_NULL;
	const char *srcdir = getenv("srcdir"), *line, *next;
	bool literal = false;
	char path[4096];

	snprintf(path, sizeof(path), "%s/src/cli/reeve.1", srcdir ? srcdir : ".");
	ck_assert_int_eq(file_read(&page, AT_FDCWD, path, 1 << 20), 0);
	ck_assert_int_eq(buf_append_byte(&page, '\0'), 0);
	for (line = buf_head(&page); *line; line = next) {
		size_t n = strcspn(line, "\n");

		next = line + n + (line[n] == '\n');
		if (strncmp(line, ".Bd -literal", 12) == 0)
			literal = true;
		else if (strncmp(line, ".Ed", 3) == 0)
			literal = false;
		else if (literal)
			put_shown(&out, line, n);
		else if (strncmp(line, ".Dl ", 4) == 0)
			put_shown(&out, line + 4, n - 4);
	}
	ck_assert(!literal);
	return buf_steal_str(&out, NULL);
}

/* ---- is it right? --------------------------------------------------------------------------- */

static void check(bool ok, const struct example *e, const char *what, const char *why)
{
	ck_assert_msg(ok, "%s: %s: %s", e->text, what, why ? why : "");
}

/* one of the words that completion offers in its place */
static void check_word(
	const struct example *e, const struct option_def *d, const char *value)
{
	struct complete_place place = {.command = e->command,
		.prefix = value,
		.hint = d->hint,
		.metavar = d->metavar};
	_cleanup_free_ char *offered = NULL;
	size_t len, n = strlen(value);
	FILE *out = open_memstream(&offered, &len);
	bool known = complete_static(out, &place), found = false;

	fclose(out);
	for (const char *p = offered; known && *p; p += strcspn(p, "\n") + 1)
		found |= strncmp(p, value, n) == 0 && p[n] == '\n';
	check(!known || found, e, d->name, "not one of the words that there are");
}

static void check_calendar(const struct example *e, const char *text)
{
	_cleanup_free_ char *why = NULL;
	struct calendar *c = NULL;
	struct zone *utc;
	int r;

	ck_assert_int_eq(zone_from_rule(&utc, "UTC0"), 0);
	r = calendar_parse(&c, text, utc, NULL, &why);
	check(r == 0, e, text, why);
	calendar_free(c);
	zone_unref(utc);
}

static void check_plain(
	const struct example *e, const struct option_def *d, const char *value)
{
	int64_t n;

	if (STREQ(d->metavar, "N"))
		check(parse_i64(&n, value, 0, INT32_MAX) == 0, e, d->name, "no number");
	else
		check_word(e, d, value);
}

static void check_value(
	const struct example *e, const struct option_def *d, const char *value)
{
	_cleanup_free_ char *why = NULL;
	struct job_sort sort = {.n = 0};
	struct columns columns;
	int64_t n;
	int r = 0;

	if (!value || d->id >= OPT_FIELD)
		return; /* the parser has looked at it */
	switch (d->id) {
	case OPT_SORT: r = job_sort_parse(&sort, value, &why); break;
	case OPT_COLUMNS: r = columns_parse(&columns, value, &why); break;
	case OPT_WHEN: check_calendar(e, value); return;
	case OPT_FROM:
		if (STREQ(d->name, "from")) /* not --since of events, nor a cursor */
			r = time_parse_ahead(&n, value, NOW, &why);
		break;
	default: check_plain(e, d, value);
	}
	check(r == 0, e, d->name, why);
}

/* ids, names and selectors; those of move, set and send are followed by other words */
static void check_selection(const struct example *e, struct options *o)
{
	struct selection s = SELECTION_NULL;
	_cleanup_free_ char *why = NULL;
	FILE *in = fmemopen((char[]){"3 4"}, 3, "r");
	size_t n_all = o->n_args;
	int r;

	if (STREQ(e->command->name, "move")) {
		check(n_all > 0 && (STREQ(o->args[n_all - 1], "first") ||
					   STREQ(o->args[n_all - 1], "last")),
			e, "move", "neither first nor last");
		o->n_args--;
	}
	while (STREQ(e->command->name, "set") && o->n_args > 0 &&
		strchr(o->args[o->n_args - 1], '='))
		o->n_args--;
	if (STREQ(e->command->name, "send") && n_all > 1)
		o->n_args = 1;
	r = selection_read(&s, o, in, NOW, &why);
	check(r == 0, e, "selection", why);
	o->n_args = n_all;
	fclose(in);
	selection_deinit(&s);
}

static void check_operands(struct example *e, struct options *o)
{
	const char *const *w = e->command->words;

	for (; w && *w && o->n_args > 0; w++)
		if (STREQ(*w, o->args[0]))
			e->word = strdup(*w);
	check(!e->command->words || e->word, e, "operand", "no such sub-verb");
	if (e->command->flags & COMMAND_SELECTS)
		check_selection(e, o);
	if (STREQ(e->command->name, "calendar")) {
		_cleanup_free_ char *text = words_join(o->args, ' ');

		check_calendar(e, text);
	}
	if (STREQ(e->command->name, "help") && o->n_args > 0)
		check(command_find(o->args[0]) != NULL, e, o->args[0], "no verb");
	if (STREQ(e->command->name, "varlink")) {
		_cleanup_json_ json_t *v =
			json_loads(o->n_args > 1 ? o->args[1] : "{}", 0, NULL);

		check(o->n_args > 0 && json_is_object(v), e, "parameters",
			"no JSON object");
	}
}

static void take_hits(
	struct example *e, const struct options *o, const struct option_set *set)
{
	for (size_t i = 0; i < o->n_hits; i++) {
		int id = o->hits[i].id;

		ck_assert_uint_lt(e->n_ids, ARRAY_LEN(e->ids));
		e->ids[e->n_ids++] = id;
		for (size_t t = 0; t < ARRAY_LEN(set->tables); t++)
			for (const struct option_def *d = set->tables[t]; d && d->id;
				d++)
				if (d->id == id)
					check_value(e, d, o->hits[i].value);
	}
}

/* shell_command_fn: as cli_main reads it */
static void take_command(char **words, void *arg)
{
	struct option_set set = global_options();
	struct options before = OPTIONS_NULL, o = OPTIONS_NULL;
	_cleanup_free_ char *err = NULL, *err2 = NULL;
	int argc = (int)strv_len(words), next = 1, r;
	struct example *e = &examples[n_examples];

	if (!STREQ(words[0], "reeve"))
		return;
	ck_assert_uint_lt(n_examples++, EXAMPLES_MAX);
	e->text = words_join(words, ' ');
	r = options_parse(&before, &set, words, argc, 1, &next, &err);
	check(r == 0, e, "before the verb", err);
	take_hits(e, &before, &set);
	if (next < argc) {
		e->command = command_find(words[next]);
		check(e->command != NULL, e, words[next], "no such verb");
		set = command_options(e->command);
		set.now_usec = NOW;
		r = options_parse(&o, &set, words, argc, next + 1, NULL, &err2);
		check(r == 0, e, "options", err2);
		take_hits(e, &o, &set);
		check_operands(e, &o);
	}
	options_deinit(&before);
	options_deinit(&o);
}

static void read_examples(void)
{
	_cleanup_free_ char *text = all_examples();

	shell_commands(text, take_command, NULL);
	ck_assert_uint_gt(n_examples, command_table_len);
}

static void forget_examples(void)
{
	for (size_t i = 0; i < n_examples; i++) {
		free(examples[i].text);
		free(examples[i].word);
		examples[i] = (struct example){.n_ids = 0};
	}
	n_examples = 0;
}

/* ---- is everything there? ------------------------------------------------------------------- */

/* cmd NULL: of any verb, or none; word NULL, id 0: whatever they are */
static bool is_shown(const struct command *cmd, const char *word, int id)
{
	for (size_t i = 0; i < n_examples; i++) {
		const struct example *e = &examples[i];
		bool has_id = id == 0;

		for (size_t k = 0; k < e->n_ids; k++)
			has_id |= e->ids[k] == id;
		if (has_id && (!cmd || e->command == cmd) &&
			(!word || (e->word && STREQ(e->word, word))))
			return true;
	}
	return false;
}

START_TEST(every_example_is_a_command_line)
{
	read_examples();
	forget_examples();
}
END_TEST

START_TEST(every_verb_has_an_example)
{
	read_examples();
	for (size_t i = 0; i < command_table_len; i++) {
		const struct command *cmd = &command_table[i];

		if (cmd->flags & COMMAND_HIDDEN)
			continue;
		ck_assert_msg(is_shown(cmd, NULL, 0), "none of %s", cmd->name);
		for (const char *const *w = cmd->words; w && *w; w++)
			ck_assert_msg(
				is_shown(cmd, *w, 0), "none of %s %s", cmd->name, *w);
	}
	forget_examples();
}
END_TEST

static void assert_shown(const struct command *cmd, const struct option_def *table)
{
	for (const struct option_def *d = table; d && d->id; d++)
		ck_assert_msg(is_shown(cmd, NULL, d->id), "none of %s --%s",
			cmd ? cmd->name : "reeve", d->name);
}

/* a verb's own with that verb, those that several verbs have with any */
START_TEST(every_option_has_an_example)
{
	struct option_set global = global_options();

	read_examples();
	for (size_t i = 0; i < command_table_len; i++)
		assert_shown(&command_table[i], command_table[i].options);
	assert_shown(NULL, options_select);
	assert_shown(NULL, options_verb);
	for (size_t t = 0; t < ARRAY_LEN(global.tables); t++)
		assert_shown(NULL, global.tables[t]);
	forget_examples();
}
END_TEST

START_TEST(every_property_has_an_example)
{
	struct option_def d;

	read_examples();
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (option_of_field(&d, (enum job_field)f))
			ck_assert_msg(
				is_shown(NULL, NULL, d.id), "none of --%s", d.name);
	forget_examples();
}
END_TEST

/* ---- the reader itself ---------------------------------------------------------------------- */

static void note(char **words, void *arg)
{
	_cleanup_free_ char *text = words_join(words, '|');

	ck_assert_int_eq(buf_printf(arg, "%s\n", text), 0);
}

static void splits_to(const char *text, const char *want)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	shell_commands(text, note, &out);
	ck_assert_int_eq(buf_append_byte(&out, '\0'), 0);
	ck_assert_str_eq(buf_head(&out), want);
}

START_TEST(shell_is_split_into_its_commands)
{
	splits_to("a 'b c' | d; e && f &", "a|b c\nd\ne\nf\n");
	splits_to("for f in *.x; do a \"$f\"; done # not this",
		"for|f|in|*.x\na|1\ndone\n");
	splits_to("a \"$(b -c 'd)')\" >e 2>f <g", "b|-c|d)\na|1\n");
	splits_to("A=$(b) c '$d' {#} \\;", "b\nc|$d|{#}|;\n");
	splits_to("a \\\n\tb\n\n(c)", "a|b\nc\n");
}
END_TEST

UNIT_MAIN("examples", shell_is_split_into_its_commands, every_example_is_a_command_line,
	every_verb_has_an_example, every_option_has_an_example,
	every_property_has_an_example)
