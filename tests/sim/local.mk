# tests/sim
if HAVE_CHECK
sim_tests = tests/sim/test_admission tests/sim/test_protocol tests/sim/test_restart \
	tests/sim/test_schedule
check_PROGRAMS += $(sim_tests)
TESTS += $(sim_tests)

tests_sim_test_admission_SOURCES = tests/sim/test_admission.c \
	tests/unit/sched/fixture.h
tests_sim_test_admission_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_sim_test_admission_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)

tests_sim_test_protocol_SOURCES = tests/sim/test_protocol.c \
	tests/sim/explore.c tests/sim/protocol.c tests/sim/protocol.h \
	tests/sim/protocol_conn.c tests/sim/protocol_priv.h \
	tests/sim/protocol_reeved.c tests/sim/protocol_spawner.c
tests_sim_test_protocol_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_sim_test_protocol_LDADD = libbase.la $(CHECK_LIBS)
endif
if HAVE_CHECK
tests_sim_test_restart_SOURCES = tests/sim/test_restart.c
tests_sim_test_restart_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_sim_test_restart_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)

tests_sim_test_schedule_SOURCES = tests/sim/test_schedule.c
tests_sim_test_schedule_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_sim_test_schedule_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)
endif
EXTRA_DIST += tests/sim/README.md
