/* Generators: behaviour 232, and what RUNTIME says of them. */
#include "rt.h"

#include "reeve/gen.h"

struct numbers {
	int n;      /* how many it hands out */
	int result; /* what it returns then */
	bool awaits;
	int values[16];
};

static int numbers(rv_gen *g, void *arg)
{
	struct numbers *x = arg;
	int r = 0;

	for (int i = 0; i < x->n && r >= 0; i++) {
		if (x->awaits)
			r = rv_sleep(RV_US(10));
		x->values[i] = i;
		if (r >= 0)
			r = rv_gen_yield(g, &x->values[i]);
	}
	rt_add(r == -ECANCELED ? "closed" : "ended");
	return r < 0 ? r : x->result;
}

static rv_gen *gen(struct numbers *x)
{
	rv_gen *g;

	ck_assert_int_eq(rv_gen_new(&g, numbers, x, NULL), 0);
	return g;
}

static void assert_next(rv_gen *g, int expected)
{
	void *v;

	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	ck_assert_int_eq(*(int *)v, expected);
}

RT_TEST(generator_hands_out_values_and_ends)
{
	struct numbers x = {.n = 3, .awaits = true};
	rv_gen *g = gen(&x);
	void *v;

	for (int i = 0; i < 3; i++)
		assert_next(g, i);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	ck_assert_str_eq(rt_trace, "ended");
	return 0;
}

RT_TEST(error_of_the_body_is_told_once)
{
	struct numbers x = {.n = 1, .result = -EIO};
	rv_gen *g = gen(&x);
	void *v;

	assert_next(g, 0);
	ck_assert_int_eq(rv_gen_next(g, &v), -EIO);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	g = gen(&x);
	assert_next(g, 0);
	ck_assert_int_eq(rv_gen_close(g), 0); /* -ECANCELED is what it was told to */
	return 0;
}

static void mark(void *arg)
{
	rt_add("freed");
}

