/* '%' and a letter in sections of services and schedules. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "config/config_load.h"
#include "config/config_specifiers.h"
#include "tests/support/unit.h"

static const struct specifiers known = {.name = "web",
	.instance = "3",
	.user = "www",
	.home = "/srv/www",
	.uid = 77,
	.gid = 78,
	.mode = CONFIG_MODE_SYSTEM};

static void text_is(const struct specifiers *s, const char *text, const char *want)
{
	_cleanup_free_ char *found = NULL, *err = NULL;

	ck_assert_int_eq(specifiers_expand(&found, text, s, &err), 0);
	ck_assert_str_eq(found, want);
	ck_assert_ptr_null(err);
}

static void refused_is(const struct specifiers *s, const char *text, const char *want)
{
	_cleanup_free_ char *found = NULL, *err = NULL;

	ck_assert_int_eq(specifiers_expand(&found, text, s, &err), -EINVAL);
	ck_assert_ptr_null(found);
	ck_assert_str_eq(err, want);
}

START_TEST(each_letter_stands_for_something)
{
	struct utsname u;
	char host[256];

	text_is(&known, "", "");
	text_is(&known, "a%%b%%%%", "a%b%%");
	text_is(&known, "%n-%i %u:%U %G %h %t%T%V",
		"web-3 www:77 78 /srv/www /run/tmp/var/tmp");
	ck_assert_int_eq(uname(&u), 0);
	text_is(&known, "%v", u.release);
	text_is(&known, "%H", u.nodename);
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(u.nodename, "."), u.nodename);
	text_is(&known, "%l", host);
}
END_TEST

START_TEST(boot_id_is_one_line)
{
	_cleanup_free_ char *found = NULL, *err = NULL;

	ck_assert_int_eq(specifiers_expand(&found, "<%b>", &known, &err), 0);
	ck_assert_uint_eq(strlen(found), 38);
	ck_assert_int_eq(found[37], '>');
}
END_TEST

START_TEST(what_stands_for_nothing_is_refused)
{
	struct specifiers s = known;

	refused_is(
		&known, "50%", "unknown specifier '%': a percent sign is written %%");
	refused_is(
		&known, "+%s", "unknown specifier '%s': a percent sign is written %%");
	s.instance = NULL;
	refused_is(&s, "%i", "%i: only services have instances");
	s.home = NULL;
	refused_is(&s, "x%h", "%h: it is not known here");
	refused_is(NULL, "%n",
		"the specifier '%n' is for services and schedules: a percent sign is "
		"written %%");
	text_is(NULL, "100%%", "100%");
}
END_TEST

START_TEST(runtime_dir_of_a_user_is_that_of_the_session)
{
	struct specifiers s = known;

	s.mode = CONFIG_MODE_USER;
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	text_is(&s, "%t", "/run/user/7");
	unsetenv("XDG_RUNTIME_DIR");
	refused_is(&s, "%t", "%t: there is no runtime directory (XDG_RUNTIME_DIR)");
}
END_TEST

/* ---- in files ------------------------------------------------------------------------------ */

static struct config *load(const char *text)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	struct config *c = NULL;
	int r = config_load_text(&c, text, strlen(text), "f", &errors);

	ck_assert_msg(r == 0, "%s", errors.n ? errors.v[0].text : "");
	return c;
}

static void errors_are(const char *text, const char *want)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(buf_deinitp) struct buf found = BUF_NULL;
	struct config *c = NULL;

	ck_assert_int_eq(
		config_load_text(&c, text, strlen(text), "f", &errors), -EINVAL);
	for (size_t i = 0; i < errors.n; i++)
		ck_assert_int_eq(buf_printf(&found, "%u: %s\n", errors.v[i].line,
					 errors.v[i].text),
			0);
	ck_assert_int_eq(buf_append_byte(&found, '\0'), 0);
	ck_assert_str_eq(buf_head(&found), want);
}

static const struct config_named *service(const struct config *c, const char *name)
{
	const struct config_named *s = config_find(c, CONFIG_SECTION_SERVICE, name);

	ck_assert_ptr_nonnull(s);
	return s;
}

