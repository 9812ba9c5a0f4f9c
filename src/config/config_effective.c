#include "config/config_effective.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config_environment.h"
#include "config/config_section.h"
#include "config/config_service.h"
#include "config/config_specifiers.h"

int effective_get(struct effective *ret, const struct config *c,
	enum config_section section, const struct config_named *named)
{
	const struct job_spec *said = &named->job->spec;
	const struct environment_said own = environment_said_of(said);
	bool is_service = section == CONFIG_SECTION_SERVICE;
	int r;

	*ret = (struct effective){.config = c, .job = named->job};
	r = (is_service ? config_service_job : config_section_job)(
		&ret->spec, said, &c->defaults);
	if (r < 0) {
		job_spec_init(&ret->spec);
		return r;
	}
	ret->takes_no_slot = is_service && !job_spec_has(said, JOB_FIELD_POOL);
	if (ret->takes_no_slot) /* one of our own is in it */
		job_spec_unset(&ret->spec, JOB_FIELD_POOL);
	r = environment_put(&ret->spec, c, &own);
	ret->is_in_environment = r > 0;
	return r < 0 ? r : 0;
}

void effective_deinit(struct effective *e)
{
	job_spec_deinit(&e->spec);
}

/* of what its environment gives, the last that says so */
static const struct config_origin *environment_origin(
	const struct effective *e, enum job_field f)
{
	struct environment_lineage l;

	if (f == JOB_FIELD_ENV || !e->is_in_environment ||
		environment_field_by_key(job_field_info[f].key) < 0 ||
		environment_lineage_get(&l, e->config, job_str(&e->spec, ENVIRONMENT)) <
			0)
		return NULL;
	while (l.n > 0 && !job_spec_has(&l.v[l.n - 1]->job->spec, f))
		l.n--;
	return l.n > 0 ? &l.v[l.n - 1]->job->origin[f] : NULL;
}

const struct config_origin *effective_origin(
	const struct effective *e, enum job_field f, const char **ret_from)
{
	const struct config_origin *at;

	*ret_from = NULL;
	if (effective_is_own(e, f) || !job_spec_has(&e->spec, f))
		return &e->job->origin[f];
	at = environment_origin(e, f);
	*ret_from = at ? config_section_name[CONFIG_SECTION_ENVIRONMENT] : "defaults";
	return at ? at : &e->config->defaults_origin[f];
}

/* ---- as text --------------------------------------------------------------------------- */

int effective_format_value(
	struct buf *out, const struct job_spec *spec, enum job_field f, bool escapes)
{
	_cleanup_(buf_deinitp) struct buf value = BUF_NULL;
	bool is_number = job_type_shape(job_field_info[f].type) == JOB_SHAPE_NUM;
	int r;

	if (is_number && spec->v[f].num == JOB_NUM_UNSET)
		return 0;
	r = job_value_format(&value, f, &spec->v[f]);
	if (r < 0)
		return r;
	return escapes ? specifiers_escape(out, buf_head(&value), buf_len(&value))
		       : buf_append(out, buf_head(&value), buf_len(&value));
}

/* its text as it was written, behind what [defaults] have of a list */
static int format_raw(
	struct buf *out, const struct effective *e, enum job_field f, const char *raw)
{
	const struct job_spec *defaults = &e->config->defaults;
	int r = 0;

	if (job_type_appends(job_field_info[f].type) && !e->is_in_environment &&
		job_spec_has(defaults, f)) {
		r = effective_format_value(out, defaults, f, true);
		if (r >= 0)
			r = buf_append_byte(out, '\n');
	}
	return r < 0 ? r : buf_append_str(out, raw);
}

int effective_format(
	struct buf *out, const struct effective *e, enum job_field f, bool own)
{
	const char *raw = config_raw_get(e->job, f);

	if (f == JOB_FIELD_POOL && e->takes_no_slot)
		return 0;
	if (raw)
		return own ? buf_append_str(out, raw) : format_raw(out, e, f, raw);
	return effective_format_value(
		out, own ? &e->job->spec : &e->spec, f, config_field_has_specifiers(f));
}
