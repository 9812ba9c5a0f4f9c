#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/strv.h"
#include "config/config_load.h"
#include "config/config_print.h"
#include "tests/unit/config/config_test.h"

static char dir[64];
static struct config_errors errors;
static struct config *config;

static void setup(void)
{
	strcpy(dir, "/tmp/reeve-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	errors = (struct config_errors)CONFIG_ERRORS_NULL;
	config = NULL;
}

/* removes what the tests make: two levels */
static void remove_below(const char *path, bool deeper)
{
	DIR *d = opendir(path);
	struct dirent *de;

	ck_assert_ptr_nonnull(d);
	while ((de = readdir(d))) {
		char full[400];

		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, de->d_name);
		if (unlink(full) < 0 && deeper)
			remove_below(full, false);
		else if (access(full, F_OK) == 0)
			rmdir(full);
	}
	closedir(d);
	ck_assert_int_eq(rmdir(path), 0);
}

static void teardown(void)
{
	remove_below(dir, true);
	config_errors_deinit(&errors);
	config_free(config);
}

static void write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static void make_dir(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static int load(void)
{
	char vendor[100], file[100], dropin[100];
	struct config_paths paths = {
		.vendor_dir = vendor, .file = file, .dropin_dir = dropin};

	snprintf(vendor, sizeof(vendor), "%s/vendor", dir);
	snprintf(file, sizeof(file), "%s/reeve.conf", dir);
	snprintf(dropin, sizeof(dropin), "%s/reeve.conf.d", dir);
	return config_load(&config, &paths, &errors);
}

static void load_good(void)
{
	int r = load();

	if (r < 0)
		config_errors_print(&errors, stderr);
	ck_assert_int_eq(r, 0);
	ck_assert_ptr_nonnull(config);
}

static int text(const char *s)
{
	return config_load_text(&config, s, strlen(s), "f", &errors);
}

static void origin_is(const struct config_origin *at, const char *name, unsigned line)
{
	char path[200];

	ck_assert_ptr_nonnull(at->file);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	ck_assert_str_eq(at->file, path);
	ck_assert_uint_eq(at->line, line);
}

START_TEST(no_file_at_all_gives_the_defaults)
{
	load_good();
	ck_assert_int_eq(config_num(config, DURABILITY), 0);
	ck_assert_int_eq(config_num(config, SHUTDOWN), CONFIG_SHUTDOWN_TERMINATE);
	ck_assert_int_eq(config_num(config, SHUTDOWN_TIMEOUT), 60 * USEC_PER_SEC);
	ck_assert_int_eq(config_num(config, OUTPUT_TOTAL_MAX), 5LL << 30);
	ck_assert_int_eq(config_num(config, KEEP_FINISHED), 30 * 86400 * USEC_PER_SEC);
	ck_assert_int_eq(config_log_level(config), LOG_INFO);
	ck_assert_ptr_null(config_strv(config, ADMINS));
	ck_assert_ptr_null(config->origin[CONFIG_DURABILITY].file);
	ck_assert_uint_eq(config->named[CONFIG_SECTION_POOL].n, 1);
	ck_assert_str_eq(config->named[CONFIG_SECTION_POOL].v[0].name, "default");
	ck_assert_int_eq(
		config->named[CONFIG_SECTION_POOL].v[0].v[CONFIG_SLOTS].num, 0);
	ck_assert_uint_eq(config->defaults.set, 0);
}
END_TEST

START_TEST(later_files_override_and_origins_tell_which)
{
	make_dir("vendor");
	make_dir("reeve.conf.d");
	write_file("vendor/10-a.conf",
		"[reeved]\nlog-level = debug\nmin-free = 1G\nsubmit-max = 7\n");
	write_file(
		"reeve.conf", "[reeved]\nmin-free = 2G\n\n[pool default]\nslots = 3\n");
	write_file("reeve.conf.d/9.conf", "[defaults]\ntimeout = 9s\n");
	write_file("reeve.conf.d/10.conf", "[defaults]\ntimeout = 10s\n");
	load_good();
	ck_assert_int_eq(config_log_level(config), LOG_DEBUG);
	origin_is(&config->origin[CONFIG_LOG_LEVEL], "vendor/10-a.conf", 2);
	ck_assert_int_eq(config_num(config, MIN_FREE), 2LL << 30);
	origin_is(&config->origin[CONFIG_MIN_FREE], "reeve.conf", 2);
	ck_assert_int_eq(
		config->named[CONFIG_SECTION_POOL].v[0].v[CONFIG_SLOTS].num, 3);
	origin_is(&config->named[CONFIG_SECTION_POOL].v[0].key_origin[CONFIG_SLOTS],
		"reeve.conf", 5);
	/* byte order: "10.conf" is before "9.conf" */
	ck_assert_int_eq(job_num(&config->defaults, TIMEOUT), 9 * USEC_PER_SEC);
	origin_is(
		&config->defaults_origin[JOB_FIELD_TIMEOUT], "reeve.conf.d/9.conf", 2);
	ck_assert_uint_eq(strv_len(config->files), 4);
}
END_TEST

START_TEST(only_conf_files_of_a_directory_are_read)
{
	make_dir("reeve.conf.d");
	write_file("reeve.conf.d/a.conf~", "broken\n");
	write_file("reeve.conf.d/a.conf.dpkg-old", "broken\n");
	write_file("reeve.conf.d/.a.conf", "broken\n");
	write_file("reeve.conf.d/.conf", "broken\n");
	write_file("reeve.conf.d/README", "broken\n");
	write_file("reeve.conf.d/b.conf", "[reeved]\nsubmit-max = 9\n");
	load_good();
	ck_assert_uint_eq(strv_len(config->files), 1);
	ck_assert_int_eq(config_num(config, SUBMIT_MAX), 9);
}
END_TEST

START_TEST(lists_append_over_files_and_an_empty_value_resets)
{
	make_dir("reeve.conf.d");
	write_file("reeve.conf", "[reeved]\nadmins = root 1000\n[defaults]\nenv = "
				 "A=1\n  B=2\nlabel = x\n"
				 "timeout = 5\n");
	write_file("reeve.conf.d/1.conf",
		"[reeved]\nadmins = daemon\n[defaults]\nenv = C=3\nenv = D=4\nlabel =\n"
		"label = y\ntimeout =\n");
	load_good();
	ck_assert_uint_eq(strv_len(config_strv(config, ADMINS)), 3);
	ck_assert_str_eq(config_strv(config, ADMINS)[2], "daemon");
	ck_assert_uint_eq(strv_len(job_strv(&config->defaults, ENV)), 4);
	ck_assert_str_eq(job_strv(&config->defaults, ENV)[1], "B=2");
	ck_assert_str_eq(job_strv(&config->defaults, ENV)[3], "D=4");
	ck_assert_uint_eq(strv_len(job_strv(&config->defaults, LABEL)), 1);
	ck_assert_str_eq(job_strv(&config->defaults, LABEL)[0], "y");
	ck_assert(!job_spec_has(&config->defaults, JOB_FIELD_TIMEOUT));
	ck_assert_int_eq(job_num(&config->defaults, TIMEOUT), INT64_MAX);
}
END_TEST

START_TEST(empty_value_resets_a_setting_and_a_list)
{
	make_dir("reeve.conf.d");
	write_file("reeve.conf", "[reeved]\nadmins = root\nsubmit-max = 3\n");
	write_file("reeve.conf.d/1.conf", "[reeved]\nadmins =\nsubmit-max =\n");
	load_good();
	ck_assert_ptr_null(config_strv(config, ADMINS));
	ck_assert_int_eq(config_num(config, SUBMIT_MAX), 500);
}
END_TEST

START_TEST(key_twice_in_one_section_of_one_file_is_an_error)
{
	refused("[reeved]\nmin-free = 1M\n[pool p]\nslots = 1\nslots = 1\n[reeved]\n"
		"min-free = 1M\n[defaults]\ntimeout = 1\ntimeout = 2\n",
		"5: slots is given twice, first in line 4|"
		"7: min-free is given twice, first in line 2|"
		"10: timeout is given twice, first in line 9|");
}
END_TEST

START_TEST(everything_wrong_is_told_at_once_and_nothing_is_loaded)
{
	refused("[reeved]\n"
		"durabilty = full\n"
		"durability = maybe\n"
		"frobnicate = 1\n"
		"timeout = 5\n"
		"[default]\n"
		"whatever = not told\n"
		"[defaults]\n"
		"timeout = 5 parsecs\n"
		"min-free = 1\n"
		"env = NOVALUE\n"
		"[pool]\n"
		"[pool 1st]\n"
		"[pool fast]\n"
		"slots = -1\n"
		"sluts = 1\n"
		"[reeved x]\n"
		"[xyzzy]\n"
		"no equals sign\n",
		"2: unknown key 'durabilty' in [reeved], did you mean 'durability'?|"
		"3: durability: not full|normal|off: 'maybe'|"
		"4: unknown key 'frobnicate' in [reeved]|"
		"5: unknown key 'timeout' in [reeved]: it belongs in [defaults]|"
		"6: unknown section 'default', did you mean [defaults]?|"
		"9: timeout: not a duration such as 90, 5min or infinity: '5 parsecs'|"
		"10: unknown key 'min-free' in [defaults]: it belongs in [reeved]|"
		"11: env: no '=' (NAME=VALUE): 'NOVALUE'|"
		"12: [pool] needs a name: [pool NAME]|"
		"13: not the name of a pool: '1st'|"
		"15: slots: outside of 0 to 100000: '-1'|"
		"16: unknown key 'sluts' in [pool], did you mean 'slots'?|"
		"17: section [reeved] takes no name: 'x'|"
		"18: unknown section 'xyzzy'|"
		"19: no '=' in this line: 'no equals sign'|");
}
END_TEST

START_TEST(contradictions_across_keys_are_told)
{
	refused("[reeved]\nconnections-max = 10\nconnections-per-user-max = 11\n",
		"3: connections-per-user-max ('11') is more than connections-max "
		"('10')|");
	refused("[defaults]\nretry-delay = 2h\nretry-delay-max = 1h\n",
		"2: retry-delay '2h' is longer than retry-delay-max '1h'|");
	refused("[defaults]\ncommand = true\nshell-command = true\n",
		"3: 'command' and 'shell-command' cannot both be given|");
	refused("[defaults]\nshell-command = true\nfunction = sleep\n",
		"3: 'shell-command' and 'function' cannot both be given|");
	refused("[defaults]\narguments = {}\n",
		"2: 'arguments' are only for a function|");
	refused("[defaults]\nfunction = nosuch\n",
		"2: function: there is no function 'nosuch'|");
	refused("[defaults]\nfunction = file.hush\n",
		"2: function: there is no function 'file.hush', did you mean "
		"'file.hash'?|");
	refused("[defaults]\npool = slow\n", "2: pool: there is no [pool slow]|");
	refused("[reeved]\noutput-total-max = 1M\n[defaults]\noutput-max = 2M\n",
		"4: output-max of one run is more than output-total-max|");
}
END_TEST

START_TEST(all_contradictions_are_told_at_once)
{
	refused("[defaults]\nstdin = rel\ncwd = rel\nshell = rel\nsplit-output = yes\n"
		"output = file:/x\nretry-delay = 2h\nretry-delay-max = 1h\n"
		"shell-command = x\nfunction = y\npool = slow\n",
		"2: stdin is not an absolute path: 'rel'|"
		"3: cwd is not an absolute path: 'rel'|"
		"4: shell is not an absolute path: 'rel'|"
		"5: split-output needs two files, output names one: 'file:/x'|"
		"7: retry-delay '2h' is longer than retry-delay-max '1h'|"
		"10: 'shell-command' and 'function' cannot both be given|"
		"10: function: there is no function 'y'|"
		"11: pool: there is no [pool slow]|");
}
END_TEST

START_TEST(part_that_was_not_given_follows_its_whole)
{
	ck_assert_int_eq(text("[reeved]\nconnections-max = 10\njobs-max = 5\n"), 0);
	ck_assert_int_eq(config_num(config, CONNECTIONS_PER_USER_MAX), 10);
	ck_assert_int_eq(config_num(config, JOBS_PER_USER_MAX), 5);
}
END_TEST

START_TEST(commands_keep_every_byte)
{
	ck_assert_int_eq(
		text("[defaults]\nshell-command = a ; b # c: d = \"e\" 100% ;\n"), 0);
	ck_assert_str_eq(job_str(&config->defaults, SHELL_COMMAND),
		"a ; b # c: d = \"e\" 100% ;");
}
END_TEST

START_TEST(command_of_hundred_kibibytes_is_kept)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *s = NULL;

	ck_assert_int_eq(buf_append_str(&b, "[defaults]\ncommand = echo '"), 0);
	for (int i = 0; i < 100 * 1024; i++)
		ck_assert_int_eq(buf_append_byte(&b, "a ;#:="[i % 6]), 0);
	ck_assert_int_eq(buf_append_str(&b, "'\n  second third\n"), 0);
	s = buf_steal_str(&b, NULL);
	ck_assert_int_eq(text(s), 0);
	ck_assert_uint_eq(strv_len(job_strv(&config->defaults, COMMAND)), 4);
	ck_assert_uint_eq(strlen(job_strv(&config->defaults, COMMAND)[1]), 100 * 1024);
	ck_assert_str_eq(job_strv(&config->defaults, COMMAND)[3], "third");
}
END_TEST

