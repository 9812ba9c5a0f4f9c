#include "config.h"

#include "base/invariant.h"

#include <stdio.h>
#include <stdlib.h>

void invariant_failed(const char *expr, const char *file, int line, const char *func)
{
	fprintf(stderr, "%s:%d: %s: broken invariant: %s\n", file, line, func, expr);
	fflush(stderr); /* abort() does not flush, and stderr may have been given a
			   buffer */
	abort();
}
