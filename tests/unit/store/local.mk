# tests/unit/store
if HAVE_CHECK
unit_store_tests = \
	tests/unit/store/test_schema \
	tests/unit/store/test_store \
	tests/unit/store/test_store_crash \
	tests/unit/store/test_store_disk \
	tests/unit/store/test_store_memory \
	tests/unit/store/test_store_open
check_PROGRAMS += $(unit_store_tests)
TESTS += $(unit_store_tests)

store_fixture = tests/unit/store/store_fixture.c tests/unit/store/store_fixture.h
store_test_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SQLITE_CFLAGS)
store_test_libs = libstore.la libbase.la $(SQLITE_LIBS) $(CHECK_LIBS)

tests_unit_store_test_schema_SOURCES = tests/unit/store/test_schema.c $(store_fixture)
tests_unit_store_test_schema_CFLAGS = $(store_test_cflags)
tests_unit_store_test_schema_LDADD = $(store_test_libs)

tests_unit_store_test_store_SOURCES = tests/unit/store/test_store.c $(store_fixture)
tests_unit_store_test_store_CFLAGS = $(store_test_cflags)
tests_unit_store_test_store_LDADD = $(store_test_libs)

tests_unit_store_test_store_crash_SOURCES = tests/unit/store/test_store_crash.c $(store_fixture)
tests_unit_store_test_store_crash_CFLAGS = $(store_test_cflags)
tests_unit_store_test_store_crash_LDADD = $(store_test_libs)

tests_unit_store_test_store_disk_SOURCES = tests/unit/store/test_store_disk.c $(store_fixture)
tests_unit_store_test_store_disk_CFLAGS = $(store_test_cflags)
tests_unit_store_test_store_disk_LDADD = $(store_test_libs)

tests_unit_store_test_store_memory_SOURCES = tests/unit/store/test_store_memory.c $(store_fixture)
tests_unit_store_test_store_memory_CFLAGS = $(store_test_cflags)
tests_unit_store_test_store_memory_LDADD = $(store_test_libs)

tests_unit_store_test_store_open_SOURCES = tests/unit/store/test_store_open.c $(store_fixture)
tests_unit_store_test_store_open_CFLAGS = $(store_test_cflags)
tests_unit_store_test_store_open_LDADD = $(store_test_libs)
endif
