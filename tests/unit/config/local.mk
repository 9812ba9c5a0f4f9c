# tests/unit/config
EXTRA_DIST += tests/unit/config/config_test.h
if HAVE_CHECK
unit_config_tests = \
	tests/unit/config/test_config_alloc \
	tests/unit/config/test_config_diff \
	tests/unit/config/test_config_edit \
	tests/unit/config/test_config_environment \
	tests/unit/config/test_config_file \
	tests/unit/config/test_config_get \
	tests/unit/config/test_config_load \
	tests/unit/config/test_config_specifiers \
	tests/unit/config/test_config_service \
	tests/unit/config/test_config_service_deps \
	tests/unit/config/test_config_shipped \
	tests/unit/config/test_env_file \
	tests/unit/config/test_graph_file
check_PROGRAMS += $(unit_config_tests)
TESTS += $(unit_config_tests)
unit_config_libs = libconfig.la libjob.la libbase.la $(INIH_LIBS) $(CHECK_LIBS)

tests_unit_config_test_config_alloc_SOURCES = tests/unit/config/test_config_alloc.c \
	tests/support/alloc_fail.c
tests_unit_config_test_config_alloc_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_config_test_config_alloc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_alloc_LDADD = $(unit_config_libs)

tests_unit_config_test_config_diff_SOURCES = tests/unit/config/test_config_diff.c
tests_unit_config_test_config_diff_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_diff_LDADD = $(unit_config_libs)

tests_unit_config_test_config_edit_SOURCES = tests/unit/config/test_config_edit.c
tests_unit_config_test_config_edit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_edit_LDADD = $(unit_config_libs)

tests_unit_config_test_config_environment_SOURCES = tests/unit/config/test_config_environment.c
tests_unit_config_test_config_environment_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_environment_LDADD = $(unit_config_libs)

tests_unit_config_test_config_file_SOURCES = tests/unit/config/test_config_file.c
tests_unit_config_test_config_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_file_LDADD = $(unit_config_libs)

tests_unit_config_test_config_get_SOURCES = tests/unit/config/test_config_get.c
tests_unit_config_test_config_get_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_get_LDADD = $(unit_config_libs)

tests_unit_config_test_config_specifiers_SOURCES = tests/unit/config/test_config_specifiers.c
tests_unit_config_test_config_specifiers_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_specifiers_LDADD = $(unit_config_libs)

tests_unit_config_test_config_load_SOURCES = tests/unit/config/test_config_load.c
tests_unit_config_test_config_load_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_load_LDADD = $(unit_config_libs)

tests_unit_config_test_config_service_SOURCES = \
	tests/unit/config/test_config_service.c
tests_unit_config_test_config_service_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_service_LDADD = $(unit_config_libs)

tests_unit_config_test_config_service_deps_SOURCES = \
	tests/unit/config/test_config_service_deps.c
tests_unit_config_test_config_service_deps_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_service_deps_LDADD = $(unit_config_libs)

tests_unit_config_test_config_shipped_SOURCES = tests/unit/config/test_config_shipped.c
tests_unit_config_test_config_shipped_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_config_shipped_LDADD = $(unit_config_libs)

tests_unit_config_test_env_file_SOURCES = tests/unit/config/test_env_file.c
tests_unit_config_test_env_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_env_file_LDADD = $(unit_config_libs)

tests_unit_config_test_graph_file_SOURCES = tests/unit/config/test_graph_file.c
tests_unit_config_test_graph_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_config_test_graph_file_LDADD = $(unit_config_libs)
endif
