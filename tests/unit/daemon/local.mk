# tests/unit/daemon

# -- the parts of the core, on a loop with a store in memory ---
if HAVE_CHECK
unit_daemon_tests = \
	tests/unit/daemon/test_commit \
	tests/unit/daemon/test_jobs
check_PROGRAMS += $(unit_daemon_tests)
TESTS += $(unit_daemon_tests)
unit_daemon_fixture = tests/unit/daemon/fixture.c tests/unit/daemon/fixture.h
unit_daemon_cflags = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(LIBMD_CFLAGS) $(CHECK_CFLAGS)
unit_daemon_libs = $(daemon_libs) $(CHECK_LIBS)

tests_unit_daemon_test_commit_SOURCES = tests/unit/daemon/test_commit.c $(unit_daemon_fixture)
tests_unit_daemon_test_commit_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_commit_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_jobs_SOURCES = tests/unit/daemon/test_jobs.c $(unit_daemon_fixture)
tests_unit_daemon_test_jobs_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_jobs_LDADD = $(unit_daemon_libs)
endif
