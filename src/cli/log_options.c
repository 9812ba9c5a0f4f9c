#include "config.h"

#include "cli/log_options.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/time.h"

/* 0, or the exit code */
static int read_numbers(struct log_options *lo, const struct cli *c)
{
	const char *lines = options_get(&c->opts, OPT_LINES);
	const char *run = options_get(&c->opts, OPT_RUN);
	int r = 0;

	if (lines) {
		if (parse_i64(&lo->lines, lines, 0, INT64_MAX) < 0)
			return cli_fail(c, CLI_EXIT_USAGE,
				"logs: not a number of lines: '%s'", lines);
		/* with a filter it is the lines that are wanted, which are counted here */
		if (!log_filter_is_set(&lo->filter))
			r = json_put(lo->params, "lines", json_integer(lo->lines));
	}
	if (r == 0 && run) {
		if (parse_i64(&lo->run, run, 1, INT32_MAX) < 0)
			return cli_fail(
				c, CLI_EXIT_USAGE, "logs: not a run: '%s'", run);
		r = json_put(lo->params, "run", json_integer(lo->run));
	}
	return r < 0 ? cli_fail_errno(c, r, "logs") : 0;
}

/* 0, or the exit code; left alone where it is not said */
static int read_time(const struct cli *c, int id, const char *name, int64_t *ret_usec)
{
	const char *text = options_get(&c->opts, id);
	_cleanup_free_ char *err = NULL;
	int r;

	if (!text)
		return 0;
	r = time_parse_since(ret_usec, text, c->now_usec, &err);
	if (r < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "logs: --%s is no time: '%s': %s",
			name, text, err ? err : rv_strerror(r));
	return 0;
}

/* 0, or the exit code */
static int read_filter(struct log_options *lo, const struct cli *c)
{
	const char *regex = options_get(&c->opts, OPT_GREP);
	bool ignore_case = options_has(&c->opts, OPT_IGNORE_CASE);
	_cleanup_free_ char *err = NULL;
	struct log_filter *f = &lo->filter;
	int r;

	f->until_usec = INT64_MAX;
	r = read_time(c, OPT_FROM, "since", &f->since_usec);
	if (r == 0)
		r = read_time(c, OPT_UNTIL, "until", &f->until_usec);
	if (r != 0)
		return r;
	f->has_times =
		options_get(&c->opts, OPT_FROM) || options_get(&c->opts, OPT_UNTIL);
	if (f->until_usec < f->since_usec)
		return cli_fail(c, CLI_EXIT_USAGE, "logs: --until is before --since");
	if (lo->follow && options_get(&c->opts, OPT_UNTIL))
		return cli_fail(c, CLI_EXIT_USAGE,
			"logs: --until is for what has been, --follow for what comes");
	if (ignore_case && !regex)
		return cli_fail(
			c, CLI_EXIT_USAGE, "logs: --ignore-case says how --grep looks");
	r = regex ? log_filter_set_regex(f, regex, ignore_case, &err) : 0;
	if (r == -EINVAL)
		return cli_fail(c, CLI_EXIT_USAGE,
			"logs: --grep is no extended regular expression: '%s': %s",
			regex, err ? err : "?");
	return r < 0 ? cli_fail_errno(c, r, "logs") : 0;
}

int log_options_read(struct log_options *ret, const struct cli *c)
{
	const char *stream = options_get(&c->opts, OPT_STREAM);
	int r;

	*ret = (struct log_options){.params = json_object(), .lines = -1};
	if (!ret->params)
		return cli_fail_errno(c, -ENOMEM, "logs");
	ret->follow = options_has(&c->opts, OPT_FOLLOW);
	r = read_filter(ret, c);
	if (r == 0)
		r = read_numbers(ret, c);
	if (r != 0)
		return r;
	ret->past_runs = ret->filter.has_times && ret->run == 0;
	if (!stream)
		return 0;
	if (!STREQ(stream, "all") && !STREQ(stream, "stdout") &&
		!STREQ(stream, "stderr"))
		return cli_fail(
			c, CLI_EXIT_USAGE, "logs: --stream is all, stdout, or stderr");
	r = json_put(ret->params, "stream", json_string(stream));
	return r < 0 ? cli_fail_errno(c, r, "logs") : 0;
}

void log_options_deinit(struct log_options *lo)
{
	json_decref(lo->params);
	json_decref(lo->labels);
	log_filter_deinit(&lo->filter);
}
