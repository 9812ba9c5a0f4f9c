/* Values by their names, and a text in the place of a file. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/strv.h"
#include "config/config_get.h"
#include "config/config_load.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

static void place_is(
	const char *text, const char *section, const char *argument, const char *key)
{
	_cleanup_free_ char *name = strdup(text);
	struct config_place at;

	ck_assert_int_eq(config_place_parse(&at, name), 0);
	ck_assert_str_eq(at.section, section);
	ck_assert_pstr_eq(at.argument, argument);
	ck_assert_str_eq(at.key, key);
}

START_TEST(name_is_taken_apart)
{
	static const char *const bad[] = {"", "a", ".", "a.", ".b", "..", "a..b",
		"pool .b", "a b", " a.b", "a .b"};

	place_is("reeved.log-level", "reeved", NULL, "log-level");
	place_is("pool.gpu.slots", "pool", "gpu", "slots");
	place_is("pool gpu.slots", "pool", "gpu", "slots");
	place_is("pool.a.b.c.slots", "pool", "a.b.c", "slots");
	place_is("pool  a.b.slots", "pool", "a.b", "slots");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		_cleanup_free_ char *name = strdup(bad[i]);
		struct config_place at;

		ck_assert_msg(config_place_parse(&at, name) == -EINVAL, "'%s'", bad[i]);
	}
}
END_TEST

static void get_is(const struct config *c, const char *text, int want_r,
	const char *want, unsigned line)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	_cleanup_free_ char *name = strdup(text);
	const struct config_origin *at;
	struct config_place place;

	ck_assert_int_eq(config_place_parse(&place, name), 0);
	ck_assert_int_eq(config_get(&value, &at, c, &place), want_r);
	if (want_r < 0)
		return;
	ck_assert_int_eq(buf_append_byte(&value, '\0'), 0);
	ck_assert_str_eq(buf_head(&value), want);
	ck_assert_uint_eq(at->line, line);
	ck_assert_int_eq(!at->file, line == 0);
}

static const char example[] = "[reeved]\njobs-max = 7\n[defaults]\nenv = A=1\n  B=2\n"
			      "command = a %% b\n[pool p.q]\nslots = 3\n"
			      "[schedule s]\nwhen = @daily\ncommand = true\n"
			      "[service v]\ncommand = b\nstop-timeout = 3s\n";

START_TEST(values_of_each_kind_of_section)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;

	ck_assert_int_eq(
		config_load_text(&c, example, sizeof(example) - 1, "f", &errors), 0);
	get_is(c, "reeved.jobs-max", 0, "7", 2);
	get_is(c, "reeved.durability", 0, "full", 0);
	get_is(c, "defaults.env", 0, "A=1\nB=2", 4);
	get_is(c, "defaults.command", 0, "a %% b", 6);
	get_is(c, "defaults.name", 0, "", 0);
	get_is(c, "pool.p.q.slots", 0, "3", 8);
	get_is(c, "pool.default.slots", 0, "0", 0);
	get_is(c, "schedule.s.when", 0, "@daily", 10);
	get_is(c, "schedule.s.command", 0, "true", 11);
	get_is(c, "service.v.stop-timeout", 0, "3s", 14);
	get_is(c, "service.v.kill-grace", 0, "3s", 14);
	get_is(c, "service.v.restart", 0, "always", 0);
	get_is(c, "schedule.s.stop-timeout", -ENOENT, NULL, 0);
	get_is(c, "pool.none.slots", -ESRCH, NULL, 0);
	get_is(c, "pool.slots", -ESRCH, NULL, 0);
	get_is(c, "pool.default.colour", -ENOENT, NULL, 0);
	get_is(c, "pool.default.command", -ENOENT, NULL, 0);
	get_is(c, "reeved.x.jobs-max", -ENOENT, NULL, 0);
	get_is(c, "reeved.slots", -ENOENT, NULL, 0);
	get_is(c, "defaults.jobs-max", -ENOENT, NULL, 0);
	get_is(c, "nonsense.a", -ENOENT, NULL, 0);
}
END_TEST

static const char layers[] =
	"[defaults]\nkill-grace = 3s\nenv = A=1%\nlabel = all\ncwd = /d\nretries = 4\n"
	"pool = low\n[pool low]\n"
	"[environment e]\ncwd = /e\nnice = 5\numask = 027\nenv = E=1\n"
	"[environment f]\ninherit = e\nnice = 6\n"
	"[service x]\ncommand = true\nenv = B=%n\n  C=3\nlabel = own\n"
	"[service y]\ncommand = true\nenvironment = f\nenv = D=4\nkill-grace =\n"
	"umask = 022\n"
	"[schedule s]\nwhen = daily\ncommand = true\n";

START_TEST(what_others_give_a_job_is_told_with_their_place)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;

	ck_assert_int_eq(
		config_load_text(&c, layers, sizeof(layers) - 1, "f", &errors), 0);
	get_is(c, "service.x.kill-grace", 0, "3s", 2);
	get_is(c, "service.x.stop-timeout", 0, "3s", 2);
	/* as the section would say it */
	get_is(c, "service.x.env", 0, "A=1%%\nB=%n\nC=3", 19);
	get_is(c, "service.x.label", 0, "all own", 21);
	get_is(c, "service.x.cwd", 0, "/d", 5);
	/* what it takes from there, and what it does not */
	get_is(c, "service.x.retries", 0, "0", 0);
	get_is(c, "service.x.pool", 0, "", 0);
	get_is(c, "schedule.s.retries", 0, "4", 6);
	get_is(c, "schedule.s.pool", 0, "low", 7);
	/* an environment is over [defaults], and its variables are told of it */
	get_is(c, "service.y.cwd", 0, "/e", 10);
	get_is(c, "service.y.nice", 0, "6", 16);
	get_is(c, "service.y.umask", 0, "0022", 27);
	get_is(c, "service.y.env", 0, "D=4", 25);
	/* taken back, and so as [defaults] have it */
	get_is(c, "service.y.kill-grace", 0, "3s", 2);
	/* numbers that nobody says */
	get_is(c, "service.x.umask", 0, "", 0);
	get_is(c, "service.x.nice", 0, "", 0);
	get_is(c, "defaults.umask", 0, "", 0);
	get_is(c, "defaults.nice", 0, "", 0);
	get_is(c, "environment.f.umask", 0, "", 0);
}
END_TEST

