/* The job that a schedule submits. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "config/config_section.h"
#include "daemon/callbacks.h"
#include "daemon/job_make.h"
#include "daemon/login_env.h"
#include "daemon/schedule_look.h"

/* nobody's environment: what a login would give, in short, and what it is for */
static int put_env(struct job_spec *spec, const struct schedule *s, int64_t nominal)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	const char *name = user->user.name ? user->user.name : getenv("USER");
	const char *home = user->user.name ? user->user.home : getenv("HOME");
	char usec[24];
	int r;

	if (job_str(spec, FUNCTION))
		return 0;
	snprintf(usec, sizeof(usec), "%" PRId64, nominal);
	r = login_env_put_all(spec, name, home);
	if (r >= 0)
		r = login_env_put(spec, "REEVE_SCHEDULE", s->name);
	return r < 0 ? r : login_env_put(spec, "REEVE_SCHEDULED_USEC", usec);
}

static int make_spec(struct job_spec *ret, const struct schedules *ss,
	const struct schedule *s, int64_t nominal)
{
	int r = config_section_job(
		ret, &schedule_def(s)->job->spec, &ss->config->defaults);

	if (r < 0)
		return r;
	r = put_env(ret, s, nominal);
	if (r >= 0 && !job_spec_has(ret, JOB_FIELD_NAME))
		r = job_spec_put_text(ret, JOB_FIELD_NAME, s->name);
	if (r >= 0)
		r = job_spec_put_text(ret, JOB_FIELD_SCHEDULE, s->name);
	if (r >= 0)
		r = job_spec_put(
			ret, JOB_FIELD_SCHEDULED, (union job_value){.num = nominal});
	if (r < 0)
		job_spec_deinit(ret);
	return r;
}

int schedule_make_job(
	struct look *l, const struct schedule *s, int64_t nominal, char **ret_message)
{
	const union config_value *user = &schedule_def(s)->v[CONFIG_USER];
	uint32_t gid = user->user.name ? user->user.gid : (uint32_t)getegid();
	_cleanup_(job_spec_deinit) struct job_spec spec;
	enum job_field field;
	int r;

	*ret_message = NULL;
	job_spec_init(&spec);
	r = make_spec(&spec, l->ss, s, nominal);
	if (r < 0) {
		job_spec_init(&spec);
		return r;
	}
	/* the defaults may be others since it was added */
	r = config_schedule_check_job(
		&schedule_def(s)->job->spec, &spec, &field, ret_message);
	if (r >= 0)
		r = job_make(&l->made[l->n_made], l->ss->core, &spec, schedule_uid(s),
			gid, l->n_made - l->n_refused, ret_message);
	if (r == -EINVAL || r == -RV_ELIMIT) {
		l->made[l->n_made] = callbacks_make_refused(l->ss->core, &spec,
			schedule_uid(s), gid, *ret_message, l->n_refused);
		l->n_refused += l->made[l->n_made] != NULL;
	}
	l->n_made += l->made[l->n_made] != NULL;
	return r;
}
