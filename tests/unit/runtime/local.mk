RUNTIME_TEST_LIBS = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS) $(CHECK_LIBS)
RUNTIME_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
EXTRA_DIST += tests/unit/runtime/rt.h

if HAVE_CHECK
runtime_tests = \
	tests/unit/runtime/test_task
check_PROGRAMS += $(runtime_tests)
TESTS += $(runtime_tests)

tests_unit_runtime_test_task_SOURCES = tests/unit/runtime/test_task.c
tests_unit_runtime_test_task_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_task_CFLAGS = $(RUNTIME_TEST_CFLAGS)
endif
include tests/unit/runtime/net.mk
