/* Debug mode: slow steps, and where they were slow. Behaviour 25. */
#include "stall_test.h"

static void stall_in_callback(void *arg)
{
	ck_assert_int_eq(stalled(), 0);
}

/* -- the report at the end --------------------------------------------------------- */

START_TEST(b025_slow_step_is_named_with_the_calls_it_stalled_in)
{
	ck_assert_int_eq(run_debug(stall_in_task, NULL), 0);
	ck_assert_uint_eq(reports.n, 1);
	has_in(reports.text[0], "step of task 'stalls' took ");
	has_in(reports.text[0], ", to its end");
	saw(reports.text[0], "stalled");
	saw(reports.text[0], "stall_in_task");
}
END_TEST

static int call_back(void *arg)
{
	(void)rv_call_soon(rv_loop_current(), stall_in_callback, NULL);
	rt_settle(2);
	return 0;
}

START_TEST(b025_slow_callback_is_named_with_the_calls_it_stalled_in)
{
	ck_assert_int_eq(run_debug(call_back, NULL), 0);
	ck_assert_uint_eq(reports.n, 1);
	has_in(reports.text[0], "callback stall_in_callback (");
	saw(reports.text[0], "stalled");
	has_not_in(reports.text[0], "main (");
}
END_TEST

static int stall_twice(void *arg)
{
	ck_assert_int_eq(stalled(), 0);
	rt_settle(3); /* short ones between */
	ck_assert_int_eq(stalled(), 0);
	return 0;
}

START_TEST(b025_each_slow_step_is_asked_once_and_short_ones_never)
{
	ck_assert_int_eq(run_debug(stall_twice, NULL), 0);
	ck_assert_uint_eq(reports.n, 2);
	saw(reports.text[0], "stalled");
	saw(reports.text[1], "stalled");
}
END_TEST

static int generate_slowly(rv_gen *g, void *arg)
{
	ck_assert_int_eq(stalled(), 0);
	return rv_gen_yield(g, NULL);
}

static int consume(void *arg)
{
	rv_gen *g;
	void *v;

	ck_assert_int_eq(rv_gen_new(&g, generate_slowly, NULL, NULL), 0);
	ck_assert_int_eq(rv_gen_next(g, &v), 1);
	return rv_gen_close(g);
}

START_TEST(stall_in_a_generator_shows_its_body)
{
	ck_assert_int_eq(run_debug(consume, NULL), 0);
	ck_assert_uint_eq(reports.n, 1);
	saw(reports.text[0], "generate_slowly");
	has_not_in(reports.text[0], "gen_entry");
}
END_TEST

static int switch_modes(void *arg)
{
	rv_loop *l = rv_loop_current();

	ck_assert_int_eq(stalled(), 0);
	rv_loop_set_debug(l, false);
	rv_loop_set_debug(l, true);
	rt_settle(1);
	ck_assert_uint_eq(reports.n, 1);
	has_in(reports.text[0], "up to its wait");
	ck_assert_int_eq(stalled(), 0);
	rt_settle(1);
	ck_assert_uint_eq(reports.n, 2);
	saw(reports.text[1], "switch_modes");
	rv_loop_set_debug(l, false);
	return 0;
}

START_TEST(debug_mode_may_be_switched_in_the_midst_of_a_step)
{
	ck_assert_int_eq(run_debug(switch_modes, NULL), 0);
	ck_assert_uint_eq(reports.n, 2);
}
END_TEST

/* -- told while it lasts ----------------------------------------------------------- */

/* Goes on until the line about it is there: the kernel resumes the read by itself. */
PLACE int wait_for_line(char *text, size_t size, int fd)
{
	size_t n = 0;

	do {
		ssize_t k = read(fd, text + n, size - 1 - n);

		ck_assert_int_gt(k, 0);
		n += (size_t)k;
	} while (text[n - 1] != '\n');
	text[n] = '\0';
	return 0;
}

static char line[4096];

PLACE int stall_until_told(void *arg)
{
	int saved = dup(2), fds[2];

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	ck_assert_int_eq(dup2(fds[1], 2), 2);
	ck_assert_int_eq(wait_for_line(line, sizeof(line), fds[0]), 0);
	ck_assert_int_eq(dup2(saved, 2), 2);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

START_TEST(b025_step_that_goes_on_is_told_of_while_it_does)
{
	rv_time begin = rv_now();

	ck_assert_int_eq(run_debug(stall_until_told, NULL), 0);
	ck_assert_int_ge(rv_now() - begin, RV_SEC(1));
	if (SEES_WHERE) {
		has_in(line, "reeve: step of task 'stalls' in thread ");
		has_in(line, " and goes on; after ");
		has_in(line, "wait_for_line");
		has_in(line, "stall_until_told");
	} else {
		has_in(line, "reeve: step in thread ");
		has_in(line, " and goes on; its thread cannot be asked where");
	}
	ck_assert_uint_eq(reports.n, 1); /* and at its end all the same */
	saw(reports.text[0], "wait_for_line");
}
END_TEST

static int log_fds[2];

static int stall_until_logged(void *arg)
{
	RETURN(wait_for_line(line, sizeof(line), log_fds[0]));
}

START_TEST(step_that_goes_on_is_told_to_the_log_where_there_is_one)
{
	rv_log_opts o = {0};

	ck_assert_int_eq(pipe2(log_fds, O_CLOEXEC), 0);
	o.fd = log_fds[1];
	ck_assert_int_eq(rv_log_start(&o), 0);
	ck_assert_int_eq(run_debug(stall_until_logged, NULL), 0);
	ck_assert_int_eq(strncmp(line, "error: reeve: step ", 19), 0);
	has_in(line, " and goes on; ");
	ck_assert_int_eq(rv_log_stop(RV_SEC(60)), 0);
	close(log_fds[0]);
	close(log_fds[1]);
}
END_TEST

static int stall_with_signals_blocked(void *arg)
{
	sigset_t all, old;

	sigfillset(&all);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &all, &old), 0);
	ck_assert_int_eq(stall_until_told(NULL), 0);
	/* nothing waits for its turn */
	ck_assert_int_eq(sigpending(&all), 0);
	for (int sig = SIGRTMIN; sig <= SIGRTMAX; sig++)
		ck_assert_int_eq(sigismember(&all, sig), 0);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
	return 0;
}

