/* How a handler tidies up: defer, one deadline, release, a short goodbye in a shield. */
#include "config.h"

#include "tests/unit/runtime/net_test.h"

struct job {
	rv_lock lock;
	rv_stream *stream;
	rv_time limit;
	int rc;
};

static void job_release(void *arg)
{
	struct job *j = arg;

	ck_assert(!rv_lock_held(&j->lock));
	ck_assert_int_eq(
		rv_yield(), 0); /* shielded, also where the task is cancelled */
	rt_add("released");
}

static int talk(struct job *j)
{
	char c;

	return (int)rv_stream_read(j->stream, &c, 1); /* nobody says anything */
}

static int handle(void *arg)
{
	struct job *j = arg;
	rv_scope to, sh;
	int rc;

	rc = rv_defer(job_release, j);
	if (rc < 0)
		return rc;
	(void)rv_timeout(&to, j->limit);
	rc = rv_lock_acquire(&j->lock);
	if (rc == 0) {
		rc = talk(j);
		(void)rv_lock_release(&j->lock);
	}
	j->rc = rc = rv_scope_exit(&to, rc);
	if (rc == -ETIMEDOUT || rc == -ECANCELED) {
		(void)rv_shield(&sh, RV_SEC(60));
		rc = rv_stream_send(j->stream, "goodbye\n", 8);
		rc = rv_scope_exit(&sh, rc);
		rt_add(rc == 0 ? "said" : "unsaid");
	}
	return j->rc;
}

static void end_job(struct job *j, int peer)
{
	char text[16];

	ck_assert_int_eq(read(peer, text, sizeof(text)), 8);
	ck_assert_mem_eq(text, "goodbye\n", 8);
	ck_assert_str_eq(rt_trace, "said released");
	stream_end(j->stream, peer);
}

RT_TEST(own_deadline_ends_the_exchange_and_leaves_time_for_a_goodbye)
{
	struct job j = {.limit = RV_MS(1)};
	int peer = stream_pair(&j.stream);
	rv_task *t;

	rv_lock_init(&j.lock);
	t = rv_spawn(handle, &j);
	ck_assert_int_eq(rv_task_join(t, NULL), -ETIMEDOUT);
	ck_assert(!rv_task_cancelled(t));
	rv_task_unref(t);
	end_job(&j, peer);
	return 0;
}

RT_TEST(cancel_from_outside_does_so_while_it_waits_for_the_lock)
{
	struct job j = {.limit = RV_SEC(60)};
	int peer = stream_pair(&j.stream);
	rv_task *t;

	rv_lock_init(&j.lock);
	ck_assert(rv_lock_try(&j.lock));
	t = rv_spawn(handle, &j);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_lock_release(&j.lock), 0);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert(rv_task_cancelled(t));
	ck_assert(!rv_lock_held(&j.lock));
	rv_task_unref(t);
	end_job(&j, peer);
	return 0;
}

UNIT_MAIN("idioms", own_deadline_ends_the_exchange_and_leaves_time_for_a_goodbye,
	cancel_from_outside_does_so_while_it_waits_for_the_lock)
