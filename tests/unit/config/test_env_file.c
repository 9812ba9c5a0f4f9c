/* Files of variables: the form is systemd's (src/basic/env-file.c, systemd.exec(5)). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "config/env_file.h"
#include "tests/support/unit.h"

static void gives(const char *text, const char *want)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_(strv_freep) char **v = NULL;
	struct env_fault fault;

	ck_assert_int_eq(env_file_parse(&v, text, strlen(text), &fault), 0);
	STRV_FOREACH(s, v)
		ck_assert_int_eq(buf_printf(&b, "%s|", *s), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_str_eq(buf_head(&b), want);
}

static void refused(const char *text, unsigned line, const char *part)
{
	char **v = (char **)&v;
	struct env_fault fault;

	ck_assert_int_eq(env_file_parse(&v, text, strlen(text), &fault), -EINVAL);
	ck_assert_ptr_null(v);
	ck_assert_uint_eq(fault.line, line);
	ck_assert_msg(strstr(fault.text, part), "%s", fault.text);
}

START_TEST(lines_are_variables)
{
	gives("", "");
	gives("A=1\nB=two words\nC=\n", "A=1|B=two words|C=|");
	gives("A=1", "A=1|");
	gives("  A \t= \t x y \t \n", "A=x y|");
	gives("A=1\r\nB=2\r\n", "A=1|B=2|");
	gives("A=a=b\n", "A=a=b|");
	gives("A=a#b ;c\n", "A=a#b ;c|");
}
END_TEST

START_TEST(comments_and_empty_lines_are_nothing)
{
	gives("# A=1\n; B=2\n\n \t\nC=3\n", "C=3|");
	gives(" # A=1\nB=2\n", "B=2|");
	gives("# goes on \\\nB=2\n", "B=2|");
}
END_TEST

START_TEST(quotes_keep_what_they_hold)
{
	gives("A='x  y '\n", "A=x  y |");
	gives("A=\"x  y \"\n", "A=x  y |");
	gives("A='a\\nb \"c\"'\n", "A=a\\nb \"c\"|");
	gives("A=\"a \\\" b \\\\ c \\$ d \\` e \\n\"\n", "A=a \" b \\ c $ d ` e \\n|");
	gives("A='one\ntwo'\nB=2\n", "A=one\ntwo|B=2|");
	gives("A=\"one \\\ntwo\"\n", "A=one two|");
	gives("A='a' \"b\"c d\n", "A=abc d|");
	gives("A=it's\n", "A=it's|");
	gives("A=''\nB=\"\"\n", "A=|B=|");
}
END_TEST

START_TEST(backslash_keeps_the_byte_behind_it_or_goes_on_in_the_next_line)
{
	gives("A=a\\ b\\\\c\\d\n", "A=a b\\cd|");
	gives("A=a \\\n b\n", "A=a  b|");
	gives("A=x\\ \n", "A=x |");
	gives("A=x\\", "A=x\\|");
}
END_TEST

START_TEST(nothing_is_expanded)
{
	gives("A=$B ${C} `d` ~ * %h\n", "A=$B ${C} `d` ~ * %h|");
}
END_TEST

START_TEST(fault_has_its_line)
{
	refused("A=1\nnonsense\nB=2\n", 2, "no '='");
	refused("A='one\ntwo'\n1B=2\n", 3, "not the name");
	refused("A=1\n\nB=\"open\n\n", 3, "not closed");
	refused("A='x\n", 1, "not closed");
	refused("export A=1\n", 1, "without 'export'");
	refused("A-B=1\n", 1, "not the name");
	refused("=1\n", 1, "not the name");
	refused("A\\\n=1\n", 1, "no '='");
}
END_TEST

START_TEST(fault_does_not_tell_what_the_file_holds)
{
	struct env_fault fault;
	char **v;

	ck_assert_int_eq(env_file_parse(&v, "hunter2", 7, &fault), -EINVAL);
	ck_assert_ptr_null(strstr(fault.text, "hunter2"));
}
END_TEST

START_TEST(nul_byte_is_refused)
{
	static const char text[] = "A=1\nB=x\0y\nC='p\0q'\n";
	struct env_fault fault;
	char **v;

	ck_assert_int_eq(env_file_parse(&v, text, 10, &fault), -EINVAL);
	ck_assert_uint_eq(fault.line, 2);
	ck_assert_int_eq(env_file_parse(&v, text + 10, 8, &fault), -EINVAL);
	ck_assert_uint_eq(fault.line, 1);
}
END_TEST

START_TEST(number_of_variables_has_a_limit)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	struct env_fault fault;
	char **v;

	for (int i = 0; i < ENV_FILE_VARIABLES_MAX; i++)
		ck_assert_int_eq(buf_printf(&b, "V%d=\n", i), 0);
	ck_assert_int_eq(env_file_parse(&v, buf_head(&b), buf_len(&b), &fault), 0);
	ck_assert_uint_eq(strv_len(v), ENV_FILE_VARIABLES_MAX);
	strv_free(v);
	ck_assert_int_eq(buf_append_str(&b, "X="), 0);
	ck_assert_int_eq(
		env_file_parse(&v, buf_head(&b), buf_len(&b), &fault), -RV_ELIMIT);
	ck_assert_uint_eq(fault.line, ENV_FILE_VARIABLES_MAX + 1);
}
END_TEST

/* ---- files ---------------------------------------------------------------------------------- */