START_TEST(thread_that_blocks_signals_is_told_of_without_a_place)
{
	ck_assert_int_eq(run_debug(stall_with_signals_blocked, NULL), 0);
	has_in(line, "reeve: step in thread ");
	has_in(line, "its thread cannot be asked where");
	ck_assert_uint_eq(reports.n, 1);
	has_not_in(reports.text[0], "; after");
}
END_TEST

/* -- many loops -------------------------------------------------------------------- */

enum { N_THREADS = 4 };

PLACE int stall_0(void *arg)
{
	RETURN(stalled());
}

PLACE int stall_1(void *arg)
{
	RETURN(stalled() + 1);
}

PLACE int stall_2(void *arg)
{
	RETURN(stalled() + 2);
}

PLACE int stall_3(void *arg)
{
	RETURN(stalled() + 3);
}

struct one {
	pthread_t thread;
	pthread_barrier_t *together;
	int i;
	unsigned n_reports;
	char text[REPORT_TEXT_MAX];
};

static __thread struct one *mine;

static void on_one(rv_loop *l, const rv_exc *e, void *arg)
{
	mine->n_reports++;
	(void)snprintf(mine->text, sizeof(mine->text), "%s", e->message);
}

static int stall_together(void *arg)
{
	static int (*const fns[])(void *) = {stall_0, stall_1, stall_2, stall_3};
	struct one *x = arg;

	(void)pthread_barrier_wait(x->together);
	return fns[x->i](NULL);
}

static void *stalling_thread(void *arg)
{
	const rv_loop_opts o = {.debug = true, .slow_callback = SLOW};

	mine = arg;
	ck_assert_int_eq(run_with(&o, on_one, stall_together, mine), mine->i);
	return NULL;
}

START_TEST(loops_in_several_threads_are_told_apart)
{
	pthread_barrier_t together;
	struct one x[N_THREADS];

	ck_assert_int_eq(pthread_barrier_init(&together, NULL, N_THREADS), 0);
	for (int i = 0; i < N_THREADS; i++) {
		x[i] = (struct one){.i = i, .together = &together};
		ck_assert_int_eq(
			pthread_create(&x[i].thread, NULL, stalling_thread, &x[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++) {
		char name[32];

		ck_assert_int_eq(pthread_join(x[i].thread, NULL), 0);
		ck_assert_uint_eq(x[i].n_reports, 1);
		(void)snprintf(name, sizeof(name), "stall_%d", i);
		saw(x[i].text, name);
	}
	(void)pthread_barrier_destroy(&together);
}
END_TEST

static int burn_a_little(void *arg)
{
	for (int i = 0; i < 3; i++) {
		rv_time until = rv_now() + RV_US(700);

		while (rv_now() < until)
			;
		rt_settle(1);
	}
	return 0;
}

static void *coming_and_going(void *arg)
{
	const rv_loop_opts o = {.debug = true, .slow_callback = 1};

	for (int i = 0; i < 60; i++)
		ck_assert_int_eq(run_with(&o, swallow, burn_a_little, NULL), 0);
	return NULL;
}

START_TEST(loops_may_come_and_go_while_the_watchdog_looks)
{
	pthread_t t[N_THREADS];

	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&t[i], NULL, coming_and_going, NULL), 0);
	for (int i = 0; i < N_THREADS; i++)
		ck_assert_int_eq(pthread_join(t[i], NULL), 0);
}
END_TEST

UNIT_MAIN("debug_stall", b025_slow_step_is_named_with_the_calls_it_stalled_in,
	b025_slow_callback_is_named_with_the_calls_it_stalled_in,
	b025_each_slow_step_is_asked_once_and_short_ones_never,
	stall_in_a_generator_shows_its_body,
	debug_mode_may_be_switched_in_the_midst_of_a_step,
	b025_step_that_goes_on_is_told_of_while_it_does,
	step_that_goes_on_is_told_to_the_log_where_there_is_one,
	thread_that_blocks_signals_is_told_of_without_a_place,
	loops_in_several_threads_are_told_apart,
	loops_may_come_and_go_while_the_watchdog_looks)
