/*
 * INVARIANT(x): for bugs only, always compiled in (NDEBUG has no effect), without side
 * effects. Input from users, files, peers and the kernel is never asserted; it gets an
 * error.
 */
#ifndef BASE_INVARIANT_H
#define BASE_INVARIANT_H

#include "base/macro.h"

/* prints the expression and where it stands to stderr, then aborts */
void invariant_failed(const char *expr, const char *file, int line, const char *func)
	__attribute__((noreturn, cold));

#define INVARIANT(x)                                                        \
	do {                                                                \
		if (UNLIKELY(!(x)))                                         \
			invariant_failed(#x, __FILE__, __LINE__, __func__); \
	} while (0)

#endif
