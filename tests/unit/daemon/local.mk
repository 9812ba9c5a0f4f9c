# tests/unit/daemon

# -- the configuration ---
if HAVE_CHECK
unit_config_tests = \
	tests/unit/daemon/test_config_alloc \
	tests/unit/daemon/test_config_file \
	tests/unit/daemon/test_config_load
check_PROGRAMS += $(unit_config_tests)
TESTS += $(unit_config_tests)
unit_config_libs = libconfig.la libjob.la libbase.la $(INIH_LIBS) $(CHECK_LIBS)

tests_unit_daemon_test_config_alloc_SOURCES = tests/unit/daemon/test_config_alloc.c \
	tests/support/alloc_fail.c
tests_unit_daemon_test_config_alloc_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_daemon_test_config_alloc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_daemon_test_config_alloc_LDADD = $(unit_config_libs)

tests_unit_daemon_test_config_file_SOURCES = tests/unit/daemon/test_config_file.c
tests_unit_daemon_test_config_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_daemon_test_config_file_LDADD = $(unit_config_libs)

tests_unit_daemon_test_config_load_SOURCES = tests/unit/daemon/test_config_load.c
tests_unit_daemon_test_config_load_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_daemon_test_config_load_LDADD = $(unit_config_libs)

# -- the parts of the core, on a loop with a store in memory ---
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
