# transports, servers, streams
EXTRA_DIST += tests/unit/runtime/net_test.h
if HAVE_CHECK
net_tests = \
	tests/unit/runtime/test_server \
	tests/unit/runtime/test_stream \
	tests/unit/runtime/test_transport \
	tests/unit/runtime/test_transport_write
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)

tests_unit_runtime_test_server_SOURCES = tests/unit/runtime/test_server.c
tests_unit_runtime_test_server_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_server_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_stream_SOURCES = tests/unit/runtime/test_stream.c
tests_unit_runtime_test_stream_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_stream_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_transport_SOURCES = tests/unit/runtime/test_transport.c \
	tests/support/alloc_fail.c
tests_unit_runtime_test_transport_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_transport_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_transport_write_SOURCES = \
	tests/unit/runtime/test_transport_write.c
tests_unit_runtime_test_transport_write_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_write_CFLAGS = $(RUNTIME_TEST_CFLAGS)
endif