START_TEST(unknown_specifier_in_command_suggests_two_percent_signs)
{
	refused("[defaults]\ncommand = date +%F\n",
		"2: command: unknown specifier '%F': a percent sign is written %%|");
	refused("[defaults]\ncommand = x %\n",
		"2: command: unknown specifier '%': a percent sign is written %%|");
	ck_assert_int_eq(text("[defaults]\ncommand = date +%%F 100%%\n"), 0);
	ck_assert_str_eq(job_strv(&config->defaults, COMMAND)[1], "+%F");
	ck_assert_str_eq(job_strv(&config->defaults, COMMAND)[2], "100%");
}
END_TEST

START_TEST(users_are_names_or_numbers)
{
	ck_assert_int_eq(text("[reeved]\nadmins = root, 0 daemon\n"), 0);
	ck_assert_uint_eq(strv_len(config_strv(config, ADMINS)), 3);
	config = config_free(config);
	refused("[reeved]\nadmins = root 4294967295\n",
		"2: admins: not a user's name or number: '4294967295'|");
	refused("[reeved]\nadmins = a/b\n",
		"2: admins: not a user's name or number: 'a/b'|");
	refused("[reeved]\nadmins = root\nadmins = no-such-user-here\n",
		"3: admins: there is no user 'no-such-user-here'|");
	refused("[reeved]\nadmins = no-such-user root, nobody-so-called a/b "
		"4294967295\n",
		"2: admins: not a user's name or number: 'a/b', '4294967295'; "
		"there is no user 'no-such-user', 'nobody-so-called'|");
}
END_TEST

