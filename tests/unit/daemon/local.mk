# tests/unit/daemon

# -- the configuration (libconfig.la) ---
CONFIG_TESTS = \
	tests/unit/daemon/test_config_file \
	tests/unit/daemon/test_config_load
check_PROGRAMS += $(CONFIG_TESTS)
TESTS += $(CONFIG_TESTS)
CONFIG_TEST_LIBS = libconfig.la libjob.la libbase.la $(INIH_LIBS) $(CHECK_LIBS) \
	$(PTHREAD_LIBS)
CONFIG_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_daemon_test_config_file_SOURCES = tests/unit/daemon/test_config_file.c
tests_unit_daemon_test_config_file_LDADD = $(CONFIG_TEST_LIBS)
tests_unit_daemon_test_config_file_CFLAGS = $(CONFIG_TEST_CFLAGS)
tests_unit_daemon_test_config_load_SOURCES = tests/unit/daemon/test_config_load.c
tests_unit_daemon_test_config_load_LDADD = $(CONFIG_TEST_LIBS)
tests_unit_daemon_test_config_load_CFLAGS = $(CONFIG_TEST_CFLAGS)
