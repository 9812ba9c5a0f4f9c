#include "config.h"

#include "config/config_service.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_environment.h"
#include "config/config_hooks.h"
#include "config/config_schedule.h"
#include "config/config_section.h"
#include "config/config_specifiers.h"
#include "job/asks.h"

/* what is said of jobs and not of services, and why not */
static const struct {
	enum job_field field;
	const char *why;
} refused[] = {
	{JOB_FIELD_FUNCTION, "a service is a program, not a function of the daemon"},
	{JOB_FIELD_ARGUMENTS, "they are those of a function, which a service is not"},
	{JOB_FIELD_NAME, "the jobs of a service bear its name"},
	{JOB_FIELD_HOLD, "a service is kept down with reeve service stop"},
	{JOB_FIELD_FORCE, "a service takes no slot unless pool says so"},
	{JOB_FIELD_DELAY, "it is for single jobs, not for a service"},
	{JOB_FIELD_AT, "it is for single jobs, not for a service"},
	{JOB_FIELD_DEADLINE, "it is for single jobs, not for a service"},
	{JOB_FIELD_AFTER, "it waits for the end of jobs, which services do not have"},
	{JOB_FIELD_AFTER_ANY,
		"it waits for the end of jobs, which services do not have"},
	{JOB_FIELD_AFTER_FAILURE,
		"it waits for the end of jobs, which services do not have"},
	{JOB_FIELD_RETRIES, "of a service restart and restart-burst say that"},
	{JOB_FIELD_RETRY_DELAY, "of a service restart-delay says that"},
	{JOB_FIELD_RETRY_DELAY_MAX, "of a service restart-delay-max says that"},
	{JOB_FIELD_RETRY_FACTOR, "of a service restart-factor says that"},
	{JOB_FIELD_RETRY_JITTER, "of a service restart-jitter says that"},
	{JOB_FIELD_RETRY_ON, "of a service restart and no-restart-codes say that"},
	{JOB_FIELD_ON_REBOOT, "a service comes again, unless it was stopped"},
	{JOB_FIELD_ON_LOST, "of a service restart says that: the end is a failure"},
};

/* of the pool that it has none of */
static const enum job_field of_pool[] = {JOB_FIELD_SLOTS, JOB_FIELD_PRIORITY};

static int put_own_pool(struct job_spec *spec)
{
	char *pool = strdup(SERVICE_POOL);

	job_spec_unset(spec, JOB_FIELD_POOL);
	return pool ? job_spec_put(spec, JOB_FIELD_POOL, (union job_value){.str = pool})
		    : -ENOMEM;
}

int config_service_job(struct job_spec *ret, const struct job_spec *said,
	const struct job_spec *defaults)
{
	int r = config_section_job(ret, said, defaults);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		job_spec_unset(ret, refused[i].field);
	if (job_spec_has(said, JOB_FIELD_POOL))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(of_pool); i++)
		job_spec_unset(ret, of_pool[i]);
	r = put_own_pool(ret);
	if (r < 0)
		job_spec_deinit(ret);
	return r;
}

/* A value that is that of the field where nobody says it. To name the default pool is something
 * else: it takes slots. */
static bool is_plain(const struct job_spec *spec, enum job_field f)
{
	enum job_shape shape = job_type_shape(job_field_info[f].type);
	struct job_spec plain;

	if (!job_field_info[f].default_text || !job_spec_has(spec, f))
		return false;
	job_spec_init(&plain);
	if (shape == JOB_SHAPE_NUM)
		return spec->v[f].num == plain.v[f].num;
	return shape == JOB_SHAPE_STR && f != JOB_FIELD_POOL && plain.v[f].str &&
	       STREQ(spec->v[f].str, plain.v[f].str);
}

/* What is said as it is anyway is not: who writes a default down restarts no service by it. */
static void drop_plain(struct job_spec *spec)
{
	for (int f = 0; f < JOB_FIELD_N; f++)
		if (is_plain(spec, (enum job_field)f))
			job_spec_unset(spec, (enum job_field)f);
}

int config_service_instance(struct job_spec *ret, const struct config *c,
	const struct config_named *s, unsigned instance)
{
	_cleanup_free_ char *err = NULL;
	_cleanup_free_ void *packed = NULL;
	char buf[SPECIFIERS_BUF], number[16];
	struct environment_said own;
	struct specifiers known;
	struct job_spec said;
	unsigned at = 0;
	enum job_field f;
	size_t len;
	int r = job_spec_pack(&packed, &len, &s->job->spec);

	if (r >= 0)
		r = job_spec_unpack(&said, packed, len);
	if (r < 0)
		return r;
	snprintf(number, sizeof(number), "%u", instance);
	specifiers_of(&known, c, s, CONFIG_SERVICE_USER, buf);
	known.instance = number;
	/* it was read as of instance 0: a longer number is all that may be too much */
	r = config_raw_read(&said, s->job, &known, &at, &f, &err);
	own = environment_said_of(&said);
	if (r >= 0)
		r = config_service_job(ret, &said, &c->defaults);
	else if (r != -ENOMEM)
		r = -RV_ELIMIT;
	job_spec_deinit(&said);
	if (r < 0)
		return r;
	r = environment_put(ret, c, &own);
	if (r < 0) {
		job_spec_deinit(ret);
		return r;
	}
	drop_plain(ret);
	return 0;
}

