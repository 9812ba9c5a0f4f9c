# src/config: daemon and CLI both link it
noinst_LTLIBRARIES += libconfig.la
libconfig_la_SOURCES = \
	src/config/config_apply.c src/config/config_apply.h \
	src/config/config_diff.c src/config/config_diff.h \
	src/config/config_effective.c src/config/config_effective.h \
	src/config/config_starts.c src/config/config_starts.h \
	src/config/config_edit.c src/config/config_edit.h \
	src/config/config_environment.c src/config/config_environment.h \
	src/config/config_environment_check.c \
	src/config/config_errors.c src/config/config_errors.h \
	src/config/config_file.c src/config/config_file.h \
	src/config/config_get.c src/config/config_get.h \
	src/config/config_keys.def \
	src/config/config_load.c src/config/config_load.h \
	src/config/config_names.c src/config/config_names.h \
	src/config/config_paths.c \
	src/config/config_print.c src/config/config_print.h \
	src/config/config_hooks.c src/config/config_hooks.h \
	src/config/config_ready.c src/config/config_ready.h \
	src/config/config_schedule.c src/config/config_schedule.h \
	src/config/config_section.c src/config/config_section.h \
	src/config/config_service.c src/config/config_service.h \
	src/config/config_service_deps.c src/config/config_service_deps.h \
	src/config/config_specifiers.c src/config/config_specifiers.h \
	src/config/config_trust.c src/config/config_trust.h \
	src/config/config_validate.c \
	src/config/config_value.c \
	src/config/config_value_parse.c \
	src/config/configuration.c src/config/configuration.h \
	src/config/env_file.c src/config/env_file.h \
	src/config/graph_file.c src/config/graph_file.h
libconfig_la_CFLAGS = $(AM_CFLAGS) $(INIH_CFLAGS)
EXTRA_DIST += src/config/README.md
