#include "config.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "daemon/functions.h"

/* {"seconds": NUMBER or TEXT as durations are written}; a string comes from the CLI */
static int get_usec(int64_t *ret, const json_t *arguments, char **message)
{
	const json_t *v = json_object_get(arguments, "seconds");
	double s;

	if (json_object_size(arguments) != 1 || !v)
		return function_argument_error(message, "sleep takes just 'seconds'");
	if (json_is_string(v)) {
		if (duration_parse(ret, json_string_value(v)) < 0)
			return function_argument_error(message,
				"seconds: not a duration: '%s'", json_string_value(v));
		return 0;
	}
	s = json_number_value(v);
	if (!json_is_number(v) || !(s >= 0) || s > 1e12)
		return function_argument_error(
			message, "seconds: a number from 0 to 1e12 is expected");
	*ret = (int64_t)(s * 1e6);
	return 0;
}

static int check(const json_t *arguments, char **message)
{
	int64_t usec;

	return get_usec(&usec, arguments, message);
}

static int call(struct function_call *c)
{
	rv_time before = rv_now();
	int64_t usec;
	int r;

	r = get_usec(&usec, c->arguments, &c->message);
	if (r < 0)
		return r;
	r = rv_sleep(usec_to_time(usec));
	if (r < 0)
		return r;
	c->value = json_pack("{s:f}", "slept", (double)(rv_now() - before) / 1e9);
	return c->value ? 0 : -ENOMEM;
}

const struct function function_sleep = {
	.name = "sleep",
	.help = "wait; seconds=TIME",
	.check = check,
	.call = call,
};
