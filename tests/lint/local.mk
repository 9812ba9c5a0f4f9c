# tests/lint

# the commented reeve.conf, its manual page and the tables say the same
if HAVE_CHECK
check_PROGRAMS += tests/lint/test_config_docs
TESTS += tests/lint/test_config_docs
tests_lint_test_config_docs_SOURCES = tests/lint/test_config_docs.c
tests_lint_test_config_docs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_lint_test_config_docs_LDADD = libconfig.la libjob.la libbase.la $(INIH_LIBS) \
	$(CHECK_LIBS)
endif
# tests/lint: what a compiler does not see. Each script takes the tree to look at;
# self_test.sh proves that each can fail.
lint_tests = \
	tests/lint/catalogue.sh \
	tests/lint/exports.sh \
	tests/lint/format.sh \
	tests/lint/headers.sh \
	tests/lint/install.sh \
	tests/lint/layering.sh \
	tests/lint/linkage.sh \
	tests/lint/manpages.sh \
	tests/lint/no_forbidden_calls.sh \
	tests/lint/registration.sh \
	tests/lint/scripts.sh \
	tests/lint/self_test.sh \
	tests/lint/units.sh

TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests) \
	tests/lint/forbidden_calls.awk \
	tests/lint/sleeping_shell.awk

# units.sh looks at the units as they will be installed
tests/lint/units.log: $(system_units) $(user_units)

tests/lint/linkage.log: reeve$(EXEEXT) reeved$(EXEEXT) reeve-spawner$(EXEEXT)

# install.sh builds a program against what was built here
AM_TESTS_ENVIRONMENT += REEVE_CC='$(CC)'; export REEVE_CC; \
	REEVE_LDFLAGS='$(REEVE_LDFLAGS)'; export REEVE_LDFLAGS;