START_TEST(more_pools_than_allowed_are_refused)
{
	_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
	_cleanup_free_ char *s = NULL;

	/* with `default`, which is always there, at the maximum */
	for (int i = 1; i < 1000; i++)
		ck_assert_int_eq(buf_printf(&b, "[pool p%d]\nslots = %d\n", i, i), 0);
	ck_assert_int_eq(buf_append_byte(&b, '\0'), 0);
	ck_assert_int_eq(text(buf_head(&b)), 0);
	ck_assert_uint_eq(config->named[CONFIG_SECTION_POOL].n, 1000);
	ck_assert_int_eq(
		config_find(config, CONFIG_SECTION_POOL, "p77")->v[CONFIG_SLOTS].num,
		77);
	ck_assert_ptr_null(config_find(config, CONFIG_SECTION_POOL, "p1000"));
	config = config_free(config);
	b.end--;
	ck_assert_int_eq(buf_append_str(&b, "[pool q]\nslots = x\n"), 0);
	s = buf_steal_str(&b, NULL);
	refused(s, "1999: more than 1000 pools: 'q'|");
}
END_TEST

START_TEST(required_file_that_is_missing_is_told)
{
	_cleanup_(config_paths_deinitp) struct config_paths paths = {0};

	ck_assert_int_eq(config_paths_single(&paths, "/nonexistent/reeve.conf"), 0);
	ck_assert_int_eq(config_load(&config, &paths, &errors), -EINVAL);
	ck_assert_uint_eq(errors.n, 1);
	ck_assert_str_eq(errors.v[0].file, "/nonexistent/reeve.conf");
	ck_assert_ptr_nonnull(strstr(errors.v[0].text, "cannot be read"));
}
END_TEST

