# tests/unit/base: one program per module
if HAVE_CHECK
unit_base_tests = \
	tests/unit/base/test_base64 \
	tests/unit/base/test_buf \
	tests/unit/base/test_clock \
	tests/unit/base/test_error \
	tests/unit/base/test_failpoint \
	tests/unit/base/test_fd \
	tests/unit/base/test_file_replace \
	tests/unit/base/test_hashmap \
	tests/unit/base/test_heap \
	tests/unit/base/test_id_list \
	tests/unit/base/test_invariant \
	tests/unit/base/test_list \
	tests/unit/base/test_log \
	tests/unit/base/test_parse \
	tests/unit/base/test_proc \
	tests/unit/base/test_siphash \
	tests/unit/base/test_strv \
	tests/unit/base/test_unix_socket \
	tests/unit/base/test_zone
check_PROGRAMS += $(unit_base_tests)
TESTS += $(unit_base_tests)

tests_unit_base_test_base64_SOURCES = tests/unit/base/test_base64.c \
	tests/support/alloc_fail.c
tests_unit_base_test_base64_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_base64_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_base64_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_buf_SOURCES = tests/unit/base/test_buf.c \
	tests/support/alloc_fail.c
tests_unit_base_test_buf_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_buf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_buf_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_clock_SOURCES = tests/unit/base/test_clock.c
tests_unit_base_test_clock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_clock_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_error_SOURCES = tests/unit/base/test_error.c
tests_unit_base_test_error_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_error_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_failpoint_SOURCES = tests/unit/base/test_failpoint.c
tests_unit_base_test_failpoint_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_failpoint_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_fd_SOURCES = tests/unit/base/test_fd.c
tests_unit_base_test_fd_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_fd_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_file_replace_SOURCES = tests/unit/base/test_file_replace.c
tests_unit_base_test_file_replace_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=write,--wrap=fchmod,--wrap=fchown,--wrap=fsync,--wrap=renameat
tests_unit_base_test_file_replace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_file_replace_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_hashmap_SOURCES = tests/unit/base/test_hashmap.c \
	tests/support/alloc_fail.c
tests_unit_base_test_hashmap_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_hashmap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_hashmap_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_heap_SOURCES = tests/unit/base/test_heap.c \
	tests/support/alloc_fail.c
tests_unit_base_test_heap_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_heap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_heap_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_id_list_SOURCES = tests/unit/base/test_id_list.c \
	tests/support/alloc_fail.c
tests_unit_base_test_id_list_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_id_list_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_id_list_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_invariant_SOURCES = tests/unit/base/test_invariant.c
tests_unit_base_test_invariant_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_invariant_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_list_SOURCES = tests/unit/base/test_list.c
tests_unit_base_test_list_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_list_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_log_SOURCES = tests/unit/base/test_log.c
tests_unit_base_test_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_log_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_parse_SOURCES = tests/unit/base/test_parse.c
tests_unit_base_test_parse_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_parse_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_proc_SOURCES = tests/unit/base/test_proc.c
tests_unit_base_test_proc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_proc_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_siphash_SOURCES = tests/unit/base/test_siphash.c
tests_unit_base_test_siphash_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_siphash_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_strv_SOURCES = tests/unit/base/test_strv.c \
	tests/support/alloc_fail.c
tests_unit_base_test_strv_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_strv_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_strv_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_unix_socket_SOURCES = tests/unit/base/test_unix_socket.c
tests_unit_base_test_unix_socket_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_unix_socket_LDADD = libbase.la $(CHECK_LIBS)

tests_unit_base_test_zone_SOURCES = tests/unit/base/test_zone.c \
	tests/support/alloc_fail.c
tests_unit_base_test_zone_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_base_test_zone_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_base_test_zone_LDADD = libbase.la $(CHECK_LIBS)
endif
