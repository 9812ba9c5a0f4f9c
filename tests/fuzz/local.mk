# Fuzz targets. With --enable-fuzzing (CC=clang) each is a libFuzzer program:
#	tests/fuzz/fuzz_frame -max_total_time=60 SCRATCH tests/fuzz/corpus/frame
# otherwise `make check` replays tests/fuzz/corpus/NAME through fuzz_NAME.
#
# A new one: its name in fuzz_targets, its four lines below, seeds in its corpus.
fuzz_targets = \
	tests/fuzz/fuzz_calendar \
	tests/fuzz/fuzz_call \
	tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_env_file \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_idl \
	tests/fuzz/fuzz_spawn_wire \
	tests/fuzz/fuzz_spec \
	tests/fuzz/fuzz_zone
check_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += tests/fuzz/corpus

if ENABLE_FUZZING
fuzz_main =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = tests/fuzz/replay_main.c
fuzz_ldflags = $(AM_LDFLAGS)
TESTS += $(fuzz_targets)
endif

tests_fuzz_fuzz_calendar_SOURCES = tests/fuzz/fuzz_calendar.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_calendar_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_calendar_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_calendar_LDADD = libjob.la libbase.la

tests_fuzz_fuzz_call_SOURCES = tests/fuzz/fuzz_call.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_call_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_call_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_call_LDADD = libvarlink.la libbase.la $(JANSSON_LIBS)

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_config_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_config_LDADD = libconfig.la libjob.la libbase.la $(INIH_LIBS)

tests_fuzz_fuzz_env_file_SOURCES = tests/fuzz/fuzz_env_file.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_env_file_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_env_file_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_env_file_LDADD = libconfig.la libjob.la libbase.la $(INIH_LIBS)

tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_frame_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_frame_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_frame_LDADD = libvarlink.la libbase.la

tests_fuzz_fuzz_idl_SOURCES = tests/fuzz/fuzz_idl.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_idl_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_idl_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_idl_LDADD = libvarlink.la libbase.la $(JANSSON_LIBS)

tests_fuzz_fuzz_spawn_wire_SOURCES = tests/fuzz/fuzz_spawn_wire.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_spawn_wire_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_spawn_wire_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spawn_wire_LDADD = libspawn.la libbase.la

tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_spec_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_spec_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spec_LDADD = libjob.la libbase.la

tests_fuzz_fuzz_zone_SOURCES = tests/fuzz/fuzz_zone.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_zone_CFLAGS = $(AM_CFLAGS)
tests_fuzz_fuzz_zone_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_zone_LDADD = libbase.la
