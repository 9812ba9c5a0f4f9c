/* Properties that change while the run goes on; see supervisor.h. */
#include "config.h"

#include "base/clock.h"
#include "daemon/core.h"
#include "daemon/run.h"
#include "daemon/supervisor.h"

/* The limit counts from the start, whichever one it is. When there was one that start is
 * known exactly, else but for suspended time. */
static void change_deadline(struct run *run, int64_t was, int64_t limit)
{
	const struct clock *clock = run->core->clock;
	rv_time start = clock_monotonic(clock) -
			(clock_boottime(clock) - run->info.started_boot);

	if (was != INT64_MAX && run->deadline != RV_FOREVER)
		start = run->deadline - usec_to_time(was);
	run->deadline = limit == INT64_MAX ? RV_FOREVER : time_after(start, limit);
}

int run_change_spec(
	struct run *run, uint64_t fields, const void *packed, size_t packed_len)
{
	int64_t limit = job_num(&run->spec, TIMEOUT);
	struct job_spec spec;
	int r;

	r = job_spec_unpack(&spec, packed, packed_len);
	if (r < 0)
		return r;
	for (uint64_t left = fields; left && r >= 0; left &= left - 1) {
		enum job_field f = (enum job_field)__builtin_ctzll(left);

		job_spec_unset(&run->spec, f);
		if (!job_spec_has(&spec, f))
			continue;
		r = job_spec_put(&run->spec, f, spec.v[f]);
		spec.set &= ~(UINT64_C(1) << f); /* the run's now */
		spec.v[f].num = 0;
	}
	job_spec_deinit(&spec);
	if (fields >> JOB_FIELD_TIMEOUT & 1)
		change_deadline(run, limit, job_num(&run->spec, TIMEOUT));
	rv_event_set(&run->wake);
	return r;
}