static char dir[] = "/tmp/reeve-env-file-XXXXXX";
static char path[64];

static void make_dir(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/e", dir);
}

static void remove_dir(void)
{
	unlink(path);
	rmdir(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void write_file(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
}

static int read_it(bool if_there, enum config_mode mode, struct env_fault *fault)
{
	char **v = NULL;
	int r = env_file_read(&v, path, if_there, mode, fault);

	strv_free(v);
	return r;
}

START_TEST(file_that_is_not_there_is_an_error_unless_it_may_be_missing)
{
	struct env_fault fault;

	make_dir();
	ck_assert_int_eq(read_it(true, CONFIG_MODE_USER, &fault), 0);
	ck_assert_int_eq(read_it(false, CONFIG_MODE_USER, &fault), -ENOENT);
	ck_assert_str_eq(fault.text, "No such file or directory");
	remove_dir();
}
END_TEST

START_TEST(only_regular_files_are_read)
{
	struct env_fault fault;

	make_dir();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(read_it(true, CONFIG_MODE_USER, &fault), -EINVAL);
	ck_assert_str_eq(fault.text, "not a regular file");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(read_it(true, CONFIG_MODE_USER, &fault), -EISDIR);
	remove_dir();
}
END_TEST

START_TEST(size_has_a_limit)
{
	_cleanup_free_ char *text = malloc(ENV_FILE_BYTES_MAX + 1);
	struct env_fault fault;

	make_dir();
	memset(text, 'x', ENV_FILE_BYTES_MAX + 1);
	memcpy(text, "A=", 2);
	write_file(text, ENV_FILE_BYTES_MAX);
	ck_assert_int_eq(read_it(false, CONFIG_MODE_USER, &fault), 0);
	write_file(text, ENV_FILE_BYTES_MAX + 1);
	ck_assert_int_eq(read_it(false, CONFIG_MODE_USER, &fault), -RV_ELIMIT);
	ck_assert_str_eq(fault.text, "larger than 256 KiB");
	remove_dir();
}
END_TEST

START_TEST(daemon_of_the_system_reads_none_that_others_may_write)
{
	struct env_fault fault;

	make_dir();
	write_file("A=1\n", 4);
	ck_assert_int_eq(read_it(false, CONFIG_MODE_SYSTEM, &fault), 0);
	ck_assert_int_eq(chmod(path, 0620), 0);
	ck_assert_int_eq(read_it(false, CONFIG_MODE_SYSTEM, &fault), -EPERM);
	ck_assert_ptr_nonnull(strstr(fault.text, "may write it (mode 0620)"));
	ck_assert_int_eq(read_it(false, CONFIG_MODE_USER, &fault), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 65534, 65534), 0);
		ck_assert_int_eq(read_it(false, CONFIG_MODE_SYSTEM, &fault), -EPERM);
		ck_assert_ptr_nonnull(strstr(fault.text, "belongs to user 65534"));
	}
	remove_dir();
}
END_TEST

START_TEST(virtual_environment_has_a_pyvenv_cfg)
{
	struct env_fault fault;

	make_dir();
	ck_assert_int_eq(virtualenv_check(dir, &fault), -ENOENT);
	ck_assert_ptr_nonnull(strstr(fault.text, "pyvenv.cfg"));
	snprintf(path, sizeof(path), "%s/pyvenv.cfg", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(virtualenv_check(dir, &fault), -EINVAL);
	ck_assert_int_eq(rmdir(path), 0);
	write_file("home = /usr/bin\n", 16);
	ck_assert_int_eq(virtualenv_check(dir, &fault), 0);
	remove_dir();
}
END_TEST

UNIT_MAIN("env_file", lines_are_variables, comments_and_empty_lines_are_nothing,
	quotes_keep_what_they_hold,
	backslash_keeps_the_byte_behind_it_or_goes_on_in_the_next_line,
	nothing_is_expanded, fault_has_its_line,
	fault_does_not_tell_what_the_file_holds, nul_byte_is_refused,
	number_of_variables_has_a_limit,
	file_that_is_not_there_is_an_error_unless_it_may_be_missing,
	only_regular_files_are_read, size_has_a_limit,
	daemon_of_the_system_reads_none_that_others_may_write,
	virtual_environment_has_a_pyvenv_cfg)