START_TEST(what_is_no_regular_file_is_told_and_never_hangs)
{
	char path[200];

	make_dir("reeve.conf.d");
	make_dir("reeve.conf.d/d.conf");
	snprintf(path, sizeof(path), "%s/reeve.conf", dir);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_uint_eq(errors.n, 2);
	ck_assert_str_eq(errors.v[0].text, "not a regular file");
	ck_assert_ptr_nonnull(strstr(errors.v[1].text, "cannot be read"));
}
END_TEST

START_TEST(link_to_dev_null_is_an_empty_file)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/reeve.conf", dir);
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	load_good();
	ck_assert_uint_eq(strv_len(config->files), 1);
}
END_TEST

START_TEST(file_over_the_limit_is_refused)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/reeve.conf", dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, 17 << 20), 0);
	close(fd);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_str_eq(errors.v[0].text, "larger than 16 MiB");
}
END_TEST

START_TEST(user_paths_follow_the_environment)
{
	struct config_paths p = {0};

	ck_assert_int_eq(config_paths_user(&p, "/x", "/home/u"), 0);
	ck_assert_str_eq(p.file, "/x/reeve/reeve.conf");
	ck_assert_str_eq(p.dropin_dir, "/x/reeve/reeve.conf.d");
	ck_assert_ptr_null(p.vendor_dir);
	config_paths_deinit(&p);
	ck_assert_int_eq(config_paths_user(&p, "relative", "/home/u"), 0);
	ck_assert_str_eq(p.file, "/home/u/.config/reeve/reeve.conf");
	config_paths_deinit(&p);
	ck_assert_int_eq(config_paths_user(&p, NULL, NULL), 0);
	ck_assert_ptr_null(p.file);
	ck_assert_int_eq(config_paths_system(&p), 0);
	ck_assert_ptr_nonnull(strstr(p.file, "/reeve/reeve.conf"));
	ck_assert_ptr_nonnull(strstr(p.vendor_dir, "/reeve.conf.d"));
	config_paths_deinit(&p);
}
END_TEST

