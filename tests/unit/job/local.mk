# tests/unit/job
if HAVE_CHECK
unit_job_tests = \
	tests/unit/job/test_alloc \
	tests/unit/job/test_asks \
	tests/unit/job/test_calendar \
	tests/unit/job/test_calendar_systemd \
	tests/unit/job/test_callback \
	tests/unit/job/test_command_expand \
	tests/unit/job/test_cron \
	tests/unit/job/test_deps \
	tests/unit/job/test_env_steps \
	tests/unit/job/test_fields \
	tests/unit/job/test_judge \
	tests/unit/job/test_select \
	tests/unit/job/test_sort \
	tests/unit/job/test_spec \
	tests/unit/job/test_time \
	tests/unit/job/test_words
check_PROGRAMS += $(unit_job_tests)
TESTS += $(unit_job_tests)

tests_unit_job_test_alloc_SOURCES = tests/unit/job/test_alloc.c \
	tests/support/alloc_fail.c
tests_unit_job_test_alloc_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_job_test_alloc_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_alloc_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_asks_SOURCES = tests/unit/job/test_asks.c
tests_unit_job_test_asks_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_asks_LDADD = libjob.la libbase.la $(CHECK_LIBS)
tests_unit_job_test_calendar_SOURCES = tests/unit/job/test_calendar.c \
	tests/support/alloc_fail.c
tests_unit_job_test_calendar_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_job_test_calendar_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_calendar_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_calendar_systemd_SOURCES = \
	tests/unit/job/test_calendar_systemd.c \
	tests/unit/job/calendar_naive.c tests/unit/job/calendar_naive.h
tests_unit_job_test_calendar_systemd_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_calendar_systemd_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_callback_SOURCES = tests/unit/job/test_callback.c \
	tests/support/alloc_fail.c
tests_unit_job_test_callback_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_job_test_callback_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_callback_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_command_expand_SOURCES = tests/unit/job/test_command_expand.c
tests_unit_job_test_command_expand_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_command_expand_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_cron_SOURCES = tests/unit/job/test_cron.c
tests_unit_job_test_cron_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_cron_LDADD = libjob.la libbase.la $(CHECK_LIBS)
EXTRA_DIST += tests/unit/job/cron.txt
tests_unit_job_test_deps_SOURCES = tests/unit/job/test_deps.c
tests_unit_job_test_deps_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_deps_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_env_steps_SOURCES = tests/unit/job/test_env_steps.c
tests_unit_job_test_env_steps_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_env_steps_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_fields_SOURCES = tests/unit/job/test_fields.c
tests_unit_job_test_fields_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_fields_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_judge_SOURCES = tests/unit/job/test_judge.c
tests_unit_job_test_judge_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_judge_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_select_SOURCES = tests/unit/job/test_select.c
tests_unit_job_test_select_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_select_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_sort_SOURCES = tests/unit/job/test_sort.c \
	tests/support/alloc_fail.c
tests_unit_job_test_sort_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_job_test_sort_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_sort_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_spec_SOURCES = tests/unit/job/test_spec.c
tests_unit_job_test_spec_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_spec_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_time_SOURCES = tests/unit/job/test_time.c \
	tests/support/alloc_fail.c
tests_unit_job_test_time_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_job_test_time_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_time_LDADD = libjob.la libbase.la $(CHECK_LIBS)

tests_unit_job_test_words_SOURCES = tests/unit/job/test_words.c
tests_unit_job_test_words_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_words_LDADD = libjob.la libbase.la $(CHECK_LIBS)
endif
