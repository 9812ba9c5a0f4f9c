/* What the tests of dumps share: where tasks stand, and looking for them in a dump. */
#ifndef TESTS_RUNTIME_DUMP_TEST_H
#define TESTS_RUNTIME_DUMP_TEST_H

#include "debug_test.h"

/* where a task stands, by name: not inlined, and not a tail call */
#define PLACE __attribute__((noinline)) static

/* The line of the task with that name, up to its end. */
__attribute__((unused)) static const char *line_of(const char *dump, const char *name)
{
	static char line[1024];
	char quoted[64];
	const char *p, *end;

	(void)snprintf(quoted, sizeof(quoted), " '%s' ", name);
	p = strstr(dump, quoted);
	ck_assert_msg(p, "%s is not in: %s", name, dump);
	while (p > dump && p[-1] != '\n')
		p--;
	end = strchr(p, '\n');
	ck_assert_uint_lt((size_t)(end - p), sizeof(line));
	memcpy(line, p, (size_t)(end - p));
	line[end - p] = '\0';
	return line;
}

/* The dump's line of that task has that text. */
__attribute__((unused)) static void has(
	const char *dump, const char *name, const char *text)
{
	const char *line = line_of(dump, name);

	ck_assert_msg(strstr(line, text), "'%s' is not in: %s", text, line);
}

/* Below the line of that task, before the next one's, a frame has that text. */
__attribute__((unused)) static void has_frame(
	const char *dump, const char *name, const char *text)
{
	char quoted[64];
	const char *p, *found;

	(void)snprintf(quoted, sizeof(quoted), " '%s' ", name);
	p = strstr(dump, quoted);
	ck_assert_ptr_nonnull(p);
	p = strchr(p, '\n');
	found = strstr(p, text);
	ck_assert_msg(found, "no frame of %s has '%s': %s", name, text, dump);
	for (; p < found; p++)
		if (*p == '\n')
			ck_assert_msg(
				strncmp(p + 1 + strspn(p + 1, " "), "at ", 3) == 0 ||
					strncmp(p + 1 + strspn(p + 1, " "), "in ", 3) ==
						0,
				"not a frame of %s: %s", name, p);
}

__attribute__((unused)) static void end(rv_task *t)
{
	(void)rv_task_cancel(t);
	ck_assert_int_ne(rv_task_join(t, NULL), -RV_ESTATE);
	rv_task_unref(t);
}

__attribute__((unused)) static char *object(const void *p)
{
	static char text[2][32];
	static unsigned i;

	i = (i + 1) % 2;
	(void)snprintf(text[i], sizeof(text[i]), "%p", p);
	return text[i];
}

__attribute__((unused)) static int sleep_here(void *arg)
{
	RETURN(rv_sleep(RV_SEC(60)));
}

#endif
