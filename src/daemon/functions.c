#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/macro.h"
#include "daemon/functions.h"
#include "job/fields.h"
#include "reeve/sync.h"

struct functions {
	const struct function **v; /* a handful: searched in turn */
	size_t n;
	unsigned n_blocking; /* calls that wait for a thread or its end */
	rv_event room;       /* set and cleared as one of them leaves */
};

int functions_new(struct functions **ret)
{
	static const struct function *const built_in[] = {
		&function_sleep, &function_file_hash, &function_dns_lookup};
	struct functions *fs = calloc(1, sizeof(*fs));

	_Static_assert(ARRAY_LEN(built_in) == JOB_FUNCTION_N,
		"the configuration takes the names of all, and no others");
	if (!fs)
		return -ENOMEM;
	rv_event_init(&fs->room);
	for (size_t i = 0; i < ARRAY_LEN(built_in); i++) {
		int r = functions_register(fs, built_in[i]);

		INVARIANT(STREQ(built_in[i]->name, job_function_name[i]));
		if (r < 0) {
			functions_free(fs);
			return r;
		}
	}
	*ret = fs;
	return 0;
}

struct functions *functions_free(struct functions *fs)
{
	if (fs)
		free(fs->v);
	free(fs);
	return NULL;
}

int functions_register(struct functions *fs, const struct function *f)
{
	const struct function **v;

	if (functions_find(fs, f->name))
		return -EEXIST;
	v = reallocarray(fs->v, fs->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	fs->v = v;
	v[fs->n++] = f;
	return 0;
}

const struct function *functions_find(const struct functions *fs, const char *name)
{
	for (size_t i = 0; i < fs->n; i++)
		if (STREQ(fs->v[i]->name, name))
			return fs->v[i];
	return NULL;
}

const struct function *functions_at(const struct functions *fs, size_t i)
{
	return i < fs->n ? fs->v[i] : NULL;
}

int functions_block(
	struct functions *fs, rv_executor *e, rv_fn fn, void *arg, rv_dtor dtor)
{
	int r;

	fs->n_blocking++;
	r = rv_run_blocking_ex(e, fn, arg, dtor, RV_BLOCK_ABANDON);
	fs->n_blocking--;
	if (r != -EAGAIN) {
		rv_event_set(&fs->room);
		rv_event_clear(&fs->room);
	}
	return r;
}

int functions_wait_for_room(struct functions *fs)
{
	/* then it is not the queue that is full: there is no thread at all */
	if (fs->n_blocking == 0)
		return -EAGAIN;
	return rv_event_wait(&fs->room);
}

int function_argument_error(char **message, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (message && vasprintf(message, fmt, ap) < 0)
		*message = NULL;
	va_end(ap);
	return -EINVAL;
}
