#include "config.h"

#include "tests/support/alloc_fail.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Volatile: compilers know that malloc and its like change no variable of a program, and
 * with all of it before them (LTO) take these for what alloc_fail_at has left in them. */
static volatile size_t left; /* 0: nothing fails */
static volatile bool failed;

void alloc_fail_at(size_t n)
{
	left = n;
	failed = false;
}

bool alloc_fail_stop(void)
{
	left = 0;
	return failed;
}

static bool fails_now(void)
{
	if (left == 0 || --left > 0)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

/* the linker's --wrap turns calls of f into calls of __wrap_f, and __real_f into f */
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
	return fails_now() ? NULL : __real_aligned_alloc(alignment, n);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails_now() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
	return fails_now() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return fails_now() ? NULL : __real_strndup(s, n);
}

int alloc_fail_sweep(int (*fn)(void *), void *arg)
{
	for (size_t n = 1;; n++) {
		int r;

		alloc_fail_at(n);
		r = fn(arg);
		if (!alloc_fail_stop()) {
			ck_assert_uint_gt(n, 1);
			return r;
		}
		ck_assert_int_eq(r, -ENOMEM);
	}
}
