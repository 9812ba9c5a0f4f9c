# transports, servers, streams
EXTRA_DIST += tests/unit/runtime/net_test.h
if HAVE_CHECK
net_tests = \
	tests/unit/runtime/test_transport
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)

tests_unit_runtime_test_transport_SOURCES = tests/unit/runtime/test_transport.c
tests_unit_runtime_test_transport_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_CFLAGS = $(RUNTIME_TEST_CFLAGS)
endif
