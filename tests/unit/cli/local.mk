if HAVE_CHECK
CLI_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
CLI_TEST_LIBS = $(CLI_LIBS) $(CHECK_LIBS)

# without a daemon
CLI_TESTS = \
	tests/unit/cli/test_batch \
	tests/unit/cli/test_columns \
	tests/unit/cli/test_command_table \
	tests/unit/cli/test_complete \
	tests/unit/cli/test_config_crash \
	tests/unit/cli/test_connect \
	tests/unit/cli/test_each \
	tests/unit/cli/test_examples \
	tests/unit/cli/test_exit \
	tests/unit/cli/test_job_text \
	tests/unit/cli/test_log_lines \
	tests/unit/cli/test_manual \
	tests/unit/cli/test_options \
	tests/unit/cli/test_output \
	tests/unit/cli/test_paths \
	tests/unit/cli/test_progress \
	tests/unit/cli/test_select \
	tests/unit/cli/test_spec_json \
	tests/unit/cli/test_text \
	tests/unit/cli/test_time
check_PROGRAMS += $(CLI_TESTS)
TESTS += $(CLI_TESTS)

tests_unit_cli_test_batch_SOURCES = tests/unit/cli/test_batch.c
tests_unit_cli_test_batch_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_batch_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_columns_SOURCES = tests/unit/cli/test_columns.c
tests_unit_cli_test_columns_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_columns_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_command_table_SOURCES = tests/unit/cli/test_command_table.c
tests_unit_cli_test_command_table_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_command_table_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_complete_SOURCES = tests/unit/cli/test_complete.c
tests_unit_cli_test_complete_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_complete_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_config_crash_SOURCES = tests/unit/cli/test_config_crash.c
tests_unit_cli_test_config_crash_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_config_crash_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=open,--wrap=openat \
	-Wl,--wrap=write,--wrap=close,--wrap=fsync,--wrap=fchmod,--wrap=fchown,--wrap=flock \
	-Wl,--wrap=renameat,--wrap=unlinkat,--wrap=unlink,--wrap=mkdirat
tests_unit_cli_test_config_crash_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_connect_SOURCES = tests/unit/cli/test_connect.c
tests_unit_cli_test_connect_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_connect_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_each_SOURCES = tests/unit/cli/test_each.c
tests_unit_cli_test_each_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_each_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_examples_SOURCES = tests/unit/cli/test_examples.c \
	tests/unit/cli/shell_commands.c tests/unit/cli/shell_commands.h
tests_unit_cli_test_examples_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_examples_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_exit_SOURCES = tests/unit/cli/test_exit.c
tests_unit_cli_test_exit_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_exit_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_job_text_SOURCES = tests/unit/cli/test_job_text.c
tests_unit_cli_test_job_text_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_job_text_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_log_lines_SOURCES = tests/unit/cli/test_log_lines.c
tests_unit_cli_test_log_lines_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_log_lines_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_manual_SOURCES = tests/unit/cli/test_manual.c
tests_unit_cli_test_manual_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_manual_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_options_SOURCES = tests/unit/cli/test_options.c
tests_unit_cli_test_options_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_options_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_output_SOURCES = tests/unit/cli/test_output.c
tests_unit_cli_test_output_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_output_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_paths_SOURCES = tests/unit/cli/test_paths.c
tests_unit_cli_test_paths_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_paths_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_progress_SOURCES = tests/unit/cli/test_progress.c
tests_unit_cli_test_progress_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_progress_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_select_SOURCES = tests/unit/cli/test_select.c
tests_unit_cli_test_select_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_select_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_spec_json_SOURCES = tests/unit/cli/test_spec_json.c
tests_unit_cli_test_spec_json_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_spec_json_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_text_SOURCES = tests/unit/cli/test_text.c
tests_unit_cli_test_text_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_text_LDADD = $(CLI_TEST_LIBS)
tests_unit_cli_test_time_SOURCES = tests/unit/cli/test_time.c
tests_unit_cli_test_time_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_time_LDADD = $(CLI_TEST_LIBS)

# against a daemon that does what the test says
check_LTLIBRARIES += libfakedaemon.la
libfakedaemon_la_SOURCES = tests/unit/cli/fake_daemon.c tests/unit/cli/fake_daemon.h
nodist_libfakedaemon_la_SOURCES = src/daemon/io.reeve.Job.c \
	src/daemon/io.reeve.Pool.c src/daemon/io.reeve.Daemon.c
libfakedaemon_la_CFLAGS = $(CLI_TEST_CFLAGS)

CLI_DAEMON_TESTS = \
	tests/unit/cli/test_each_job \
	tests/unit/cli/test_run \
	tests/unit/cli/test_submit \
	tests/unit/cli/test_verb_act \
	tests/unit/cli/test_verb_add \
	tests/unit/cli/test_verb_calendar \
	tests/unit/cli/test_verb_logs \
	tests/unit/cli/test_verb_ls \
	tests/unit/cli/test_verb_send \
	tests/unit/cli/test_verb_wait \
	tests/unit/cli/test_verbs
check_PROGRAMS += $(CLI_DAEMON_TESTS)
TESTS += $(CLI_DAEMON_TESTS)
EXTRA_DIST += tests/unit/cli/verb_test.h

tests_unit_cli_test_each_job_SOURCES = tests/unit/cli/test_each_job.c
tests_unit_cli_test_each_job_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_each_job_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_submit_SOURCES = tests/unit/cli/test_submit.c
tests_unit_cli_test_submit_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_submit_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_run_SOURCES = tests/unit/cli/test_run.c
tests_unit_cli_test_run_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_run_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_act_SOURCES = tests/unit/cli/test_verb_act.c
tests_unit_cli_test_verb_act_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_act_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_add_SOURCES = tests/unit/cli/test_verb_add.c
tests_unit_cli_test_verb_add_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_add_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_calendar_SOURCES = tests/unit/cli/test_verb_calendar.c
tests_unit_cli_test_verb_calendar_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_calendar_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_logs_SOURCES = tests/unit/cli/test_verb_logs.c
tests_unit_cli_test_verb_logs_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_logs_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_ls_SOURCES = tests/unit/cli/test_verb_ls.c
tests_unit_cli_test_verb_ls_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_ls_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_send_SOURCES = tests/unit/cli/test_verb_send.c
tests_unit_cli_test_verb_send_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_send_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verb_wait_SOURCES = tests/unit/cli/test_verb_wait.c
tests_unit_cli_test_verb_wait_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verb_wait_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
tests_unit_cli_test_verbs_SOURCES = tests/unit/cli/test_verbs.c
tests_unit_cli_test_verbs_CFLAGS = $(CLI_TEST_CFLAGS)
tests_unit_cli_test_verbs_LDADD = libfakedaemon.la $(CLI_TEST_LIBS)
endif
