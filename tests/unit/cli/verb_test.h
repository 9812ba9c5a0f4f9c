/* For the tests of verbs: a daemon that does what the test says, and reeve run against it. */
#ifndef TESTS_VERB_TEST_H
#define TESTS_VERB_TEST_H

#include "tests/support/unit.h"
#include "tests/unit/cli/fake_daemon.h"

#define SUBMIT "io.reeve.Job.Submit"

static struct fake fake;
static struct reeve reeve;

static inline const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static inline json_int_t int_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static inline void begin(fake_handler handler)
{
	fake_start(&fake, handler);
}

static inline void end(void)
{
	fake_stop(&fake);
	reeve_free(&reeve);
}

#endif
