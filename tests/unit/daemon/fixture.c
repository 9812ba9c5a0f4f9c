#include "tests/unit/daemon/fixture.h"

#include "daemon/output_caps.h"
#include "daemon/schedule_jobs.h"
#include "daemon/schedules.h"

/* ---- a clock that jumps ------------------------------------------------------------- */

static rv_time virtual_now;
static int64_t virtual_offset_usec; /* what the wall clock was set by */

static rv_time virtual_ns(void *priv)
{
	return virtual_now;
}

static int64_t virtual_wall(void *priv)
{
	return INT64_C(1700000000) * USEC_PER_SEC + virtual_now / 1000 +
	       virtual_offset_usec;
}

static bool virtual_idle(void *priv, rv_time next)
{
	if (next == RV_FOREVER)
		return false; /* a worker or a descriptor has to tell */
	if (next > virtual_now)
		virtual_now = next;
	return true;
}

static const rv_clock virtual_loop_clock = {
	.monotonic = virtual_ns,
	.boottime = virtual_ns,
	.wall_usec = virtual_wall,
	.idle = virtual_idle,
};
static const struct clock virtual_clock = {
	.monotonic = virtual_ns, .boottime = virtual_ns, .wall_usec = virtual_wall};

/* ---- the parts ---------------------------------------------------------------------- */

struct call {
	fixture_fn body;
	const struct clock *clock;
};

static void make(struct fixture *fx, const struct clock *clock)
{
	struct core *c = &fx->core;

	memset(fx, 0, sizeof(*fx));
	fx->dir = temp_dir_make();
	c->clock = clock;
	c->state_fd = fx->dir.fd;
	c->state_dir = fx->dir.path;
	c->epoch = 7;
	snprintf(c->boot_id, sizeof(c->boot_id), "%032d", 1);
	rv_event_init(&c->run_ended);
	list_init(&c->active);
	clock_jumps_init(&c->clock_jumps, rv_loop_current());
	ck_assert_int_eq(config_new(&fx->config), 0);
	c->config = fx->config;
	ck_assert_int_eq(rv_executor_new(&fx->store_executor, NULL), 0);
	ck_assert_int_eq(rv_executor_new(&c->io, NULL), 0);
	ck_assert_int_eq(store_open_memory(&c->store), 0);
	ck_assert_int_eq(committer_new(&c->committer, c->store, fx->store_executor), 0);
	ck_assert_int_eq(scheduler_new(&c->scheduler, c, rv_loop_current()), 0);
	ck_assert_int_eq(scheduler_set_pool(c->scheduler, "default", 2), 0);
	ck_assert_int_eq(pools_new(&c->pools, c), 0);
	scheduler_block(c->scheduler, BLOCK_STARTUP, true);
	ck_assert_int_eq(envs_new(&c->envs, 1 << 20), 0);
	ck_assert_int_eq(keys_new(&c->keys, clock, 1000), 0);
	ck_assert_int_eq(events_new(&c->events, clock, 64), 0);
	ck_assert_int_eq(schedule_jobs_new(&c->schedule_jobs), 0);
	ck_assert_int_eq(callbacks_new(&c->callbacks, c), 0);
	ck_assert_int_eq(jobs_new(&c->jobs, c), 0);
	ck_assert_int_eq(dependents_new(&c->dependents, c), 0);
	ck_assert_int_eq(retention_new(&c->retention, c), 0);
	ck_assert_int_eq(rv_group_enter(&fx->services, RV_GROUP_SUPERVISE), 0);
}

static void unmake(struct fixture *fx)
{
	struct core *c = &fx->core;

	schedules_free(c->schedules);
	output_caps_free(c->caps);
	inputs_free(c->inputs);
	outputs_free(c->outputs);
	jobs_free(c->jobs);
	schedule_jobs_free(c->schedule_jobs);
	callbacks_free(c->callbacks);
	events_free(c->events);
	dependents_free(c->dependents);
	retention_free(c->retention);
	pools_free(c->pools);
	scheduler_free(c->scheduler);
	clock_jumps_deinit(&c->clock_jumps);
	keys_free(c->keys);
	envs_free(c->envs);
	committer_free(c->committer);
	rv_executor_unref(c->io);
	rv_executor_unref(fx->store_executor);
	store_close(c->store);
	config_free(fx->config);
	temp_dir_remove(&fx->dir);
}

static int main_task(void *arg)
{
	struct call *call = arg;
	struct fixture fx;
	int r;

	make(&fx, call->clock);
	r = call->body(&fx);
	committer_stop(fx.core.committer);
	rv_group_cancel(&fx.services, "the test is over");
	r = rv_group_exit(&fx.services, r);
	unmake(&fx);
	return r;
}

