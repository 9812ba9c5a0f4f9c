# tests/unit/client
if HAVE_CHECK
check_PROGRAMS += tests/unit/client/test_client
TESTS += tests/unit/client/test_client
tests_unit_client_test_client_SOURCES = tests/unit/client/test_client.c
tests_unit_client_test_client_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_client_test_client_LDADD = libclient.la libvarlink.la libbase.la \
	$(JANSSON_LIBS) $(CHECK_LIBS)
endif
