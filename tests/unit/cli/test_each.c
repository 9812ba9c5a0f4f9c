#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/each.h"
#include "tests/support/unit.h"

static void assert_expands(
	const char *expected, const char *text, const char *item, bool quoted)
{
	struct buf out = BUF_NULL;
	char *found;

	ck_assert_int_eq(each_expand(&out, text, item, 12, quoted), 0);
	found = buf_steal_str(&out, NULL);
	ck_assert_str_eq(found, expected);
	free(found);
}

START_TEST(marks_are_those_of_parallel)
{
	assert_expands("a/b.tar.gz", "{}", "a/b.tar.gz", false);
	assert_expands("a/b.tar", "{.}", "a/b.tar.gz", false);
	assert_expands("b.tar.gz", "{/}", "a/b.tar.gz", false);
	assert_expands("a", "{//}", "a/b.tar.gz", false);
	assert_expands("b.tar", "{/.}", "a/b.tar.gz", false);
	assert_expands("12", "{#}", "a/b.tar.gz", false);
	assert_expands("x=a.png:12", "x={.}.png:{#}", "a.jpg", false);
}
END_TEST

START_TEST(other_braces_stay)
{
	assert_expands("${x} {a,b} {1} {", "${x} {a,b} {{}} {", "1", false);
}
END_TEST

START_TEST(odd_paths_have_parts)
{
	assert_expands("a.b/c", "{.}", "a.b/c", false);
	assert_expands("c", "{/.}", "a.b/c", false);
	assert_expands(".", "{//}", "file", false);
	assert_expands("/", "{//}", "/file", false);
	assert_expands(".", "{//}", "dir/", false);
	assert_expands("a", "{//}", "a//b", false);
	assert_expands("", "{/}", "dir/", false);
	assert_expands("", "{.}", "", false);
}
END_TEST

START_TEST(what_is_put_in_is_quoted_for_the_shell)
{
	assert_expands("echo 'it'\\''s; rm *'", "echo {}", "it's; rm *", true);
	assert_expands("cat <'a b'.x", "cat <{.}.x", "a b.c", true);
	assert_expands("echo ''", "echo {}", "", true);
}
END_TEST

static char *err;

static void assert_text(bool is_taken, const char *text)
{
	int r;

	err = NULL;
	r = each_check_text(text, &err);
	ck_assert_msg(
		r == (is_taken ? 0 : -EINVAL), "%s: %d %s", text, r, err ? err : "");
	ck_assert_int_eq(is_taken, err == NULL);
	free(err);
}

START_TEST(item_is_refused_where_its_quotation_marks_are_none)
{
	assert_text(true, "echo {} '{#}' \"{#}\"");
	assert_text(true, "echo 'a'{}\"b\"{.}");
	assert_text(true, "echo \"$(basename {})\" x$(cat <{})");
	assert_text(true, "echo \\\" {} \\' {}");
	assert_text(true, "cat <<<{}; echo a#b {}");
	assert_text(true, "echo # 'a\necho {}");
	assert_text(true, "(cd {//} && make {/}); case {} in *.c) cc {};; esac");
	assert_text(true, "tar c");
	assert_text(false, "echo \"{}\"");
	assert_text(false, "echo '{}'");
	assert_text(false, "echo 'a b {/.} c'");
	assert_text(false, "echo {} \"x$(echo \"{}\")\"");
	assert_text(false, "echo \"x$(echo {})y{}\"");
	assert_text(false, "echo `basename {}`");
	assert_text(false, "echo \"`basename {}`\"");
	assert_text(false, "echo \\{}");
	assert_text(false, "echo ${}");
	assert_text(false, "true # {}");
	assert_text(false, "cat <<X\n{}\nX");
	assert_text(false, "cat <<-X\n{}\nX");
	/* at the end, where there is no mark */
	assert_text(false, "echo \"a");
	assert_text(false, "true # list:");
	assert_text(false, "cat <<X\na\nX\necho");
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
	char text[1000];

	memset(text, '(', sizeof(text));
	memcpy(text + sizeof(text) - 3, "{}", 3);
	assert_text(false, text);
}
END_TEST

static int init(
	struct each *e, const char *text, bool nul, size_t n, const char *const *args)
{
	err = NULL;
	return each_init(e, (char *const *)args, n, text, STDIN_FILENO, -1, nul, &err);
}

START_TEST(there_is_one_command)
{
	struct each e;

	ck_assert_int_eq(
		init(&e, NULL, false, 2, (const char *const[]){":::", "a"}), -EINVAL);
	ck_assert_str_eq(err, "--each: a command for the items is missing");
	free(err);
	ck_assert_int_eq(
		init(&e, "echo", false, 1, (const char *const[]){"x"}), -EINVAL);
	ck_assert_str_eq(err, "--each: a command, or -c, not both");
	free(err);
	ck_assert_int_eq(
		init(&e, NULL, true, 3, (const char *const[]){"x", ":::", "a"}),
		-EINVAL);
	ck_assert_str_eq(err, "-0 is for items on standard input");
	free(err);
}
END_TEST

START_TEST(item_is_one_argument)
{
	const char *const args[] = {"ls", "-d", ":::", "a b"};
	struct job_spec defaults, s;
	struct each e;

	job_spec_init(&defaults);
	ck_assert_int_eq(init(&e, NULL, false, 4, args), 0);
	e.src.bytes_max = 100;
	ck_assert_int_eq(e.src.next(&e.src, &s, &defaults, &err), 1);
	ck_assert_str_eq(job_strv(&s, COMMAND)[2], "a b");
	ck_assert_ptr_null(job_strv(&s, COMMAND)[3]);
	job_spec_deinit(&s);
	ck_assert_int_eq(e.src.next(&e.src, &s, &defaults, &err), 0);
	job_spec_deinit(&s);
	each_deinit(&e);
	job_spec_deinit(&defaults);
}
END_TEST

START_TEST(item_over_the_limit_is_refused)
{
	const char *const args[] = {"ls", ":::", "0123456789"};
	struct job_spec defaults, s;
	struct each e;

	job_spec_init(&defaults);
	ck_assert_int_eq(init(&e, NULL, false, 3, args), 0);
	e.src.bytes_max = 9;
	ck_assert_int_eq(e.src.next(&e.src, &s, &defaults, &err), -EMSGSIZE);
	job_spec_deinit(&s);
	each_deinit(&e);
	job_spec_deinit(&defaults);
}
END_TEST

UNIT_MAIN("each", item_is_refused_where_its_quotation_marks_are_none,
	nesting_without_end_is_refused, marks_are_those_of_parallel, other_braces_stay,
	odd_paths_have_parts, what_is_put_in_is_quoted_for_the_shell,
	there_is_one_command, item_is_one_argument, item_over_the_limit_is_refused)
