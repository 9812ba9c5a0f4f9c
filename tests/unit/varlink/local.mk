if HAVE_CHECK
VARLINK_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
VARLINK_TEST_LIBS = libvarlink.la libbase.la $(JANSSON_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/varlink/test_frame
TESTS += tests/unit/varlink/test_frame
tests_unit_varlink_test_frame_SOURCES = tests/unit/varlink/test_frame.c
tests_unit_varlink_test_frame_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_frame_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_message
TESTS += tests/unit/varlink/test_message
tests_unit_varlink_test_message_SOURCES = tests/unit/varlink/test_message.c
tests_unit_varlink_test_message_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_message_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_json_write
TESTS += tests/unit/varlink/test_json_write
tests_unit_varlink_test_json_write_SOURCES = tests/unit/varlink/test_json_write.c
tests_unit_varlink_test_json_write_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_json_write_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_bytes_field
TESTS += tests/unit/varlink/test_bytes_field
tests_unit_varlink_test_bytes_field_SOURCES = tests/unit/varlink/test_bytes_field.c
tests_unit_varlink_test_bytes_field_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_bytes_field_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_idl
TESTS += tests/unit/varlink/test_idl
tests_unit_varlink_test_idl_SOURCES = tests/unit/varlink/test_idl.c
tests_unit_varlink_test_idl_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_idl_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_idl_check
TESTS += tests/unit/varlink/test_idl_check
tests_unit_varlink_test_idl_check_SOURCES = tests/unit/varlink/test_idl_check.c
tests_unit_varlink_test_idl_check_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_idl_check_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_registry
TESTS += tests/unit/varlink/test_registry
tests_unit_varlink_test_registry_SOURCES = tests/unit/varlink/test_registry.c
tests_unit_varlink_test_registry_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_registry_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_server_conn
TESTS += tests/unit/varlink/test_server_conn
tests_unit_varlink_test_server_conn_SOURCES = tests/unit/varlink/test_server_conn.c tests/unit/varlink/echo.h
tests_unit_varlink_test_server_conn_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_server_conn_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_conformance
TESTS += tests/unit/varlink/test_conformance
tests_unit_varlink_test_conformance_SOURCES = tests/unit/varlink/test_conformance.c tests/unit/varlink/echo.h
tests_unit_varlink_test_conformance_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_conformance_LDADD = $(VARLINK_TEST_LIBS)

check_PROGRAMS += tests/unit/varlink/test_client_conn
TESTS += tests/unit/varlink/test_client_conn
tests_unit_varlink_test_client_conn_SOURCES = tests/unit/varlink/test_client_conn.c
tests_unit_varlink_test_client_conn_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_client_conn_LDADD = $(VARLINK_TEST_LIBS)

# every allocation fails once, in turn
check_PROGRAMS += tests/unit/varlink/test_alloc
TESTS += tests/unit/varlink/test_alloc
tests_unit_varlink_test_alloc_SOURCES = tests/unit/varlink/test_alloc.c \
	tests/unit/varlink/echo.h tests/support/alloc_fail.c
tests_unit_varlink_test_alloc_CFLAGS = $(VARLINK_TEST_CFLAGS)
tests_unit_varlink_test_alloc_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_varlink_test_alloc_LDADD = $(VARLINK_TEST_LIBS)
endif