int fixture_run(fixture_fn body)
{
	struct call call = {.body = body, .clock = &clock_system};

	return rv_run(main_task, &call, NULL);
}

int fixture_run_virtual(fixture_fn body)
{
	struct call call = {.body = body, .clock = &virtual_clock};
	rv_run_opts opts = {.clock = &virtual_loop_clock};

	virtual_now = RV_SEC(1000);
	virtual_offset_usec = 0;
	return rv_run(main_task, &call, &opts);
}

void fixture_set_clock(struct fixture *fx, int64_t by_usec)
{
	ck_assert_ptr_eq(fx->core.clock, &virtual_clock);
	virtual_offset_usec += by_usec;
	rv_loop_clock_jumped(rv_loop_current());
}

void fixture_start(struct fixture *fx, rv_fn fn, void *arg)
{
	ck_assert_ptr_nonnull(rv_group_spawn(&fx->services, fn, arg));
}

void fixture_start_committer(struct fixture *fx)
{
	fixture_start(fx, committer_main, fx->core.committer);
}

void fixture_record_jobs(struct fixture *fx)
{
	struct jobs *js = fx->core.jobs;
	struct txn *t = txn_new();

	for (struct job *j = jobs_at_or_after(js, 1); j;
		j = jobs_at_or_after(js, j->id + 1)) {
		struct store_op *op = txn_add(t, STORE_JOB_INSERT);

		job_record(j, &op->job);
		op->job.spec = j->spec;
		op->job.spec_len = j->spec_len;
	}
	fixture_start_committer(fx);
	ck_assert_int_eq(committer_commit(fx->core.committer, t, 0), 0);
	ck_assert_int_eq(jobs_loaded(js), 0);
}

static void put_text(struct job_spec *s, enum job_field f, const char *text)
{
	if (text)
		ck_assert_int_eq(
			job_spec_put(s, f, (union job_value){.str = strdup(text)}), 0);
}

static void put_ids(struct job_spec *s, enum job_field f, const char *text)
{
	union job_value v;

	if (!text)
		return;
	ck_assert_int_eq(job_value_parse(&v, f, text, NULL), 0);
	ck_assert_int_eq(job_spec_put(s, f, v), 0);
}

struct job *fixture_add_job(
	struct fixture *fx, uint64_t id, const struct fixture_job *how)
{
	struct job_spec s;
	struct job *j;

	job_spec_init(&s);
	put_text(&s, JOB_FIELD_NAME, how->name);
	put_text(&s, JOB_FIELD_STDIN, how->stdin_from);
	put_text(&s, JOB_FIELD_ON_SUCCESS, how->on_success);
	put_text(&s, JOB_FIELD_ON_FAILURE, how->on_failure);
	put_text(&s, JOB_FIELD_ON_FINISH, how->on_finish);
	put_ids(&s, JOB_FIELD_AFTER, how->after);
	put_ids(&s, JOB_FIELD_AFTER_ANY, how->after_any);
	put_ids(&s, JOB_FIELD_AFTER_FAILURE, how->after_failure);
	if (how->function)
		put_text(&s, JOB_FIELD_FUNCTION, how->function);
	else
		put_text(&s, JOB_FIELD_SHELL_COMMAND, "true");
	if (how->priority)
		ck_assert_int_eq(job_spec_put(&s, JOB_FIELD_PRIORITY,
					 (union job_value){.num = how->priority}),
			0);
	ck_assert_int_eq(job_new(&j, &s), 0);
	j->id = id;
	j->uid = how->uid;
	j->state = (uint8_t)how->state;
	if (j->state != JOB_FINISHED)
		ck_assert_int_eq(
			scheduler_demand(fx->core.scheduler, &s, &j->demand), 0);
	job_spec_deinit(&s);
	ck_assert_int_eq(jobs_add(fx->core.jobs, j), 0);
	return j;
}

void fixture_set_state(struct fixture *fx, struct job *j, enum job_state state)
{
	struct store_job rec;
	struct job_spec spec;

	if (!j->demand) { /* it was finished */
		ck_assert_int_eq(job_spec_get(j, &spec), 0);
		ck_assert_int_eq(
			scheduler_demand(fx->core.scheduler, &spec, &j->demand), 0);
		job_spec_deinit(&spec);
	}
	job_record(j, &rec);
	rec.state = state;
	job_publish(fx->core.jobs, j, &rec);
}
