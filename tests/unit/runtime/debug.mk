# debug mode, dumps, census
EXTRA_DIST += tests/unit/runtime/debug_test.h tests/unit/runtime/dump_test.h \
	tests/unit/runtime/stall_test.h
if HAVE_CHECK
debug_tests = \
	tests/unit/runtime/test_debug \
	tests/unit/runtime/test_debug_dump \
	tests/unit/runtime/test_debug_graph \
	tests/unit/runtime/test_debug_overflow \
	tests/unit/runtime/test_debug_sample \
	tests/unit/runtime/test_debug_site \
	tests/unit/runtime/test_debug_stacks \
	tests/unit/runtime/test_debug_stall \
	tests/unit/runtime/test_debug_thread \
	tests/unit/runtime/test_debug_watchdog
check_PROGRAMS += $(debug_tests)
TESTS += $(debug_tests)

tests_unit_runtime_test_debug_SOURCES = tests/unit/runtime/test_debug.c
tests_unit_runtime_test_debug_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_dump_SOURCES = tests/unit/runtime/test_debug_dump.c
tests_unit_runtime_test_debug_dump_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_dump_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_graph_SOURCES = tests/unit/runtime/test_debug_graph.c
tests_unit_runtime_test_debug_graph_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_graph_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_overflow_SOURCES = \
	tests/unit/runtime/test_debug_overflow.c
tests_unit_runtime_test_debug_overflow_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_overflow_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_sample_SOURCES = \
	tests/unit/runtime/test_debug_sample.c
tests_unit_runtime_test_debug_sample_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_sample_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_site_SOURCES = tests/unit/runtime/test_debug_site.c
tests_unit_runtime_test_debug_site_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_site_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_stacks_SOURCES = tests/unit/runtime/test_debug_stacks.c
tests_unit_runtime_test_debug_stacks_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_stacks_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_stall_SOURCES = tests/unit/runtime/test_debug_stall.c
tests_unit_runtime_test_debug_stall_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_stall_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_thread_SOURCES = \
	tests/unit/runtime/test_debug_thread.c
tests_unit_runtime_test_debug_thread_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_thread_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_debug_watchdog_SOURCES = \
	tests/unit/runtime/test_debug_watchdog.c
tests_unit_runtime_test_debug_watchdog_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_debug_watchdog_CFLAGS = $(RUNTIME_TEST_CFLAGS)
endif
