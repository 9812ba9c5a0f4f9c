# transports, servers, streams
EXTRA_DIST += tests/unit/runtime/net_test.h
if HAVE_CHECK
net_tests = \
	tests/unit/runtime/test_idioms \
	tests/unit/runtime/test_connect \
	tests/unit/runtime/test_memory_connect \
	tests/unit/runtime/test_pipe \
	tests/unit/runtime/test_server \
	tests/unit/runtime/test_socket \
	tests/unit/runtime/test_stream \
	tests/unit/runtime/test_stream_random \
	tests/unit/runtime/test_stream_serve \
	tests/unit/runtime/test_transport \
	tests/unit/runtime/test_transport_hard \
	tests/unit/runtime/test_transport_write
check_PROGRAMS += $(net_tests)
TESTS += $(net_tests)

tests_unit_runtime_test_connect_SOURCES = tests/unit/runtime/test_connect.c
tests_unit_runtime_test_connect_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_connect_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_idioms_SOURCES = tests/unit/runtime/test_idioms.c
tests_unit_runtime_test_idioms_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_idioms_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_memory_connect_SOURCES = \
	tests/unit/runtime/test_memory_connect.c tests/support/alloc_fail.c
tests_unit_runtime_test_memory_connect_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_memory_connect_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_memory_connect_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_pipe_SOURCES = tests/unit/runtime/test_pipe.c
tests_unit_runtime_test_pipe_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_pipe_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_server_SOURCES = tests/unit/runtime/test_server.c
tests_unit_runtime_test_server_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_server_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_socket_SOURCES = tests/unit/runtime/test_socket.c
tests_unit_runtime_test_socket_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_socket_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_stream_SOURCES = tests/unit/runtime/test_stream.c
tests_unit_runtime_test_stream_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_stream_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_stream_serve_SOURCES = tests/unit/runtime/test_stream_serve.c
tests_unit_runtime_test_stream_serve_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_stream_serve_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_stream_random_SOURCES = \
	tests/unit/runtime/test_stream_random.c
tests_unit_runtime_test_stream_random_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_stream_random_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_transport_hard_SOURCES = \
	tests/unit/runtime/test_transport_hard.c tests/support/alloc_fail.c
tests_unit_runtime_test_transport_hard_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_transport_hard_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_hard_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_transport_SOURCES = tests/unit/runtime/test_transport.c
tests_unit_runtime_test_transport_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_CFLAGS = $(RUNTIME_TEST_CFLAGS)

tests_unit_runtime_test_transport_write_SOURCES = \
	tests/unit/runtime/test_transport_write.c
tests_unit_runtime_test_transport_write_LDADD = $(RUNTIME_TEST_LIBS)
tests_unit_runtime_test_transport_write_CFLAGS = $(RUNTIME_TEST_CFLAGS)
endif
