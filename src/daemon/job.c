#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/strv.h"
#include "daemon/commit.h"
#include "daemon/envs.h"
#include "daemon/job.h"
#include "daemon/scheduler.h"
#include "job/deps.h"

/* so far ahead a moment still fits into rv_time; nobody waits so long */
#define DUE_MAX (INT64_C(100) * 366 * 86400 * USEC_PER_SEC)

static struct job *job_alloc(void)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	list_init(&j->watchers);
	j->exit_code = -1;
	return j;
}

/* what the scheduler looks at often is kept beside the packed spec */
static void peek_order(struct job *j)
{
	const char *f;
	int64_t n;
	size_t len;

	j->is_function = job_spec_peek_str(&f, &len, j->spec, j->spec_len,
				 JOB_FIELD_FUNCTION) > 0;
	j->of_schedule = job_spec_peek_str(&f, &len, j->spec, j->spec_len,
				 JOB_FIELD_SCHEDULE) > 0;
	j->of_service = job_spec_peek_str(
				&f, &len, j->spec, j->spec_len, JOB_FIELD_SERVICE) > 0;
	j->is_callback = job_spec_peek_str(&f, &len, j->spec, j->spec_len,
				 JOB_FIELD_CALLBACK) > 0;
	if (job_spec_peek_num(&n, j->spec, j->spec_len, JOB_FIELD_PRIORITY) > 0)
		j->priority = (int32_t)n;
	j->has_deadline =
		job_spec_peek_num(&n, j->spec, j->spec_len, JOB_FIELD_DEADLINE) > 0;
	j->has_deps = deps_are_given(j->spec, j->spec_len);
}

int job_new(struct job **ret, const struct job_spec *spec)
{
	struct job *j;
	size_t len;
	int r;

	INVARIANT(ret && spec);
	j = job_alloc();
	if (!j)
		return -ENOMEM;
	r = job_spec_pack(&j->spec, &len, spec);
	if (r < 0) {
		job_free(j);
		return r;
	}
	j->spec_len = (uint32_t)len;
	peek_order(j);
	if (job_num(spec, HOLD))
		j->state = JOB_HELD;
	else
		j->state = j->has_deps ? JOB_WAITING : JOB_QUEUED;
	*ret = j;
	return 0;
}

void job_set_spec(struct job *j, void *spec, size_t spec_len)
{
	free(j->spec);
	j->spec = spec;
	j->spec_len = (uint32_t)spec_len;
	j->priority = 0;
	peek_order(j);
}