static int count_item(const struct config_item *item, void *arg)
{
	size_t *n = arg;

	n[item->place.key ? item->origin->file ? 0 : 1 : 2]++;
	ck_assert_int_eq(!item->value, !item->place.key);
	return 0;
}

static int stop_at_once(const struct config_item *item, void *arg)
{
	return -EXDEV;
}

START_TEST(walk_meets_every_value_once)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;
	size_t n[3] = {0};

	ck_assert_int_eq(
		config_load_text(&c, example, sizeof(example) - 1, "f", &errors), 0);
	ck_assert_int_eq(config_each(c, count_item, n), 0);
	ck_assert_uint_eq(n[0], 10); /* env of [defaults] is of the two others, too */
	ck_assert_uint_gt(n[1], 40);
	ck_assert_uint_eq(
		n[2], 6); /* reeved, defaults, two pools, a schedule, a service */
	ck_assert_int_eq(config_each(c, stop_at_once, NULL), -EXDEV);
}
END_TEST

/* ---- among the files --------------------------------------------------------------------- */

static void put(const struct temp_dir *d, const char *name, const char *text)
{
	ck_assert_int_eq(file_write_atomic(d->fd, name, text, strlen(text), 0600), 0);
}

static struct config_paths paths_of(const struct temp_dir *d)
{
	struct config_paths p = {0};

	ck_assert_int_eq(mkdirat(d->fd, "reeve", 0700), 0);
	ck_assert_int_eq(mkdirat(d->fd, "reeve/reeve.conf.d", 0700), 0);
	ck_assert_int_eq(symlinkat("reeve", d->fd, "other"), 0);
	ck_assert_int_eq(config_paths_user(&p, d->path, NULL), 0);
	return p;
}

static void place_of_is(const struct config_paths *p, const struct temp_dir *d,
	const char *name, const char *want)
{
	_cleanup_free_ char *path = NULL;

	ck_assert_int_eq(config_paths_place(&path, p, name), want ? 0 : -ENOENT);
	ck_assert_int_eq(!path, !want);
	if (!want)
		return;
	ck_assert_int_eq(strncmp(path, d->path, strlen(d->path)), 0);
	ck_assert_str_eq(path + strlen(d->path), want);
}