/* prints config; the caller's */
static char *printed(bool only_changed)
{
	char *out = NULL;
	size_t n;
	FILE *f = open_memstream(&out, &n);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(config_print(f, config, only_changed, NULL), 0);
	ck_assert_int_eq(fclose(f), 0);
	return out;
}

START_TEST(printed_configuration_reads_back_the_same)
{
	_cleanup_free_ char *first = NULL, *second = NULL, *changed = NULL;

	ck_assert_int_eq(
		text("[reeved]\nadmins = root 7\nshutdown = drain\n[pool p]\nslots = "
		     "2\n"
		     "[defaults]\ncommand = date +%%F 'a b'\nenv = A=1\n  \"B=x\\ny\"\n"
		     "  \"C=blank \"\n"
		     "rlimits = core=0\numask = 027\nkill-signal = INT\npool = p\n"),
		0);
	first = printed(false);
	changed = printed(true);
	config = config_free(config);
	ck_assert_msg(text(first) == 0, "%s", first);
	ck_assert_str_eq(job_strv(&config->defaults, COMMAND)[1], "+%F");
	ck_assert_str_eq(job_strv(&config->defaults, ENV)[1], "B=x\ny");
	ck_assert_str_eq(job_strv(&config->defaults, ENV)[2], "C=blank ");
	config = config_free(config);
	ck_assert_msg(text(changed) == 0, "%s", changed);
	ck_assert_int_eq(config_num(config, SHUTDOWN), CONFIG_SHUTDOWN_DRAIN);
	ck_assert_int_eq(
		config_find(config, CONFIG_SECTION_POOL, "p")->v[CONFIG_SLOTS].num, 2);
	ck_assert_int_eq(job_num(&config->defaults, UMASK), 027);
	ck_assert_ptr_null(config->origin[CONFIG_DURABILITY].file);
	/* and once more: origins aside nothing moves any more */
	second = printed(true);
	ck_assert_ptr_nonnull(strstr(second, "shutdown = drain\n"));
	ck_assert_ptr_nonnull(strstr(second, "\n\t\"B=x\\ny\"\n"));
	ck_assert_ptr_null(strstr(second, "durability"));
}
END_TEST

START_TEST(printed_script_keeps_its_indentation)
{
	_cleanup_free_ char *out = NULL;
	static const char script[] = "if a\n\tb ; # c\n\nfi";

	ck_assert_int_eq(
		text("[defaults]\nshell-command =\n  if a\n  \tb ; # c\n\n  fi\n"), 0);
	ck_assert_str_eq(job_str(&config->defaults, SHELL_COMMAND), script);
	out = printed(true);
	config = config_free(config);
	ck_assert_int_eq(text(out), 0);
	ck_assert_str_eq(job_str(&config->defaults, SHELL_COMMAND), script);
}
END_TEST

