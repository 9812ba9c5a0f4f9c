# tests/support: what tests share
TEST_EXTENSIONS = .sh
# A test that hangs is a failed test. --foreground: no process group of its own, so that
# Ctrl-C and the end of make reach the tests; -k: after longer than a script needs to
# clean up.
TEST_TIMEOUT = 900
LOG_COMPILER = timeout --foreground -k 180 $(TEST_TIMEOUT)
SH_LOG_COMPILER = timeout --foreground -k 180 $(TEST_TIMEOUT) $(SHELL)

# set MALLOC_PERTURB_ so that freed memory is not mistaken for good one
AM_TESTS_ENVIRONMENT = \
	MALLOC_PERTURB_=165; export MALLOC_PERTURB_; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;

check_PROGRAMS += tests/support/await_gone
tests_support_await_gone_SOURCES = tests/support/await_gone.c
EXTRA_DIST += tests/support/programs.sh tests/support/system.sh
