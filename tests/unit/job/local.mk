# tests/unit/job
JOB_TESTS = \
	tests/unit/job/test_fields \
	tests/unit/job/test_judge \
	tests/unit/job/test_select \
	tests/unit/job/test_spec \
	tests/unit/job/test_words
check_PROGRAMS += $(JOB_TESTS)
TESTS += $(JOB_TESTS)

JOB_TEST_LIBS = libjob.la libbase.la $(CHECK_LIBS) $(PTHREAD_LIBS)
JOB_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_job_test_fields_SOURCES = tests/unit/job/test_fields.c
tests_unit_job_test_fields_LDADD = $(JOB_TEST_LIBS)
tests_unit_job_test_fields_CFLAGS = $(JOB_TEST_CFLAGS)
tests_unit_job_test_judge_SOURCES = tests/unit/job/test_judge.c
tests_unit_job_test_judge_LDADD = $(JOB_TEST_LIBS)
tests_unit_job_test_judge_CFLAGS = $(JOB_TEST_CFLAGS)
tests_unit_job_test_select_SOURCES = tests/unit/job/test_select.c
tests_unit_job_test_select_LDADD = $(JOB_TEST_LIBS)
tests_unit_job_test_select_CFLAGS = $(JOB_TEST_CFLAGS)
tests_unit_job_test_spec_SOURCES = tests/unit/job/test_spec.c
tests_unit_job_test_spec_LDADD = $(JOB_TEST_LIBS)
tests_unit_job_test_spec_CFLAGS = $(JOB_TEST_CFLAGS)
tests_unit_job_test_words_SOURCES = tests/unit/job/test_words.c
tests_unit_job_test_words_LDADD = $(JOB_TEST_LIBS)
tests_unit_job_test_words_CFLAGS = $(JOB_TEST_CFLAGS)
