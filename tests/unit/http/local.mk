# tests/unit/http
HTTP_TEST_LIBS = libhttp.la libruntime.la libbase.la $(CURL_LIBS) $(EVENT_LIBS) \
	$(PTHREAD_LIBS) $(CHECK_LIBS)
HTTP_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(CURL_CFLAGS)
EXTRA_DIST += tests/unit/http/http_test.h

if HAVE_CHECK
if HAVE_CURL
unit_http_tests = \
	tests/unit/http/test_http \
	tests/unit/http/test_http_fail \
	tests/unit/http/test_http_memory \
	tests/unit/http/test_http_tls
check_PROGRAMS += $(unit_http_tests)
TESTS += $(unit_http_tests)

tests_unit_http_test_http_SOURCES = tests/unit/http/test_http.c
tests_unit_http_test_http_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_http_test_http_LDADD = $(HTTP_TEST_LIBS)

tests_unit_http_test_http_fail_SOURCES = tests/unit/http/test_http_fail.c
tests_unit_http_test_http_fail_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_http_test_http_fail_LDADD = $(HTTP_TEST_LIBS)

tests_unit_http_test_http_memory_SOURCES = tests/unit/http/test_http_memory.c \
	tests/support/alloc_fail.c
tests_unit_http_test_http_memory_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_http_test_http_memory_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_http_test_http_memory_LDADD = $(HTTP_TEST_LIBS)

tests_unit_http_test_http_tls_SOURCES = tests/unit/http/test_http_tls.c
tests_unit_http_test_http_tls_CFLAGS = $(HTTP_TEST_CFLAGS)
tests_unit_http_test_http_tls_LDADD = $(HTTP_TEST_LIBS)
endif
endif