RT_TEST(close_lets_the_body_tidy_up_and_frees_its_argument)
{
	struct numbers x = {.n = 3};
	rv_gen *g;

	ck_assert_int_eq(rv_gen_new(&g, numbers, &x, mark), 0);
	assert_next(g, 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	ck_assert_str_eq(rt_trace, "closed freed");
	/* one that never began */
	ck_assert_int_eq(rv_gen_new(&g, numbers, &x, mark), 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	ck_assert_str_eq(rt_trace, "closed freed freed");
	ck_assert_int_eq(rv_gen_close(NULL), 0);
	return 0;
}

static int next_of(void *g)
{
	void *v;

	return rv_gen_next(g, &v);
}

RT_TEST(b232_two_tasks_at_once_are_refused)
{
	struct numbers x = {.n = 2, .awaits = true};
	rv_gen *g = gen(&x);
	rv_task *t = rv_spawn(next_of, g);

	rt_settle(1); /* it sleeps inside the body */
	ck_assert_int_eq(next_of(g), -EBUSY);
	ck_assert_int_eq(rv_gen_close(g), -EBUSY);
	ck_assert_int_eq(rv_task_join(t, NULL), 1);
	rv_task_unref(t);
	assert_next(g, 1); /* another task may go on */
	ck_assert_int_eq(rv_gen_close(g), 0);
	return 0;
}

RT_TEST(cancelling_the_task_that_asks_reaches_the_body)
{
	struct numbers x = {.n = 2, .awaits = true};
	rv_gen *g = gen(&x);
	rv_task *t = rv_spawn(next_of, g);

	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	rv_task_unref(t);
	ck_assert_str_eq(rt_trace, "closed");
	ck_assert_int_eq(next_of(g), 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	return 0;
}

static int yields_in_a_scope(rv_gen *g, void *arg)
{
	rv_scope s;
	int r;

	(void)rv_timeout(&s, RV_SEC(1));
	r = rv_gen_yield(g, NULL);
	(void)rv_scope_exit(&s, 0);
	return r;
}

static int outer_of(rv_gen *g, void *inner)
{
	void *v;
	int r;

	while ((r = rv_gen_next(inner, &v)) > 0) {
		*(int *)v *= 10;
		r = rv_gen_yield(g, v);
		if (r < 0)
			break;
	}
	return r;
}

static int cancel_and_yield(rv_gen *g, void *arg)
{
	int r;

	(void)rv_task_cancel(rv_task_self());
	r = rv_gen_yield(g, arg);
	ck_assert_int_eq(r, 0); /* asked again */
	return rv_checkpoint();
}

/* what was made before the cancel is handed over; the next await is refused */
RT_TEST(value_is_not_lost_where_the_task_that_asked_is_cancelled)
{
	void *v = NULL;
	rv_gen *g;

	ck_assert_int_eq(rv_gen_new(&g, cancel_and_yield, RT_W("made"), NULL), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	ck_assert_str_eq(v, "made");
	ck_assert_int_eq(rv_gen_next(g, &v), -ECANCELED);
	ck_assert_int_eq(rv_task_uncancel(rv_task_self()), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 0);
	ck_assert_int_eq(rv_gen_close(g), 0);
	return 0;
}

RT_TEST(generators_nest_and_refuse_what_would_leave_a_scope_open)
{
	struct numbers x = {.n = 2, .awaits = true};
	rv_gen *inner = gen(&x), *outer, *bad;
	void *v;

	ck_assert_int_eq(rv_gen_new(&outer, outer_of, inner, NULL), 0);
	assert_next(outer, 0);
	assert_next(outer, 10);
	ck_assert_int_eq(rv_gen_next(outer, &v), 0);
	ck_assert_int_eq(rv_gen_yield(outer, NULL), -RV_ESTATE); /* not its body */
	ck_assert_int_eq(rv_gen_close(outer), 0);
	ck_assert_int_eq(rv_gen_close(inner), 0);
	ck_assert_int_eq(rv_gen_new(&bad, yields_in_a_scope, NULL, NULL), 0);
	ck_assert_int_eq(rv_gen_next(bad, &v), -RV_ESTATE);
	ck_assert_int_eq(rv_gen_close(bad), 0);
	return 0;
}

/* does not listen when told to end; gives up at last */
static int stubborn(rv_gen *g, void *arg)
{
	int n = 0;

	while (n < 3)
		n += rv_gen_yield(g, NULL) == -ECANCELED;
	return 0;
}

RT_TEST(body_that_goes_on_yielding_lets_others_run)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_gen_new(&g, stubborn, NULL, NULL), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	rv_task_detach(rv_spawn(rt_say, RT_W("other")));
	ck_assert_int_eq(rv_gen_close(g), 0);
	ck_assert_str_eq(rt_trace, "other");
	return 0;
}

RT_TEST(shutdown_ends_the_bodies_of_all)
{
	struct numbers x = {.n = 2}, y = {.n = 2}, z = {.n = 2};
	rv_gen *a = gen(&x), *b = gen(&y), *c = gen(&z);

	assert_next(a, 0);
	assert_next(c, 0);
	ck_assert_int_eq(rv_loop_shutdown_gens(rv_loop_current()), 0);
	ck_assert_str_eq(rt_trace, "closed closed");
	ck_assert_int_eq(next_of(a), 0);
	ck_assert_int_eq(next_of(b), 0);
	ck_assert_int_eq(rv_gen_close(a), 0);
	ck_assert_int_eq(rv_gen_close(b), 0);
	ck_assert_int_eq(rv_gen_close(c), 0);
	return 0;
}

static rv_gen *forgotten;
static struct numbers forgotten_numbers;

static int forget_one(void *arg)
{
	forgotten_numbers = (struct numbers){.n = 2};
	forgotten = gen(&forgotten_numbers);
	assert_next(forgotten, 0);
	return 0;
}

START_TEST(b227_runner_closes_what_was_forgotten)
{
	rt_reset();
	ck_assert_int_eq(rv_run(forget_one, NULL, NULL), 0);
	ck_assert_str_eq(rt_trace, "closed");
	ck_assert_int_eq(rv_gen_close(forgotten), 0);
}
END_TEST

START_TEST(outside_of_a_loop_there_are_none)
{
	rv_gen *g;

	rt_reset();
	ck_assert_int_eq(rv_gen_new(&g, stubborn, NULL, mark), -RV_ENOTASK);
	ck_assert_str_eq(rt_trace, "freed");
}
END_TEST

static rv_gen *own;

static int yield_once(rv_gen *g, void *arg)
{
	return rv_gen_yield(g, arg);
}

static void close_own(void *arg)
{
	ck_assert_int_eq(rv_gen_close(own), -EBUSY);
	rt_add("refused");
}

RT_TEST(destructor_of_the_argument_cannot_close_the_generator)
{
	void *v;

	ck_assert_int_eq(rv_gen_new(&own, yield_once, NULL, close_own), 0);
	ck_assert_int_eq(rv_gen_next(own, &v), 1);
	ck_assert_int_eq(rv_gen_next(own, &v), 0);
	ck_assert_int_eq(rv_gen_close(own), 0);
	/* one that never begins */
	ck_assert_int_eq(rv_gen_new(&own, yield_once, NULL, close_own), 0);
	ck_assert_int_eq(rv_gen_close(own), 0);
	ck_assert_str_eq(rt_trace, "refused refused");
	return 0;
}

static int sleep_in_body(rv_gen *g, void *arg)
{
	return rv_sleep(RV_FOREVER);
}

static int ask_for_ever(void *arg)
{
	void *v;

	ck_assert_int_eq(rv_gen_new(&own, sleep_in_body, NULL, NULL), 0);
	return rv_gen_next(own, &v);
}

static void ignore_report(rv_loop *l, const rv_exc *e, void *arg)
{
	rt_add(e->message);
}

START_TEST(one_that_ran_when_its_loop_closed_can_be_freed)
{
	rv_loop *l = rt_new_loop();

	rv_loop_set_exception_handler(l, ignore_report, NULL);
	ck_assert_int_eq(
		rv_spawn_ex(NULL, &(rv_task_opts){.loop = l}, ask_for_ever, NULL), 0);
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
	rv_loop_unref(l);
	ck_assert_int_eq(rv_gen_close(own), 0);
}
END_TEST

UNIT_MAIN("gen", generator_hands_out_values_and_ends, error_of_the_body_is_told_once,
	close_lets_the_body_tidy_up_and_frees_its_argument,
	b232_two_tasks_at_once_are_refused,
	cancelling_the_task_that_asks_reaches_the_body,
	generators_nest_and_refuse_what_would_leave_a_scope_open,
	body_that_goes_on_yielding_lets_others_run, shutdown_ends_the_bodies_of_all,
	b227_runner_closes_what_was_forgotten, outside_of_a_loop_there_are_none,
	value_is_not_lost_where_the_task_that_asked_is_cancelled,
	destructor_of_the_argument_cannot_close_the_generator,
	one_that_ran_when_its_loop_closed_can_be_freed)
