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