START_TEST(check_says_what_was_read_or_all_that_is_wrong)
{
	_cleanup_(config_paths_deinitp) struct config_paths paths = {0};
	_cleanup_free_ char *out = NULL, *err = NULL;
	char path[200], want[500];
	size_t n;
	FILE *o = open_memstream(&out, &n), *e = open_memstream(&err, &n);

	snprintf(path, sizeof(path), "%s/reeve.conf", dir);
	ck_assert_int_eq(config_paths_single(&paths, path), 0);
	write_file("reeve.conf", "[reeved]\n");
	ck_assert_int_eq(config_check_print(o, e, &paths), 0);
	fflush(o);
	snprintf(want, sizeof(want), "%s\n1 file read, no error\n", path);
	ck_assert_str_eq(out, want);
	write_file("reeve.conf", "[reeved]\nfoo = 1\nbar\n");
	ck_assert_int_eq(config_check_print(o, e, &paths), -EINVAL);
	fclose(o);
	fclose(e);
	ck_assert_str_eq(out, want);
	snprintf(want, sizeof(want),
		"%s:2: unknown key 'foo' in [reeved]\n"
		"%s:3: no '=' in this line: 'bar'\n"
		"2 errors in the configuration\n",
		path, path);
	ck_assert_str_eq(err, want);
}
END_TEST

START_TEST(every_default_of_the_tables_is_in_its_range)
{
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		const char *def = config_key_info[k].default_text;
		_cleanup_(buf_deinitp) struct buf b = BUF_NULL;
		_cleanup_free_ char *back = NULL;
		union config_value v, w;

		if (!def)
			continue;
		ck_assert_int_eq(
			config_value_parse(&v, (enum config_key)k, def, NULL), 0);
		ck_assert_int_eq(config_value_format(&b, (enum config_key)k, &v), 0);
		back = buf_steal_str(&b, NULL);
		ck_assert_int_eq(
			config_value_parse(&w, (enum config_key)k, back, NULL), 0);
		ck_assert(config_value_equal(&v, &w, (enum config_key)k));
		config_value_free(&v, (enum config_key)k);
		config_value_free(&w, (enum config_key)k);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config_load");
	TCase *tc = tcase_create("config_load");
	SRunner *sr;
	int n;

	tcase_add_checked_fixture(tc, setup, teardown);
	/* sanitizers on a loaded machine; nothing waits for this to pass */
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, no_file_at_all_gives_the_defaults);
	tcase_add_test(tc, later_files_override_and_origins_tell_which);
	tcase_add_test(tc, only_conf_files_of_a_directory_are_read);
	tcase_add_test(tc, lists_append_over_files_and_an_empty_value_resets);
	tcase_add_test(tc, empty_value_resets_a_setting_and_a_list);
	tcase_add_test(tc, key_twice_in_one_section_of_one_file_is_an_error);
	tcase_add_test(tc, everything_wrong_is_told_at_once_and_nothing_is_loaded);
	tcase_add_test(tc, contradictions_across_keys_are_told);
	tcase_add_test(tc, all_contradictions_are_told_at_once);
	tcase_add_test(tc, part_that_was_not_given_follows_its_whole);
	tcase_add_test(tc, commands_keep_every_byte);
	tcase_add_test(tc, command_of_hundred_kibibytes_is_kept);
	tcase_add_test(tc, unknown_specifier_in_command_suggests_two_percent_signs);
	tcase_add_test(tc, users_are_names_or_numbers);
	tcase_add_test(tc, more_pools_than_allowed_are_refused);
	tcase_add_test(tc, required_file_that_is_missing_is_told);
	tcase_add_test(tc, what_is_no_regular_file_is_told_and_never_hangs);
	tcase_add_test(tc, link_to_dev_null_is_an_empty_file);
	tcase_add_test(tc, file_over_the_limit_is_refused);
	tcase_add_test(tc, user_paths_follow_the_environment);
	tcase_add_test(tc, printed_configuration_reads_back_the_same);
	tcase_add_test(tc, printed_script_keeps_its_indentation);
	tcase_add_test(tc, check_says_what_was_read_or_all_that_is_wrong);
	tcase_add_test(tc, every_default_of_the_tables_is_in_its_range);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	n = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n ? EXIT_FAILURE : EXIT_SUCCESS;
}