/* Is there one of the refused fields, from *at on, which moves on? */
static int check_refused(const struct job_spec *said, unsigned *at,
	enum job_field *ret_field, char **err)
{
	while (*at < ARRAY_LEN(refused)) {
		unsigned i = (*at)++;

		*ret_field = refused[i].field;
		if (job_spec_has(said, refused[i].field))
			return config_refuse(err, refused[i].why);
	}
	return 0;
}

enum { N_OWN_CHECKS = ARRAY_LEN(of_pool) + 2 };

/* one of these: 0, -EINVAL, -ENOMEM */
static int own_check(unsigned i, const struct job_spec *said,
	const struct job_spec *spec, enum job_field *ret_field, char **err)
{
	if (i < ARRAY_LEN(of_pool)) {
		*ret_field = of_pool[i];
		return job_spec_has(said, of_pool[i]) &&
				       !job_spec_has(said, JOB_FIELD_POOL)
			       ? config_refuse(
					 err, "without pool a service takes no slot")
			       : 0;
	}
	if (i == ARRAY_LEN(of_pool)) {
		*ret_field = JOB_FIELD_STDIN;
		return strncmp(job_str(spec, STDIN), "input:", 6) == 0
			       ? config_refuse(err, "a service has no input to bring")
			       : 0;
	}
	/* [defaults] may say a function: the section has to say a program; one that says a
	 * function was told */
	*ret_field = JOB_FIELD_COMMAND;
	return job_spec_says_work(said)
		       ? 0
		       : config_refuse(err, "nothing says what to run: "
					    "command or shell-command");
}

int config_service_check_job(const struct job_spec *said, const struct job_spec *spec,
	unsigned *at, enum job_field *ret_field, char **err)
{
	static const unsigned n_own = ARRAY_LEN(refused) + N_OWN_CHECKS;
	unsigned next;
	int r;

	*err = NULL;
	r = check_refused(said, at, ret_field, err);
	while (*at < n_own && r >= 0)
		r = own_check((*at)++ - (unsigned)ARRAY_LEN(refused), said, spec,
			ret_field, err);
	if (r < 0)
		return r;
	next = *at - n_own;
	r = job_spec_check_next(spec, &next, ret_field, err);
	*at = next + n_own;
	return r;
}

typedef int (*parse_fn)(struct ready_rule *ret, const char *text, const char **ret_why);

/* "why: 'text'", and what was meant, where the word before the ':' is none */
static char *describe_rule(const char *why, const char *text)
{
	static const char *const words[] = {
		"exec", "notify", "fd", "tcp", "unix", "http", "output", "command"};
	_cleanup_free_ char *word = strndup(text, strcspn(text, ":"));
	const char *meant = word ? str_nearest(word, words, ARRAY_LEN(words)) : NULL;
	bool is_meant = meant && !STREQ(meant, word);
	char *message;

	if (asprintf(&message, "%s: %s%s%s%s", why, QUOTED(text),
		    is_meant ? ", did you mean '" : "", is_meant ? meant : "",
		    is_meant ? "'?" : "") < 0)
		return NULL;
	return message;
}

static int read_rule(struct ready_rule *ret, parse_fn parse, const char *said,
	const struct specifiers *known, char **err)
{
	_cleanup_free_ char *text = NULL, *message = NULL;
	const char *why = NULL;
	int r = said ? specifiers_expand(&text, said, known, &message) : 0;

	if (r >= 0) {
		r = parse(ret, text, &why);
		if (r == -EINVAL)
			message = describe_rule(why, text);
	}
	if (err)
		*err = TAKE_PTR(message);
	return r;
}

static int service_rule(struct ready_rule *ret, parse_fn parse, enum config_key key,
	const struct config *c, const struct config_named *s, unsigned instance,
	char **err)
{
	char buf[SPECIFIERS_BUF], number[16];
	struct specifiers known;

	snprintf(number, sizeof(number), "%u", instance);
	specifiers_of(&known, c, s, CONFIG_SERVICE_USER, buf);
	known.instance = number;
	return read_rule(ret, parse, s->v[key].text, &known, err);
}

int config_service_ready(struct ready_rule *ret, const struct config *c,
	const struct config_named *s, unsigned instance, char **err)
{
	return service_rule(ret, ready_rule_parse, CONFIG_READY, c, s, instance, err);
}