START_TEST(fields_of_services_and_schedules_have_them)
{
	_cleanup_(config_freep) struct config *c =
		load("[service w]\ncommand = serve %n 'a b' 50%%\ncwd = %T/%n-%i\n"
		     "env = A=%n\nenv = B=1\nenv = A=%i%%\noutput = file:%T/%n.%i.log\n"
		     "[schedule s]\nwhen = daily\ncommand = date +%%s\n"
		     "stdin = %T/%n\nshell-command = \n");
	const struct job_spec *spec = &service(c, "w")->job->spec;

	ck_assert_str_eq(job_strv(spec, COMMAND)[1], "w");
	ck_assert_str_eq(job_strv(spec, COMMAND)[2], "a b");
	ck_assert_str_eq(job_strv(spec, COMMAND)[3], "50%");
	ck_assert_str_eq(job_str(spec, CWD), "/tmp/w-0");
	ck_assert_str_eq(job_str(spec, OUTPUT), "file:/tmp/w.0.log");
	ck_assert_str_eq(job_strv(spec, ENV)[0], "A=w");
	ck_assert_str_eq(job_strv(spec, ENV)[1], "B=1");
	ck_assert_str_eq(job_strv(spec, ENV)[2], "A=0%");
	spec = &config_find(c, CONFIG_SECTION_SCHEDULE, "s")->job->spec;
	ck_assert_str_eq(job_strv(spec, COMMAND)[1], "+%s");
	ck_assert_str_eq(job_str(spec, STDIN), "/tmp/s");
}
END_TEST

START_TEST(each_instance_reads_them_for_itself)
{
	_cleanup_(config_freep) struct config *c = load(
		"[service w]\ncommand = serve --port 80%i\nenv = X=1\nenv = N=%i\n");
	struct specifiers s = known;
	struct job_spec spec;
	enum job_field f;
	unsigned at = 0;
	char *err = NULL;

	job_spec_init(&spec);
	s.instance = "7";
	ck_assert_int_eq(
		config_raw_read(&spec, service(c, "w")->job, &s, &at, &f, &err), 0);
	ck_assert_str_eq(job_strv(&spec, COMMAND)[2], "807");
	ck_assert_str_eq(job_strv(&spec, ENV)[0], "X=1");
	ck_assert_str_eq(job_strv(&spec, ENV)[1], "N=7");
	job_spec_deinit(&spec);
}
END_TEST

START_TEST(a_later_value_counts_and_an_empty_one_takes_back)
{
	_cleanup_(config_freep) struct config *c = load(
		"[service w]\ncommand = a\ncwd = %T\nenv = A=%n\nenv =\nenv = B=%n\n");
	const struct config_job *job = service(c, "w")->job;

	ck_assert_str_eq(job_strv(&job->spec, ENV)[0], "B=w");
	ck_assert_ptr_null(job_strv(&job->spec, ENV)[1]);
	ck_assert_str_eq(config_raw_get(job, JOB_FIELD_ENV), "B=%n");
	ck_assert_ptr_null(config_raw_get(job, JOB_FIELD_COMMAND));
}
END_TEST

START_TEST(errors_name_the_place)
{
	errors_are("[service w]\ncommand = a %q\n",
		"2: [service w] command: unknown specifier '%q': a percent sign is "
		"written %%\n");
	errors_are("[schedule s]\nwhen = daily\ncommand = a\n\ncwd = x/%n\n",
		"5: [schedule s] cwd: cwd is not an absolute path: 'x/s'\n");
	errors_are("[schedule s]\nwhen = daily\ncommand = a %i\n",
		"3: [schedule s] command: %i: only services have instances\n");
	errors_are("[defaults]\ncommand = a %n\n",
		"2: command: the specifier '%n' is for services and schedules: a "
		"percent sign is written %%\n");
}
END_TEST

START_TEST(another_text_with_the_same_meaning_of_instance_0_is_a_change)
{
	_cleanup_(config_freep) struct config *a = load("[service w]\ncommand = a%i\n"),
					      *b = load("[service w]\ncommand = a0\n"),
					      *same = load(
						      "[service w]\ncommand = a%i\n");

	ck_assert(!config_named_equal(
		service(a, "w"), service(b, "w"), CONFIG_SECTION_SERVICE));
	ck_assert(config_named_equal(
		service(a, "w"), service(same, "w"), CONFIG_SECTION_SERVICE));
}
END_TEST

UNIT_MAIN("config_specifiers", each_letter_stands_for_something, boot_id_is_one_line,
	what_stands_for_nothing_is_refused,
	runtime_dir_of_a_user_is_that_of_the_session,
	fields_of_services_and_schedules_have_them, each_instance_reads_them_for_itself,
	a_later_value_counts_and_an_empty_one_takes_back, errors_name_the_place,
	another_text_with_the_same_meaning_of_instance_0_is_a_change)
