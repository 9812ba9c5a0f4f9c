# tests/crash
check_PROGRAMS += tests/crash/crash
tests_crash_crash_SOURCES = tests/crash/crash.c \
	tests/crash/stream.c tests/crash/stream.h \
	tests/crash/verdict.c tests/crash/verdict.h \
	tests/crash/world.c tests/crash/world.h
tests_crash_crash_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_crash_crash_LDADD = libclient.la libvarlink.la libbase.la $(JANSSON_LIBS) $(PTHREAD_LIBS)
EXTRA_DIST += tests/crash/README.md tests/crash/crash.sh tests/crash/kept.sh tests/crash/waiting.sh tests/crash/callbacks.sh tests/crash/services.sh tests/crash/service_groups.sh tests/crash/service_roll.sh tests/crash/service_times.sh tests/crash/hooks.sh
TESTS += tests/crash/crash.sh tests/crash/kept.sh tests/crash/waiting.sh tests/crash/callbacks.sh tests/crash/services.sh tests/crash/service_groups.sh tests/crash/service_roll.sh tests/crash/service_times.sh tests/crash/hooks.sh