static int copy_text(char **ret, const char *text)
{
	*ret = text ? strdup(text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

static int apply_record(struct job *j, const struct store_job *rec)
{
	char *reason;

	/* mostly the same, mostly none: no allocation then */
	if (rec->reason != j->reason) {
		if (copy_text(&reason, rec->reason) < 0)
			return -ENOMEM;
		free(j->reason);
		j->reason = reason;
	}
	j->state = (uint8_t)rec->state;
	j->result = (uint8_t)rec->result;
	j->n_runs = rec->n_runs;
	j->n_failed = rec->n_failed;
	j->exit_code = rec->exit_code;
	j->signal = rec->signal;
	j->flags = (uint16_t)rec->flags;
	j->started_usec = rec->started_usec;
	j->finished_usec = rec->finished_usec;
	j->due_usec = rec->due_usec;
	j->place = (int32_t)rec->place;
	return 0;
}

int job_new_from_record(struct job **ret, const struct store_job *rec)
{
	struct job *j;

	INVARIANT(ret && rec);
	j = job_alloc();
	if (!j)
		return -ENOMEM;
	j->spec = malloc(rec->spec_len ? rec->spec_len : 1);
	if (!j->spec || apply_record(j, rec) < 0) {
		job_free(j);
		return -ENOMEM;
	}
	memcpy(j->spec, rec->spec, rec->spec_len);
	j->spec_len = (uint32_t)rec->spec_len;
	j->id = rec->id;
	j->uid = rec->uid;
	j->gid = rec->gid;
	j->submitted_usec = rec->submitted_usec;
	peek_order(j);
	*ret = j;
	return 0;
}

struct job *job_free(struct job *j)
{
	if (!j)
		return NULL;
	INVARIANT(list_is_empty(&j->watchers));
	INVARIANT(!job_is_in_order(j));
	free(j->reason);
	free(j->spec);
	free(j->dependents);
	free(j);
	return NULL;
}

void job_swap_demand(struct job *j, struct demand **d)
{
	struct demand *was = j->demand;

	if (job_may_run(j)) {
		demand_note_listed(was, -1);
		demand_note_listed(*d, 1);
	}
	j->demand = *d;
	*d = was;
}

bool job_is_in_order(const struct job *j)
{
	return j->state != JOB_FINISHED && heap_node_is_linked(&j->order);
}

void job_record(const struct job *j, struct store_job *ret)
{
	*ret = (struct store_job){
		.id = j->id,
		.uid = j->uid,
		.gid = j->gid,
		.state = j->state,
		.result = j->result,
		.n_runs = j->n_runs,
		.n_failed = j->n_failed,
		.exit_code = j->exit_code,
		.signal = j->signal,
		.flags = j->flags,
		.submitted_usec = j->submitted_usec,
		.started_usec = j->started_usec,
		.finished_usec = j->finished_usec,
		.due_usec = j->due_usec,
		.env_id = j->env ? j->env->id : 0,
		.reason = j->reason,
		.place = j->place,
	};
}

int job_record_put(struct txn *t, const struct store_job *rec)
{
	struct store_op *op = txn_add(t, STORE_JOB_UPDATE);

	if (!op)
		return -ENOMEM;
	op->job = *rec;
	return 0;
}

int run_record_put(struct txn *t, enum store_op_kind kind, const struct store_run *rec)
{
	struct store_op *op = txn_add(t, kind);

	if (!op)
		return -ENOMEM;
	op->run = *rec;
	return 0;
}

void job_apply(struct job *j, const struct store_job *rec)
{
	if (apply_record(j, rec) < 0) {
		/* only the text of the reason could not be kept: what counts is there */
		struct store_job plain = *rec;

		plain.reason = j->reason;
		apply_record(j, &plain);
	}
}

void job_watch_add(struct job *j, struct job_watch *w)
{
	list_append(&j->watchers, &w->link);
}

int64_t job_spec_not_before(const void *spec, size_t spec_len, int64_t submitted_usec)
{
	int64_t usec;

	if (job_spec_peek_num(&usec, spec, spec_len, JOB_FIELD_AT) > 0)
		return usec;
	if (job_spec_peek_num(&usec, spec, spec_len, JOB_FIELD_DELAY) > 0)
		return usec > 0 ? submitted_usec + usec : 0;
	return 0;
}

int64_t job_not_before(const struct job *j)
{
	return job_spec_not_before(j->spec, j->spec_len, j->submitted_usec);
}

void job_set_due(struct job *j, const struct clock *clock, int64_t due_usec)
{
	int64_t left = due_usec - clock_wall_usec(clock);

	j->due = clock_boottime(clock) + (left > 0 ? RV_US(MIN(left, DUE_MAX)) : 0);
}

void job_record_ready(struct job *j, const struct clock *clock, struct store_job *rec)
{
	int64_t due = j->n_runs == 0 ? job_not_before(j) : 0;

	rec->state = JOB_QUEUED;
	rec->due_usec = 0;
	if (due <= clock_wall_usec(clock))
		return;
	rec->state = JOB_DELAYED;
	rec->due_usec = due;
	job_set_due(j, clock, due);
}

void job_choose_time(struct job *j, const struct clock *clock)
{
	struct store_job rec;

	if (j->state != JOB_QUEUED)
		return;
	job_record_ready(j, clock, &rec);
	j->state = (uint8_t)rec.state;
	j->due_usec = rec.due_usec;
}

static const char *peek_name(const struct job *j, enum job_field f, char buf[65])
{
	const char *s;
	size_t n;

	if (job_spec_peek_str(&s, &n, j->spec, j->spec_len, f) <= 0 || n > 64)
		return NULL;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return buf;
}

const char *job_name(const struct job *j, char buf[65])
{
	return peek_name(j, JOB_FIELD_NAME, buf);
}

const char *job_schedule(const struct job *j, char buf[65])
{
	return j->of_schedule ? peek_name(j, JOB_FIELD_SCHEDULE, buf) : NULL;
}

const char *job_service(const struct job *j, char buf[65], unsigned *ret_instance)
{
	int64_t n = 0;

	*ret_instance = 0;
	if (!j->of_service)
		return NULL;
	if (job_spec_peek_num(&n, j->spec, j->spec_len, JOB_FIELD_INSTANCE) > 0)
		*ret_instance = (unsigned)n;
	return peek_name(j, JOB_FIELD_SERVICE, buf);
}

const char *job_pools(const struct job *j, char *buf)
{
	const char *s;
	size_t n;

	if (j->demand)
		return j->demand->pools;
	if (job_spec_peek_str(&s, &n, j->spec, j->spec_len, JOB_FIELD_POOL) <= 0 ||
		n >= JOB_POOLS_BYTES)
		return job_field_info[JOB_FIELD_POOL].default_text;
	memcpy(buf, s, n);
	buf[n] = '\0';
	return buf;
}

bool job_has_label(const struct job *j, const char *label)
{
	size_t n, len = strlen(label) + 1;
	const char *p;

	/* the stored form of a list: its elements, each ended by NUL */
	if (job_spec_peek_str(&p, &n, j->spec, j->spec_len, JOB_FIELD_LABEL) <= 0)
		return false;
	for (const char *end = p + n; p < end; p += strnlen(p, (size_t)(end - p)) + 1)
		if ((size_t)(end - p) >= len && memcmp(p, label, len) == 0)
			return true;
	return false;
}

static bool has_labels(const struct job *j, char *const *labels)
{
	STRV_FOREACH(label, labels)
		if (!job_has_label(j, *label))
			return false;
	return true;
}

void job_facts_get(
	const struct job *j, struct job_facts_buf *ret, const struct job_select *sel)
{
	bool of_schedule = sel->schedule || sel->no_schedule;
	bool of_service = j->of_service && (sel->service || sel->no_service);
	unsigned instance;

	ret->facts = (struct job_facts){
		.id = j->id,
		.uid = j->uid,
		.name = sel->name_glob ? job_name(j, ret->name) : NULL,
		.schedule = of_schedule ? job_schedule(j, ret->schedule) : NULL,
		.pools = sel->pools ? job_pools(j, ret->pools) : NULL,
		.service = of_service ? job_service(j, ret->service, &instance) : NULL,
		.state = j->state,
		.result = j->state == JOB_FINISHED ? j->result : JOB_RESULT_NONE,
		.labels = has_labels(j, sel->labels) ? sel->labels : NULL,
		.submitted_usec = j->submitted_usec,
		.finished_usec = j->state == JOB_FINISHED ? j->finished_usec : 0,
		.callback = j->is_callback,
	};
}

int job_spec_get(const struct job *j, struct job_spec *ret)
{
	return job_spec_unpack(ret, j->spec, j->spec_len);
}
