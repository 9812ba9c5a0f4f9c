# tests/support: what tests share
TEST_EXTENSIONS = .sh
# A test that hangs is a failed test. Scripts run in the system's sh, not in what configure
# found best.
TEST_TIMEOUT = 900
LOG_COMPILER = sh $(srcdir)/tests/support/run_test $(TEST_TIMEOUT)
SH_LOG_COMPILER = sh $(srcdir)/tests/support/run_test $(TEST_TIMEOUT) sh

# fresh and freed memory is filled, so that a use of it shows
AM_TESTS_ENVIRONMENT = \
	MALLOC_PERTURB_=165; export MALLOC_PERTURB_; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;

# for test programs
EXTRA_DIST += tests/support/unit.h tests/support/temp_dir.h \
	tests/support/alloc_fail.h tests/support/open_fds.h
alloc_fail_ldflags = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=aligned_alloc,--wrap=reallocarray,--wrap=strdup,--wrap=strndup

# for test scripts
check_PROGRAMS += tests/support/await_gone
tests_support_await_gone_SOURCES = tests/support/await_gone.c
tests_support_await_gone_LDADD =
EXTRA_DIST += tests/support/programs.sh tests/support/run_test tests/support/services.sh \
	tests/support/small_disk.sh tests/support/system.sh tests/support/idle.sh

# a client that keeps to no rule; see tests/system/4xx
check_PROGRAMS += tests/support/hostile
tests_support_hostile_SOURCES = tests/support/hostile.c
tests_support_hostile_LDADD = libbase.la

# a service manager for one service
check_PROGRAMS += tests/support/manager
tests_support_manager_SOURCES = tests/support/manager.c
tests_support_manager_LDADD = libbase.la

# a terminal for a program's stderr
check_PROGRAMS += tests/support/pty
tests_support_pty_SOURCES = tests/support/pty.c
tests_support_pty_LDADD =
