# tests/sim
if HAVE_CHECK
check_PROGRAMS += tests/sim/test_protocol
TESTS += tests/sim/test_protocol
tests_sim_test_protocol_SOURCES = tests/sim/test_protocol.c \
	tests/sim/explore.c tests/sim/protocol.c tests/sim/protocol.h
tests_sim_test_protocol_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_sim_test_protocol_LDADD = libbase.la $(CHECK_LIBS)
endif
EXTRA_DIST += tests/sim/README.md
