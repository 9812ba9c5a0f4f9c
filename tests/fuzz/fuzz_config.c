/*
 * A configuration file: it loads or is refused with a reason, and what loads is printed
 * as a file that loads as the same.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/invariant.h"
#include "config/config_load.h"
#include "config/config_print.h"
#include "tests/fuzz/fuzz.h"

static struct config *load(const char *text, size_t n)
{
	struct config_errors errors = CONFIG_ERRORS_NULL;
	struct config *c = NULL;
	int r = config_load_text(&c, text, n, "f", &errors);

	INVARIANT(r == 0 || r == -EINVAL);
	INVARIANT((r == 0) == config_errors_is_empty(&errors));
	for (size_t i = 0; i < errors.n; i++)
		INVARIANT(*errors.v[i].text);
	config_errors_deinit(&errors);
	return c;
}

static void same_defaults(const struct config *a, const struct config *b)
{
	_cleanup_free_ void *p = NULL, *q = NULL;
	size_t n, m;

	INVARIANT(job_spec_pack(&p, &n, &a->defaults) == 0);
	INVARIANT(job_spec_pack(&q, &m, &b->defaults) == 0);
	INVARIANT(n == m && memcmp(p, q, n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_freep) struct config *a = NULL, *b = NULL;
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	FILE *f;

	a = load((const char *)data, size);
	if (!a)
		return 0;
	f = open_memstream(&text, &n);
	INVARIANT(f);
	INVARIANT(config_print(f, a, true, NULL) == 0);
	INVARIANT(fclose(f) == 0);
	b = load(text, n);
	INVARIANT(b);
	same_defaults(a, b);
	for (int s = CONFIG_SECTION_POOL; s < CONFIG_SECTION_N; s++)
		INVARIANT(a->named[s].n == b->named[s].n);
	for (int k = 0; k < CONFIG_KEY_N; k++) {
		enum config_section s = config_key_info[k].section;

		if (s == CONFIG_SECTION_REEVED)
			INVARIANT(config_value_equal(
				&a->v[k], &b->v[k], (enum config_key)k));
		else
			for (size_t i = 0; i < a->named[s].n; i++)
				INVARIANT(config_value_equal(&a->named[s].v[i].v[k],
					&b->named[s].v[i].v[k], (enum config_key)k));
	}
	return 0;
}
