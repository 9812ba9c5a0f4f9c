# tests/unit/sched
if HAVE_CHECK
unit_sched_tests = \
	tests/unit/sched/test_admission \
	tests/unit/sched/test_demand \
	tests/unit/sched/test_rate
check_PROGRAMS += $(unit_sched_tests)
TESTS += $(unit_sched_tests)

tests_unit_sched_test_admission_SOURCES = tests/unit/sched/test_admission.c \
	tests/unit/sched/fixture.h
tests_unit_sched_test_admission_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_sched_test_admission_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)

tests_unit_sched_test_demand_SOURCES = tests/unit/sched/test_demand.c \
	tests/unit/sched/fixture.h
tests_unit_sched_test_demand_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_sched_test_demand_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)

tests_unit_sched_test_rate_SOURCES = tests/unit/sched/test_rate.c
tests_unit_sched_test_rate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_sched_test_rate_LDADD = libsched.la libjob.la libbase.la $(CHECK_LIBS)
endif
