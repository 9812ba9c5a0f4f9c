/*
 * Restarts of services on a virtual clock: each policy, end and uptime against a table that
 * was written by hand; the intensity against a naive count; the strategies of groups with
 * five services against what OTP's documentation says of supervisors.
 */
#include <string.h>

#include "base/clock.h"
#include "base/macro.h"
#include "sched/restart.h"
#include "tests/support/unit.h"

static const struct restart_rule usual = {
	.policy = RESTART_ALWAYS,
	.backoff = {.first_usec = USEC_PER_SEC,
		.max_usec = 60 * USEC_PER_SEC,
		.factor = 2,
		.jitter = 0},
	.min_uptime_usec = 5 * USEC_PER_SEC,
};

#define SHORT (5 * USEC_PER_SEC - 1)
#define LONG  (5 * USEC_PER_SEC)

/* What a run's end leads to: '-' down, or the seconds of the delay. Two runs in a row of that
 * kind: the second delay is longer where they were short. */
START_TEST(each_policy_with_each_end_and_uptime)
{
	static const struct {
		enum restart_policy policy;
		enum restart_end end;
		const char *when_short, *when_long;
	} table[] = {
		{RESTART_NO, RESTART_SUCCEEDED, "--", "--"},
		{RESTART_NO, RESTART_FAILED, "--", "--"},
		{RESTART_NO, RESTART_EXCLUDED, "--", "--"},
		{RESTART_NO, RESTART_STOPPED, "--", "--"},
		{RESTART_ALWAYS, RESTART_SUCCEEDED, "12", "11"},
		{RESTART_ALWAYS, RESTART_FAILED, "12", "11"},
		{RESTART_ALWAYS, RESTART_EXCLUDED, "--", "--"},
		{RESTART_ALWAYS, RESTART_STOPPED, "--", "--"},
		{RESTART_ON_FAILURE, RESTART_SUCCEEDED, "--", "--"},
		{RESTART_ON_FAILURE, RESTART_FAILED, "12", "11"},
		{RESTART_ON_FAILURE, RESTART_EXCLUDED, "--", "--"},
		{RESTART_ON_FAILURE, RESTART_STOPPED, "--", "--"},
		{RESTART_ON_SUCCESS, RESTART_SUCCEEDED, "12", "11"},
		{RESTART_ON_SUCCESS, RESTART_FAILED, "--", "--"},
		{RESTART_ON_SUCCESS, RESTART_EXCLUDED, "--", "--"},
		{RESTART_ON_SUCCESS, RESTART_STOPPED, "--", "--"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		for (int is_long = 0; is_long < 2; is_long++) {
			const char *want =
				is_long ? table[i].when_long : table[i].when_short;
			struct restart_rule rule = usual;
			struct restart_state state = {.n_short = 0};
			char found[3] = "";

			rule.policy = table[i].policy;
			for (int k = 0; k < 2; k++) {
				struct restart_verdict v = restart_judge(&rule, &state,
					table[i].end, is_long ? LONG : SHORT,
					RV_SEC(100 + k), 0);

				found[k] = v.what == RESTART_COMES
						   ? (char)('0' + v.delay_usec /
									  USEC_PER_SEC)
						   : '-';
				ck_assert_int_ne(v.what, RESTART_GIVEN_UP);
			}
			ck_assert_msg(STREQ(found, want), "row %zu, %s: %s, not %s", i,
				is_long ? "long" : "short", found, want);
		}
}
END_TEST

/* The delay grows while runs are short, to its ceiling, and falls back after one that was
 * up. */
START_TEST(delay_grows_and_falls_back)
{
	static const int short_delays[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct restart_state state = {.n_short = 0};
	rv_time now = RV_SEC(1000);

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(short_delays) / sizeof(*short_delays);
			i++) {
			struct restart_verdict v = restart_judge(
				&usual, &state, RESTART_FAILED, SHORT, now, 0);

			ck_assert_int_eq(v.delay_usec, short_delays[i] * USEC_PER_SEC);
			now += v.delay_usec * 1000 + RV_SEC(1);
		}
		ck_assert_int_eq(
			restart_judge(&usual, &state, RESTART_FAILED, LONG, now, 0)
				.delay_usec,
			USEC_PER_SEC);
		/* the next short one is the first in a row */
	}
	state.n_short = UINT32_MAX; /* years of it */
	ck_assert_int_eq(
		restart_judge(&usual, &state, RESTART_FAILED, SHORT, now, 0).delay_usec,
		60 * USEC_PER_SEC);
	restart_forget(&state);
	ck_assert_int_eq(
		restart_judge(&usual, &state, RESTART_FAILED, SHORT, now, 0).delay_usec,
		USEC_PER_SEC);
}
END_TEST

static unsigned seed = 7;

static unsigned any(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* Restarts that were made, all of them: naive, and slow. */
static size_t count_within(const rv_time *at, size_t n, rv_time from)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += at[i] > from;
	return found;
}

START_TEST(intensity_is_never_passed_nor_left_unused)
{
	enum { N = 3000 };
	static const unsigned bursts[] = {1, 2, 5, 17};
	static rv_time made[N];

	for (size_t b = 0; b < sizeof(bursts) / sizeof(*bursts); b++) {
		struct restart_state state = {.n_short = 0};
		rv_time now = RV_SEC(100), interval = RV_SEC(10);
		size_t n = 0, n_given_up = 0;

		ck_assert_int_eq(rate_set(&state.limit, bursts[b], interval), 0);
		for (int i = 0; i < N; i++) {
			struct restart_verdict v;
			bool is_over;

			now += RV_MS(any(any(4) == 0 ? 20000 : 500));
			is_over = count_within(made, n, now - interval) >= bursts[b];
			v = restart_judge(&usual, &state,
				any(2) ? RESTART_FAILED : RESTART_SUCCEEDED, LONG, now,
				0);
			ck_assert_int_eq(
				v.what, is_over ? RESTART_GIVEN_UP : RESTART_COMES);
			if (v.what == RESTART_COMES)
				made[n++] = now;
			else
				n_given_up++;
			/* what does not come again does not count */
			v = restart_judge(
				&usual, &state, RESTART_STOPPED, LONG, now, 0);
			ck_assert_int_eq(v.what, RESTART_STAYS_DOWN);
		}
		ck_assert_uint_gt(n, 100);
		ck_assert_uint_gt(n_given_up, 50);
		restart_forget(&state);
		ck_assert_int_eq(
			restart_judge(&usual, &state, RESTART_FAILED, LONG, now, 0)
				.what,
			RESTART_COMES);
		rate_deinit(&state.limit);
	}
}
END_TEST

/*
 * Burst and interval at their borders: times of ends that are to come again, and
 * what becomes of each: 'r' restarted, 'X' given up. A restart counts for
 * the interval from it on, and at its very end no more.
 */
START_TEST(intensity_at_its_borders)
{
	static const struct {
		unsigned burst;
		rv_time at[8]; /* nanoseconds; 0: no more */
		const char *want;
	} table[] = {
		/* never given up without a burst */
		{0, {1, 2, 3, 4, 5}, "rrrrr"},
		/* one in ten seconds */
		{1, {RV_SEC(1), RV_SEC(11)}, "rr"},
		{1, {RV_SEC(1), RV_SEC(11) - 1}, "rX"},
		{1, {RV_SEC(1), RV_SEC(1)}, "rX"},
		/* what was given up does not count: the next one may come */
		{1, {RV_SEC(1), RV_SEC(11) - 1, RV_SEC(11)}, "rXr"},
		/* the window moves: it does not begin anew */
		{3, {RV_SEC(1), RV_SEC(2), RV_SEC(10), RV_SEC(11) - 1}, "rrrX"},
		{3, {RV_SEC(1), RV_SEC(2), RV_SEC(10), RV_SEC(11)}, "rrrr"},
		{3, {RV_SEC(1), RV_SEC(2), RV_SEC(10), RV_SEC(11), RV_SEC(12) - 1},
			"rrrrX"},
		{3, {RV_SEC(1), RV_SEC(2), RV_SEC(10), RV_SEC(11), RV_SEC(12)},
			"rrrrr"},
		{3,
			{RV_SEC(1), RV_SEC(2), RV_SEC(10), RV_SEC(11), RV_SEC(12),
				RV_SEC(20) - 1, RV_SEC(20)},
			"rrrrrXr"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct restart_state state = {.n_short = 0};
		char found[9] = "";

		ck_assert_int_eq(rate_set(&state.limit, table[i].burst, RV_SEC(10)), 0);
		for (size_t k = 0; k < 8 && table[i].at[k]; k++) {
			/* how long it was up is no matter */
			struct restart_verdict v = restart_judge(&usual, &state,
				k % 2 ? RESTART_FAILED : RESTART_SUCCEEDED,
				k % 3 ? LONG : SHORT, table[i].at[k], 0);

			ck_assert_int_ne(v.what, RESTART_STAYS_DOWN);
			found[k] = v.what == RESTART_COMES ? 'r' : 'X';
		}
		ck_assert_msg(STREQ(found, table[i].want), "row %zu: %s, not %s", i,
			found, table[i].want);
		rate_deinit(&state.limit);
	}
}
END_TEST

/* Runs of one service, a letter each: 's' shorter than min-uptime by a microsecond, 'l' just as
 * long, '0' one that never was up; then the delays, in seconds. */
START_TEST(delays_follow_uptimes)
{
	static const struct {
		const char *runs, *want;
	} table[] = {
		{"lllll", "11111"},
		{"sssss", "1248g"},
		{"00000", "1248g"},
		{"sslss", "12112"},
		{"lslsl", "11111"},
		{"s0s0l", "12481"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct restart_state state = {.n_short = 0};
		char found[6] = "";

		for (size_t k = 0; table[i].runs[k]; k++) {
			int64_t uptime = table[i].runs[k] == 'l'   ? LONG
					 : table[i].runs[k] == 's' ? SHORT
								   : 0;
			int64_t sec = restart_judge(&usual, &state, RESTART_FAILED,
					      uptime, RV_SEC(k + 1), 0)
					      .delay_usec /
				      USEC_PER_SEC;

			found[k] = (char)(sec < 10 ? '0' + sec : 'a' + sec - 10);
		}
		ck_assert_msg(STREQ(found, table[i].want), "%s: %s, not %s",
			table[i].runs, found, table[i].want);
	}
}
END_TEST

/* ---- groups ------------------------------------------------------------------------------ */

/* Members by letter: 'u' up, 'd' down by itself, 's' stopped by a person; the one that ended
 * is upper case. Stops and starts as digits in their order. */
static void plan_is(
	enum restart_strategy strategy, const char *members, const char *want)
{
	static const char *const names[] = {
		"one-for-one", "one-for-all", "rest-for-one"};
	struct restart_member m[5];
	size_t stop[5], start[5], n_stop, n_start, ended = SIZE_MAX, at = 0;
	char found[16];

	ck_assert_uint_eq(strlen(members), 5);
	for (size_t i = 0; i < 5; i++) {
		m[i] = (struct restart_member){members[i] == 'u', members[i] != 's'};
		if (members[i] == 'D')
			ended = i;
	}
	restart_plan(strategy, m, 5, ended, stop, &n_stop, start, &n_start);
	for (size_t i = 0; i < n_stop; i++)
		found[at++] = (char)('1' + stop[i]);
	found[at++] = '/';
	for (size_t i = 0; i < n_start; i++)
		found[at++] = (char)('1' + start[i]);
	found[at] = '\0';
	ck_assert_msg(STREQ(found, want), "%s of %s: %s, not %s", names[strategy],
		members, found, want);
}

START_TEST(strategies_with_five_services)
{
	plan_is(RESTART_ONE_FOR_ONE, "uuDuu", "/3");
	plan_is(RESTART_ONE_FOR_ONE, "Duuuu", "/1");
	plan_is(RESTART_ONE_FOR_ONE, "udDsu", "/3");

	plan_is(RESTART_ONE_FOR_ALL, "uuDuu", "5421/12345");
	plan_is(RESTART_ONE_FOR_ALL, "Duuuu", "5432/12345");
	plan_is(RESTART_ONE_FOR_ALL, "uuuuD", "4321/12345");
	/* one that ended by itself is started with the others, one that was stopped is not */
	plan_is(RESTART_ONE_FOR_ALL, "duDsu", "52/1235");
	plan_is(RESTART_ONE_FOR_ALL, "ssDss", "/3");

	plan_is(RESTART_REST_FOR_ONE, "uuDuu", "54/345");
	plan_is(RESTART_REST_FOR_ONE, "Duuuu", "5432/12345");
	plan_is(RESTART_REST_FOR_ONE, "uuuuD", "/5");
	plan_is(RESTART_REST_FOR_ONE, "duDsd", "/35");
	plan_is(RESTART_REST_FOR_ONE, "uDusu", "53/235");
}
END_TEST

/* Erlang/OTP, "Supervisor Behaviour", restart strategy: each that can end, of five that run */
START_TEST(strategies_are_those_of_otp)
{
	static const struct {
		const char *members, *one_for_one, *one_for_all, *rest_for_one;
	} table[] = {
		{"Duuuu", "/1", "5432/12345", "5432/12345"},
		{"uDuuu", "/2", "5431/12345", "543/2345"},
		{"uuDuu", "/3", "5421/12345", "54/345"},
		{"uuuDu", "/4", "5321/12345", "5/45"},
		{"uuuuD", "/5", "4321/12345", "/5"},
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		plan_is(RESTART_ONE_FOR_ONE, table[i].members, table[i].one_for_one);
		plan_is(RESTART_ONE_FOR_ALL, table[i].members, table[i].one_for_all);
		plan_is(RESTART_REST_FOR_ONE, table[i].members, table[i].rest_for_one);
	}
}
END_TEST

/* A supervisor as one would write it: children are taken from the end of its list until the one
 * that has ended, or the first, and are put back the other way round. */
static void naive_plan(
	enum restart_strategy strategy, const char *members, size_t ended, char *out)
{
	char taken[6];
	size_t n = 0, i = 5;

	while (i > 0) {
		i--;
		if (strategy == RESTART_ONE_FOR_ONE && i != ended)
			continue;
		if (strategy == RESTART_REST_FOR_ONE && i < ended)
			break;
		taken[n++] = (char)('1' + i);
		if (members[i] == 'u')
			*out++ = (char)('1' + i);
	}
	*out++ = '/';
	while (n > 0)
		if (members[taken[--n] - '1'] != 's')
			*out++ = taken[n];
	*out = '\0';
}

START_TEST(every_plan_is_that_of_a_naive_supervisor)
{
	static const char kinds[] = "uds";

	for (unsigned s = RESTART_ONE_FOR_ONE; s <= RESTART_REST_FOR_ONE; s++)
		for (unsigned code = 0; code < 243; code++)
			for (size_t ended = 0; ended < 5; ended++) {
				char members[6] = "", want[16];
				unsigned rest = code;

				for (size_t i = 0; i < 5; i++, rest /= 3)
					members[i] = i == ended ? 'D' : kinds[rest % 3];
				naive_plan(
					(enum restart_strategy)s, members, ended, want);
				plan_is((enum restart_strategy)s, members, want);
			}
}
END_TEST

UNIT_MAIN("restart", each_policy_with_each_end_and_uptime, delay_grows_and_falls_back,
	intensity_is_never_passed_nor_left_unused, intensity_at_its_borders,
	delays_follow_uptimes, strategies_with_five_services,
	strategies_are_those_of_otp, every_plan_is_that_of_a_naive_supervisor)