START_TEST(place_of_a_file_among_those_that_are_read)
{
	TEMP_DIR(d);
	_cleanup_(config_paths_deinitp) struct config_paths p = paths_of(&d);
	char name[160];

	place_of_is(&p, &d, "a.conf", "/reeve/reeve.conf.d/a.conf");
	place_of_is(&p, &d, "a.conf~", NULL);
	place_of_is(&p, &d, ".a.conf", NULL);
	place_of_is(&p, &d, "/tmp/a.conf", NULL);
	snprintf(name, sizeof(name), "%s/other/reeve.conf", d.path);
	place_of_is(&p, &d, name, "/reeve/reeve.conf");
	snprintf(name, sizeof(name), "%s/other/reeve.conf.d/b.conf", d.path);
	place_of_is(&p, &d, name, "/reeve/reeve.conf.d/b.conf");
	snprintf(name, sizeof(name), "%s/reeve/other.conf", d.path);
	place_of_is(&p, &d, name, NULL);
	ck_assert_int_eq(chdir(d.path), 0);
	place_of_is(&p, &d, "reeve/reeve.conf", "/reeve/reeve.conf");
	place_of_is(&p, &d, "reeve/reeve.conf.d/", NULL);
}
END_TEST

static void jobs_max_is(struct config_paths *p, const char *want, size_t n_files)
{
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;

	ck_assert_int_eq(config_load(&c, p, &errors), 0);
	ck_assert_uint_eq(strv_len(c->files), n_files);
	get_is(c, "reeved.jobs-max", 0, want, 2);
}

START_TEST(text_is_read_in_the_place_of_a_file)
{
	TEMP_DIR(d);
	_cleanup_(config_paths_deinitp) struct config_paths p = paths_of(&d);
	static const char text[] = "[reeved]\njobs-max = 9\n";
	struct config_instead instead = {.text = text, .n = strlen(text)};
	_cleanup_free_ char *at = NULL, *before = NULL, *gone = NULL;

	put(&d, "reeve/reeve.conf", "[reeved]\njobs-max = 1\n");
	put(&d, "reeve/reeve.conf.d/50.conf", "[reeved]\njobs-max = 5\n");
	jobs_max_is(&p, "5", 2);
	p.instead = &instead;
	/* of one that is there */
	ck_assert_int_eq(config_paths_place(&at, &p, "50.conf"), 0);
	instead.path = at;
	jobs_max_is(&p, "9", 2);
	/* of none, in the order of the names */
	ck_assert_int_eq(config_paths_place(&before, &p, "40.conf"), 0);
	instead.path = before;
	jobs_max_is(&p, "5", 3);
	/* where there is not even a directory */
	ck_assert_int_eq(unlinkat(d.fd, "reeve/reeve.conf.d/50.conf", 0), 0);
	ck_assert_int_eq(unlinkat(d.fd, "reeve/reeve.conf.d", AT_REMOVEDIR), 0);
	ck_assert_int_eq(config_paths_place(&gone, &p, "60.conf"), 0);
	instead.path = gone;
	jobs_max_is(&p, "9", 2);
}
END_TEST

/* 0, or the one message about the file */
static void system_file_is(const struct temp_dir *d, mode_t mode, const char *want)
{
	_cleanup_(config_paths_deinitp) struct config_paths p = {0};
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *c = NULL;
	char path[160];

	snprintf(path, sizeof(path), "%s/f.conf", d->path);
	ck_assert_int_eq(chmod(path, mode), 0);
	ck_assert_int_eq(config_paths_single(&p, path), 0);
	/* whoever may write one's own is one's own business */
	p.mode = CONFIG_MODE_USER;
	ck_assert_int_eq(config_load(&c, &p, &errors), 0);
	c = config_free(c);
	p.mode = CONFIG_MODE_SYSTEM;
	ck_assert_int_eq(config_load(&c, &p, &errors), want ? -EINVAL : 0);
	ck_assert_uint_eq(errors.n, want ? 1 : 0);
	if (want)
		ck_assert_str_eq(errors.v[0].text, want);
}

START_TEST(system_reads_no_file_that_others_may_write)
{
	TEMP_DIR(d);

	put(&d, "f.conf", "[reeved]\njobs-max = 1\n");
	system_file_is(&d, 0644, NULL);
	system_file_is(&d, 0600, NULL);
	system_file_is(&d, 0664, "others than its owner may write it (mode 0664)");
	system_file_is(&d, 0646, "others than its owner may write it (mode 0646)");
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(fchownat(d.fd, "f.conf", 77, 0, 0), 0);
	system_file_is(&d, 0644, "it belongs to user 77: only root's are read");
}
END_TEST

UNIT_MAIN("config_get", name_is_taken_apart, values_of_each_kind_of_section,
	what_others_give_a_job_is_told_with_their_place, walk_meets_every_value_once,
	place_of_a_file_among_those_that_are_read, text_is_read_in_the_place_of_a_file,
	system_reads_no_file_that_others_may_write)
