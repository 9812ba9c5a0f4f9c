#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "cli/output.h"
#include "tests/support/unit.h"

static char *text;
static size_t len;
static FILE *out;

static void begin(void)
{
	out = open_memstream(&text, &len);
}

static void end(void)
{
	fclose(out);
	free(text);
}

START_TEST(colours_are_for_terminals)
{
	ck_assert(color_is_wanted(COLOR_AUTO, true, NULL, "xterm"));
	ck_assert(!color_is_wanted(COLOR_AUTO, false, NULL, "xterm"));
	ck_assert(!color_is_wanted(COLOR_AUTO, true, NULL, "dumb"));
	ck_assert(!color_is_wanted(COLOR_AUTO, true, NULL, NULL));
}
END_TEST

START_TEST(no_color_is_honoured_unless_empty)
{
	ck_assert(!color_is_wanted(COLOR_AUTO, true, "1", "xterm"));
	ck_assert(color_is_wanted(COLOR_AUTO, true, "", "xterm"));
}
END_TEST

START_TEST(option_beats_the_environment)
{
	ck_assert(color_is_wanted(COLOR_ALWAYS, false, "1", NULL));
	ck_assert(!color_is_wanted(COLOR_NEVER, true, NULL, "xterm"));
	ck_assert_int_eq(color_when_parse("always"), COLOR_ALWAYS);
	ck_assert_int_eq(color_when_parse("sometimes"), -EINVAL);
}
END_TEST

static void fill(struct table *t, const char *a, const char *b)
{
	ck_assert_int_eq(table_row(t), 0);
	ck_assert_int_eq(table_cell(t, 0, a, NULL), 0);
	ck_assert_int_eq(table_cell(t, 1, b, "red"), 0);
}

START_TEST(table_aligns_escapes_and_does_not_cut)
{
	static const struct table_column columns[] = {
		{"ID", TABLE_RIGHT}, {"CMD", TABLE_CUT}};
	const struct table_style style = {.headings = true};
	char wide[301];
	struct table *t;

	memset(wide, 'x', 300);
	wide[300] = '\0';
	begin();
	ck_assert_int_eq(table_new(&t, columns, ARRAY_LEN(columns), &style), 0);
	fill(t, "1", "a\nb");
	fill(t, "100", wide);
	fill(t, "2", NULL);
	ck_assert_int_eq(table_print(t, out), 0);
	fflush(out);
	ck_assert_ptr_eq(strstr(text, " ID CMD\n  1 a\\x0ab\n100 xxx"), text);
	ck_assert_ptr_nonnull(strstr(text, wide));
	ck_assert_ptr_null(strchr(text, '\033'));
	ck_assert_str_eq(text + len - 6, "  2 -\n");
	table_free(t);
	end();
}
END_TEST

START_TEST(pairs_are_escaped)
{
	begin();
	ck_assert_int_eq(print_pair(out, "name", "%s", "a\033b"), 0);
	fflush(out);
	ck_assert_str_eq(text, "name           a\\x1bb\n");
	end();
}
END_TEST

UNIT_MAIN("output", colours_are_for_terminals, no_color_is_honoured_unless_empty,
	option_beats_the_environment, table_aligns_escapes_and_does_not_cut,
	pairs_are_escaped)
