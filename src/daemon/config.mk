# The configuration: no part of the daemon proper, so that the CLI can link it too.
noinst_LTLIBRARIES += libconfig.la
libconfig_la_SOURCES = \
	src/daemon/config_apply.c src/daemon/config_apply.h \
	src/daemon/config_errors.c src/daemon/config_errors.h \
	src/daemon/config_file.c src/daemon/config_file.h \
	src/daemon/config_keys.def \
	src/daemon/config_load.c src/daemon/config_load.h \
	src/daemon/config_paths.c \
	src/daemon/config_print.c src/daemon/config_print.h \
	src/daemon/config_validate.c \
	src/daemon/config_value.c \
	src/daemon/configuration.c src/daemon/configuration.h
libconfig_la_CFLAGS = $(AM_CFLAGS) $(INIH_CFLAGS)
