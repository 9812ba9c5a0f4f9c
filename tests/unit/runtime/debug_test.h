/* What the tests of debug mode share: all reports, stderr, and a dump as text. */
#ifndef TESTS_RUNTIME_DEBUG_TEST_H
#define TESTS_RUNTIME_DEBUG_TEST_H

#include "rt.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

enum { REPORTS_MAX = 256, REPORT_TEXT_MAX = 2048 };

/* what the exception handler was told, first to last, and in which thread */
static struct {
	unsigned n;
	int err[REPORTS_MAX];
	rv_handle handle[REPORTS_MAX];
	char text[REPORTS_MAX][REPORT_TEXT_MAX];
	char task[REPORTS_MAX][64];
	pthread_t thread[REPORTS_MAX];
} reports;

__attribute__((unused)) static void reports_reset(void)
{
	memset(&reports, 0, sizeof(reports));
}

__attribute__((unused)) static void reports_on(rv_loop *l, const rv_exc *e, void *arg)
{
	unsigned i = reports.n++;

	ck_assert_uint_lt(i, REPORTS_MAX);
	reports.err[i] = e->err;
	reports.handle[i] = e->handle;
	reports.thread[i] = pthread_self();
	(void)snprintf(reports.text[i], REPORT_TEXT_MAX, "%s", e->message);
	(void)snprintf(reports.task[i], sizeof(reports.task[i]), "%s",
		e->task ? rv_task_name(e->task) : "");
}

__attribute__((unused)) static void reports_catch(void)
{
	reports_reset();
	rv_loop_set_exception_handler(rv_loop_current(), reports_on, NULL);
}

/* Return r, but not by a tail call, which would leave no frame behind. */
#define RETURN(r)                                \
	do {                                     \
		int r_ = (r);                    \
		__asm__ volatile("" : "+r"(r_)); \
		return r_;                       \
	} while (0)

/* a file without a name, for what may be longer than a pipe holds */
__attribute__((unused)) static int scratch_open(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* its contents, as a string; it is closed */
__attribute__((unused)) static void scratch_read(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
}

__attribute__((unused)) static int stderr_file = -1, stderr_saved = -1;

__attribute__((unused)) static void stderr_begin(void)
{
	fflush(stderr);
	stderr_saved = dup(2);
	stderr_file = scratch_open();
	ck_assert_int_eq(dup2(stderr_file, 2), 2);
}

__attribute__((unused)) static void stderr_end(char *text, size_t size)
{
	fflush(stderr);
	ck_assert_int_eq(dup2(stderr_saved, 2), 2);
	close(stderr_saved);
	scratch_read(stderr_file, text, size);
}

__attribute__((unused)) static char *dump_text(void)
{
	static char text[256 * 1024];
	int fd = scratch_open();

	rv_debug_dump_tasks(rv_loop_current(), fd);
	scratch_read(fd, text, sizeof(text));
	return text;
}

#endif
