/*
 * The commented reeve.conf, its manual page and the tables say the same: every key of
 * fields.def and config_keys.def stands in both, in its section, once, with its
 * default.
 */
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/strv.h"
#include "config/config_load.h"
#include "config/config_print.h"
#include "tests/support/unit.h"

/* a file of the source tree; the caller's */
static char *read_source(const char *name)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL, text = BUF_NULL;
	const char *srcdir = getenv("srcdir");
	char *s;

	ck_assert_int_eq(buf_printf(&path, "%s/%s", srcdir ? srcdir : ".", name), 0);
	ck_assert_int_eq(buf_append_byte(&path, '\0'), 0);
	ck_assert_msg(file_read(&text, AT_FDCWD, buf_head(&path), 1 << 20) >= 0, "%s",
		buf_head(&path));
	s = buf_steal_str(&text, NULL);
	ck_assert_ptr_nonnull(s);
	return s;
}

/* from the line that is head to the next line that begins like mark; the caller's */
static char *part(const char *text, const char *head, const char *mark)
{
	const char *p = strstr(text, head), *end;

	ck_assert_msg(p && (p == text || p[-1] == '\n'), "no line '%s'", head);
	p += strlen(head);
	end = strstr(p, mark);
	return end ? strndup(p, (size_t)(end - p)) : strdup(p);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

/* exactly one place in text holds all of these, one behind the other */
static void holds_once(const char *text, const char *a, const char *b, const char *c,
	const char *d, const char *e)
{
	_cleanup_(buf_deinitp) struct buf want = BUF_NULL;

	ck_assert_int_eq(buf_printf(&want, "%s%s%s%s%s", a, b, c, d, e), 0);
	ck_assert_int_eq(buf_append_byte(&want, '\0'), 0);
	ck_assert_msg(count(text, buf_head(&want)) == 1, "not there once: %s",
		buf_head(&want));
}

static void conf_has(const char *section, const char *key, const char *def)
{
	holds_once(section, "\n#", key, def ? " = " : " =", def ? def : "", "\n");
}

static void manual_has(
	const char *section, const char *key, const char *metavar, const char *def)
{
	_cleanup_(buf_deinitp) struct buf item = BUF_NULL;

	ck_assert_int_eq(buf_printf(&item, "\n.It Cm %s = Ar %s\n", key,
				 metavar ? metavar : "yes|no"),
		0);
	ck_assert_int_eq(buf_append_byte(&item, '\0'), 0);
	holds_once(section, buf_head(&item),
		def ? ".Pq default: " : ".Pq unset by default", def ? def : "", "\n",
		"");
}

static size_t n_keys(enum config_section section)
{
	size_t n = 0;

	for (int k = 0; k < CONFIG_KEY_N; k++)
		n += config_key_info[k].section == section;
	return n;
}

/* of jobs, that files may give */
static size_t n_fields(void)
{
	size_t n = 0;

	for (int f = 0; f < JOB_FIELD_N; f++)
		n += !job_field_is_ours((enum job_field)f);
	return n;
}

/* commented out as a whole: it needs values */
#define SCHEDULE_HEAD    "#[schedule nightly]\n"
#define SERVICE_HEAD     "#[service web]\n"
#define GROUP_HEAD       "#[group app]\n"
#define ENVIRONMENT_HEAD "#[environment project]\n"

START_TEST(every_key_is_in_the_commented_file_with_its_default)
{
	_cleanup_free_ char *text = read_source("conf/reeve.conf");
	_cleanup_free_ char *reeved = part(text, "[reeved]\n", "\n[");
	_cleanup_free_ char *pool = part(text, "[pool default]\n", "\n[");
	_cleanup_free_ char *resource = part(text, "[resource tape]\n", "\n[");
	_cleanup_free_ char *schedule = part(text, SCHEDULE_HEAD, "\n" SERVICE_HEAD);
	_cleanup_free_ char *service = part(text, SERVICE_HEAD, "\n" GROUP_HEAD);
	_cleanup_free_ char *group = part(text, GROUP_HEAD, "\n" ENVIRONMENT_HEAD);
	_cleanup_free_ char *environment = part(text, ENVIRONMENT_HEAD, "\n[");
	const char *const sections[] = {
		reeved, pool, resource, schedule, service, group, environment};
	_cleanup_free_ char *defaults = part(text, "[defaults]\n", "\n" SCHEDULE_HEAD);
	size_t n = 0;

	for (int k = 0; k < CONFIG_KEY_N; k++)
		conf_has(sections[config_key_info[k].section], config_key_info[k].key,
			config_key_info[k].default_text);
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (!job_field_is_ours((enum job_field)f))
			conf_has(defaults, job_field_info[f].key,
				job_field_info[f].default_text);
	/* and nothing else: keys that were removed from the tables */
	for (const char *p = text; (p = strstr(p, "\n#")); p++)
		n += p[2] >= 'a' && p[2] <= 'z';
	ck_assert_uint_eq(n, CONFIG_KEY_N + n_fields());
}
END_TEST

/* All keys given, each as its default: what comes out must be what no file gives. */
START_TEST(commented_file_loads_as_it_is_and_with_every_key_given)
{
	_cleanup_free_ char *text = read_source("conf/reeve.conf");
	_cleanup_(config_errors_deinitp) struct config_errors errors =
		CONFIG_ERRORS_NULL;
	_cleanup_(config_freep) struct config *a = NULL, *b = NULL;
	_cleanup_(buf_deinitp) struct buf bare = BUF_NULL;

	ck_assert_int_eq(config_load_text(&a, text, strlen(text), "f", &errors), 0);
	for (const char *p = text;
		*p && strncmp(p, SCHEDULE_HEAD, strlen(SCHEDULE_HEAD)); p++)
		if (!(*p == '#' && p[1] >= 'a' && p[1] <= 'z' &&
			    (p == text || p[-1] == '\n')))
			ck_assert_int_eq(buf_append_byte(&bare, *p), 0);
	if (config_load_text(&b, buf_head(&bare), buf_len(&bare), "f", &errors) < 0)
		config_errors_print(&errors, stderr);
	ck_assert_ptr_nonnull(b);
	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (!config_type_is_list(config_key_info[k].type))
			ck_assert_int_eq(a->v[k].num, b->v[k].num);
	for (int f = 0; f < JOB_FIELD_N; f++)
		ck_assert_int_eq(job_spec_has(&b->defaults, (enum job_field)f),
			job_field_info[f].default_text != NULL);
}
END_TEST

START_TEST(every_key_is_in_the_manual_with_its_default)
{
	_cleanup_free_ char *text = read_source("conf/reeve.conf.5");
	_cleanup_free_ char *reeved = part(text, ".Ss Section [reeved]\n", "\n.S");
	_cleanup_free_ char *pool = part(text, ".Ss Sections [pool NAME]\n", "\n.S");
	_cleanup_free_ char *resource =
		part(text, ".Ss Sections [resource NAME]\n", "\n.S");
	_cleanup_free_ char *schedule =
		part(text, ".Ss Sections [schedule NAME]\n", "\n.S");
	_cleanup_free_ char *service =
		part(text, ".Ss Sections [service NAME]\n", "\n.S");
	_cleanup_free_ char *group = part(text, ".Ss Sections [group NAME]\n", "\n.S");
	_cleanup_free_ char *environment =
		part(text, ".Ss Sections [environment NAME]\n", "\n.S");
	const char *const sections[] = {
		reeved, pool, resource, schedule, service, group, environment};
	_cleanup_free_ char *defaults = part(text, ".Ss Section [defaults]\n", "\n.S");

	for (int k = 0; k < CONFIG_KEY_N; k++)
		manual_has(sections[config_key_info[k].section], config_key_info[k].key,
			config_key_info[k].metavar, config_key_info[k].default_text);
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (!job_field_is_ours((enum job_field)f))
			manual_has(defaults, job_field_info[f].key,
				job_field_info[f].metavar,
				job_field_info[f].default_text);
	for (int i = 0; i < CONFIG_SECTION_N; i++)
		ck_assert_uint_eq(count(sections[i], "\n.It Cm "),
			n_keys((enum config_section)i));
	ck_assert_uint_eq(count(defaults, "\n.It Cm "), n_fields());
}
END_TEST

/* after is one of jobs and of services */
static void collect(char ***keys, const char *key)
{
	STRV_FOREACH(k, *keys)
		if (STREQ(*k, key))
			return;
	ck_assert_int_eq(strv_append(keys, key), 0);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

START_TEST(manual_names_the_keys_that_append)
{
	_cleanup_free_ char *text = read_source("conf/reeve.conf.5");
	_cleanup_(buf_deinitp) struct buf line = BUF_NULL;
	_cleanup_(strv_freep) char **keys = NULL;

	for (int k = 0; k < CONFIG_KEY_N; k++)
		if (config_type_is_list(config_key_info[k].type))
			collect(&keys, config_key_info[k].key);
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (job_type_appends(job_field_info[f].type))
			collect(&keys, job_field_info[f].key);
	qsort(keys, strv_len(keys), sizeof(*keys), compare);
	ck_assert_int_eq(buf_append_str(&line, "\nLists\n.Pq Cm"), 0);
	STRV_FOREACH(k, keys)
		ck_assert_int_eq(
			buf_printf(&line, "%s %s", k == keys ? "" : " ,", *k), 0);
	ck_assert_int_eq(buf_append_byte(&line, '\0'), 0);
	holds_once(text, buf_head(&line), "\n", "", "", "");
}
END_TEST

UNIT_MAIN("config_docs", every_key_is_in_the_commented_file_with_its_default,
	commented_file_loads_as_it_is_and_with_every_key_given,
	every_key_is_in_the_manual_with_its_default, manual_names_the_keys_that_append)
