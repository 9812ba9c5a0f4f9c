/*
 * Allocations that fail when the test says so.
 *
 * Link the program with $(alloc_fail_ldflags) and tests/support/alloc_fail.c: every
 * allocation that the code under test makes itself is then counted. A sweep fails the
 * first one, then the second, until the code gets through:
 *
 *   for (size_t n = 1;; n++) {
 *           alloc_fail_at(n);
 *           r = thing_new(&t);
 *           if (!alloc_fail_stop())
 *                   break;
 *           ck_assert_int_eq(r, -ENOMEM);
 *   }
 *
 * Check allocates as well: none of its assertions between the two calls.
 */
#ifndef TESTS_ALLOC_FAIL_H
#define TESTS_ALLOC_FAIL_H

#include <stdbool.h>
#include <stddef.h>

/* the n-th allocation from now fails, counted from 1 */
void alloc_fail_at(size_t n);
/* Nothing fails any more; true when something did since alloc_fail_at. */
bool alloc_fail_stop(void);

/* That sweep over fn, which makes no assertions: each failure before it gets through has to
 * be -ENOMEM, and there has to be one. What fn returned when nothing failed. */
int alloc_fail_sweep(int (*fn)(void *), void *arg);

#endif
