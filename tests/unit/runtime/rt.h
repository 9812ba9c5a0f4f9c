/*
 * What the tests of the runtime share: RT_TEST(name) { ... return 0; } is a test whose
 * body is the main task of a fresh loop; a trace of short words that steps leave
 * behind.
 */
#ifndef TESTS_RUNTIME_RT_H
#define TESTS_RUNTIME_RT_H

#include "config.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reeve/reeve.h"
#include "tests/support/unit.h"

#define RT_TEST(name) RT_TEST_WITH(name, NULL)
#define RT_TEST_WITH(name, opts)                                      \
	static int name##_body(void *unused);                         \
	START_TEST(name)                                              \
	{                                                             \
		rt_reset();                                           \
		ck_assert_int_eq(rv_run(name##_body, NULL, opts), 0); \
	}                                                             \
	END_TEST                                                      \
	static int name##_body(void *unused)

/*
 * The same in virtual time: it passes only when nobody has anything to do, and then to
 * the next deadline. So 1 ms ends before 20 ms also where the machine is busy.
 */
#define RT_VIRTUAL_TEST(name) RT_TEST_WITH(name, &rt_virtual_opts)

static rv_time rt_virtual_now = RV_SEC(1000);

static rv_time rt_virtual_read(void *priv)
{
	return rt_virtual_now;
}

static bool rt_virtual_idle(void *priv, rv_time next)
{
	/* nothing in such a test waits for a descriptor or a thread */
	ck_assert_int_ne(next, RV_FOREVER);
	rt_virtual_now = next;
	return true;
}

static const rv_clock rt_virtual_clock = {
	.monotonic = rt_virtual_read,
	.idle = rt_virtual_idle,
};

__attribute__((unused)) static const rv_run_opts rt_virtual_opts = {
	.clock = &rt_virtual_clock,
};

/* a word where a void * goes */
#define RT_W(s) ((char *)(s))
/* and a number */
#define RT_N(n) ((void *)(intptr_t)(n))

static char rt_trace[4096];

/* what the exception handler was told last, and how often */
static struct {
	unsigned n;
	int err;
	char message[128];
	char task[64];
} rt_reported;

__attribute__((unused)) static void rt_reset(void)
{
	rt_trace[0] = '\0';
	memset(&rt_reported, 0, sizeof(rt_reported));
}

/* a word, separated by a blank */
__attribute__((unused)) static void rt_add(const char *word)
{
	size_t n = strlen(rt_trace);

	ck_assert_uint_lt(n + strlen(word) + 2, sizeof(rt_trace));
	(void)snprintf(rt_trace + n, sizeof(rt_trace) - n, "%s%s", n ? " " : "", word);
}

__attribute__((unused)) static void rt_cb_add(void *word)
{
	rt_add(word);
}

__attribute__((unused)) static void rt_on_report(rv_loop *l, const rv_exc *e, void *arg)
{
	rt_reported.n++;
	rt_reported.err = e->err;
	(void)snprintf(
		rt_reported.message, sizeof(rt_reported.message), "%s", e->message);
	(void)snprintf(rt_reported.task, sizeof(rt_reported.task), "%s",
		e->task ? rv_task_name(e->task) : "");
}

__attribute__((unused)) static void rt_catch_reports(void)
{
	rv_loop_set_exception_handler(rv_loop_current(), rt_on_report, NULL);
}

__attribute__((unused)) static rv_task *rt_spawn_named(
	const char *name, rv_fn fn, void *arg)
{
	rv_task_opts o = {.name = name};
	rv_task *t;

	ck_assert_int_eq(rv_spawn_ex(&t, &o, fn, arg), 0);
	return t;
}

/* Also where it was cancelled. */
__attribute__((unused)) static void rt_join_all(rv_task **t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = rv_task_join(t[i], NULL);

		ck_assert(r >= 0 || r == -ECANCELED);
		rv_task_unref(t[i]);
	}
}

/* bodies */
__attribute__((unused)) static int rt_nop(void *arg)
{
	return 0;
}

__attribute__((unused)) static int rt_say(void *word)
{
	rt_add(word);
	return 0;
}

__attribute__((unused)) static int rt_sleep_long(void *arg)
{
	return rv_sleep(RV_SEC(60));
}

/* resists: catches the cancel and goes on for two yields */
__attribute__((unused)) static int rt_resist(void *arg)
{
	int r = rv_sleep(RV_SEC(60));
	rv_scope sh;

	ck_assert_int_eq(r, -ECANCELED);
	(void)rv_shield(&sh, RV_SEC(5));
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_int_eq(rv_yield(), 0);
	(void)rv_scope_exit(&sh, 0);
	if (arg)
		rt_add(arg);
	return 7;
}

__attribute__((unused)) static int rt_fail_eio(void *arg)
{
	return -EIO;
}

/* yields that a test gives others to run */
__attribute__((unused)) static void rt_settle(int n)
{
	while (n-- > 0)
		ck_assert_int_eq(rv_yield(), 0);
}

/* more bodies, and what they wait for */
__attribute__((unused)) static int rt_sleep_ms(void *ms)
{
	return rv_sleep(RV_MS((intptr_t)ms));
}

__attribute__((unused)) static int rt_yield_then_fail(void *err)
{
	rt_settle(1);
	return rv_fail(-(int)(intptr_t)err, "told to");
}

__attribute__((unused)) static rv_future *rt_future(void)
{
	rv_future *f;

	ck_assert_int_eq(rv_future_new(&f, NULL), 0);
	return f;
}

__attribute__((unused)) static void rt_unref_all(rv_future **fs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rv_future_unref(fs[i]);
}

__attribute__((unused)) static int rt_fail_later(void *arg)
{
	int r = rv_yield();

	if (r >= 0)
		r = rv_yield();
	return r < 0 ? r : -EPROTO;
}

/* a loop for tests that are no task of one */
__attribute__((unused)) static rv_loop *rt_new_loop(void)
{
	rv_loop *l;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&l, NULL), 0);
	return l;
}

__attribute__((unused)) static void rt_spin_once(rv_loop *l)
{
	ck_assert_int_eq(rv_loop_run_once(l, 0), 0);
}

#endif
