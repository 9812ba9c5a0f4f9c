/*
 * What timestamps cost: a job that writes lines of 64 bytes, with times at their front and
 * without, from the submit to its end, in alternating rounds: in writes of 64 KiB, and a write
 * for each line.
 *
 *	bench_stamps [LINES [ROUNDS]]
 *
 * ratio = time with / time without.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { LINE = 64 };

/* bench_stamps --write LINES LINES-A-WRITE: the job */
static int write_lines(long n, long at_once)
{
	char *block = malloc((size_t)at_once * LINE);

	if (!block)
		return 1;
	memset(block, 'x', (size_t)at_once * LINE);
	for (long i = 0; i < at_once; i++)
		block[(i + 1) * LINE - 1] = '\n';
	for (long i = 0; i < n; i += at_once)
		for (size_t at = 0, len = (size_t)at_once * LINE; at < len;) {
			ssize_t k = write(STDOUT_FILENO, block + at, len - at);

			if (k < 0)
				return 1;
			at += (size_t)k;
		}
	free(block);
	return 0;
}

/* seconds */
static double run(
	struct client *c, const char *lines, const char *at_once, bool stamped)
{
	json_t *job = json_pack("{s:[s,s,s,s], s:b, s:I}", "command",
		bench_program("tests/bench/bench_stamps"), "--write", lines, at_once,
		"timestamps", stamped, "output_max_bytes", (json_int_t)1 << 20);
	json_t *params = json_pack("{s:[o], s:[], s:s, s:i}", "jobs", job, "env", "cwd",
		"/", "umask", 022);
	json_t *reply = NULL;
	rv_time t = rv_now();

	bench_check("Submit", client_call(c, "io.reeve.Job.Submit", params, &reply,
				      NULL, RV_FOREVER));
	bench_wait_all(c);
	t = rv_now() - t;
	json_decref(params);
	json_decref(reply);
	bench_clean(c);
	return (double)t / 1e9;
}

static void measure(struct client *c, const char *name, const char *lines,
	const char *at_once, size_t rounds)
{
	struct bench_series plain = {.n = 0}, stamped = {.n = 0}, ratio = {.n = 0};
	double n = strtod(lines, NULL) / 1e6;
	char text[96];

	for (size_t i = 0; i < rounds; i++) {
		double a = run(c, lines, at_once, i % 2);
		double b = run(c, lines, at_once, !(i % 2));
		double with = i % 2 ? a : b, without = i % 2 ? b : a;

		bench_add(&plain, n / without);
		bench_add(&stamped, n / with);
		bench_add(&ratio, with / without);
	}
	snprintf(text, sizeof(text), "%s, without", name);
	bench_print(text, &plain, "million lines/s");
	snprintf(text, sizeof(text), "%s, with times", name);
	bench_print(text, &stamped, "million lines/s");
	snprintf(text, sizeof(text), "%s, ratio", name);
	bench_print(text, &ratio, "");
}

int main(int argc, char **argv)
{
	const char *lines = argc > 1 ? argv[1] : "2097152";
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
	struct bench_daemon d;
	struct client *c;

	if (argc == 4 && strcmp(argv[1], "--write") == 0)
		return write_lines(
			strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10));
	if (rounds < 1 || rounds > BENCH_ROUNDS_MAX || strtol(lines, NULL, 10) < 1)
		bench_die("LINES and ROUNDS", EINVAL);
	bench_daemon_start(&d, "[reeved]\nmin-free = 0\n");
	c = bench_connect(&d);
	measure(c, "64 KiB a write", lines, "1024", rounds);
	measure(c, "a line a write", lines, "1", rounds);
	client_close(c);
	bench_daemon_stop(&d);
	return 0;
}