int config_service_live(struct ready_rule *ret, const struct config *c,
	const struct config_named *s, unsigned instance, char **err)
{
	return service_rule(ret, live_rule_parse, CONFIG_LIVE, c, s, instance, err);
}

/* of all instances: what a number stands in may be too long, or too large, of one */
static void check_rules(
	const struct config_look *l, enum config_key key, parse_fn parse)
{
	const struct config_origin *at = &l->s->key_origin[key];
	int64_t n = MAX(l->s->v[CONFIG_INSTANCES].num, 1);
	struct ready_rule rule;

	for (unsigned i = 0; i < n; i++) {
		_cleanup_free_ char *err = NULL;
		char text[256];
		int r = service_rule(&rule, parse, key, l->c, l->s, i, &err);

		if (r == -ENOMEM)
			l->errors->no_memory = true;
		if (r >= 0) {
			ready_rule_deinit(&rule);
			continue;
		}
		if (i == 0)
			snprintf(text, sizeof(text), "%s", err ? err : rv_strerror(r));
		else
			snprintf(text, sizeof(text), "of instance %u: %s", i,
				err ? err : rv_strerror(r));
		config_look_error(l, at, config_key_info[key].key, text);
		return;
	}
}

/* what is printed elsewhere nobody reads */
static void check_output(const struct config_look *l)
{
	const char *ready = l->s->v[CONFIG_READY].text, *output;
	struct job_spec spec;

	if (!ready || strncmp(ready, "output:", 7) != 0 ||
		config_service_job(&spec, &l->s->job->spec, &l->c->defaults) < 0)
		return;
	output = job_str(&spec, OUTPUT);
	if (STREQ(output, "null") || STREQ(output, "journal") ||
		STREQ(output, "inherit") || strncmp(output, "file:", 5) == 0)
		config_look_error(l, &l->s->key_origin[CONFIG_READY], "ready",
			"output: is for output that is kept by the daemon, not for "
			"that of the field output");
	job_spec_deinit(&spec);
}

static void check_delays(const struct config_look *l)
{
	const struct config_origin *at = &l->s->key_origin[CONFIG_RESTART_DELAY];
	const union config_value *v = l->s->v;

	if (at->file && l->s->key_origin[CONFIG_RESTART_DELAY_MAX].file &&
		v[CONFIG_RESTART_DELAY].num > v[CONFIG_RESTART_DELAY_MAX].num)
		config_look_error(
			l, at, "restart-delay", "it is longer than restart-delay-max");
}

/* as of the last instance, whose number is the longest */
static void check_hooks(const struct config_look *l)
{
	int64_t n = MAX(l->s->v[CONFIG_INSTANCES].num, 1);

	for (int i = 0; i < HOOK_N; i++) {
		_cleanup_free_ char *err = NULL;
		enum config_key key;
		int r = config_service_hook_check(
			l->c, l->s, (unsigned)n - 1, (enum service_hook)i, &key, &err);

		if (r == -ENOMEM)
			l->errors->no_memory = true;
		else if (r < 0)
			config_look_error(l, &l->s->key_origin[key],
				config_key_info[key].key, err ? err : rv_strerror(r));
	}
}

static void check_restart_at(const struct config_look *l)
{
	STRV_FOREACH(text, l->s->v[CONFIG_RESTART_AT].strv)
		if (config_look_calendar(l, CONFIG_RESTART_AT, *text, NULL))
			config_look_error(l, &l->s->key_origin[CONFIG_RESTART_AT],
				"restart-at", "after an interval: that is max-age");
}

/* told where the one stands that is too many */
static void check_instances(const struct config_look *l, int64_t *n)
{
	int64_t max = config_num(l->c, SERVICE_INSTANCES_MAX), before = *n;
	char text[128];

	*n += l->s->v[CONFIG_INSTANCES].num;
	if (*n <= max || before > max)
		return;
	snprintf(text, sizeof(text),
		"with these there are more than service-instances-max = %" PRId64, max);
	config_look_error(l, &l->s->key_origin[CONFIG_INSTANCES], "instances", text);
}

void config_check_services(struct config *c, struct config_errors *errors)
{
	const struct config_names *names = &c->named[CONFIG_SECTION_SERVICE];
	int64_t n = 0;

	for (size_t i = 0; i < names->n; i++) {
		struct config_look l = {
			c, &names->v[i], errors, CONFIG_SECTION_SERVICE};

		config_look_user(&l, CONFIG_SERVICE_USER);
		config_look_job(&l, config_service_job, config_service_check_job);
		check_delays(&l);
		check_rules(&l, CONFIG_READY, ready_rule_parse);
		check_rules(&l, CONFIG_LIVE, live_rule_parse);
		check_hooks(&l);
		check_restart_at(&l);
		check_output(&l);
		check_instances(&l, &n);
	}
}
