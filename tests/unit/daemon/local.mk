# tests/unit/daemon

# -- the parts of the core, on a loop with a store in memory ---
if HAVE_CHECK
unit_daemon_tests = \
	tests/unit/daemon/test_aux \
	tests/unit/daemon/test_callbacks \
	tests/unit/daemon/test_commit \
	tests/unit/daemon/test_dependents \
	tests/unit/daemon/test_jobs \
	tests/unit/daemon/test_ranking \
	tests/unit/daemon/test_scheduler \
	tests/unit/daemon/test_schedules \
	tests/unit/daemon/test_schedule_record \
	tests/unit/daemon/test_service_log \
	tests/unit/daemon/test_service_memory \
	tests/unit/daemon/test_service_record \
	tests/unit/daemon/test_job_make \
	tests/unit/daemon/test_keys \
	tests/unit/daemon/test_envs \
	tests/unit/daemon/test_events \
	tests/unit/daemon/test_inputs \
	tests/unit/daemon/test_outputs \
	tests/unit/daemon/test_output_caps \
	tests/unit/daemon/test_output_read \
	tests/unit/daemon/test_log_watch \
	tests/unit/daemon/test_own_log \
	tests/unit/daemon/test_processes \
	tests/unit/daemon/test_run_stdin \
	tests/unit/daemon/test_start_pace \
	tests/unit/daemon/test_service_times \
	tests/unit/daemon/test_spawner_news \
	tests/unit/daemon/test_control \
	tests/unit/daemon/test_control_apply \
	tests/unit/daemon/test_control_deps
check_PROGRAMS += $(unit_daemon_tests)
TESTS += $(unit_daemon_tests)
unit_daemon_fixture = tests/unit/daemon/fixture.c tests/unit/daemon/fixture.h
unit_daemon_cflags = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(LIBMD_CFLAGS) $(CHECK_CFLAGS)
unit_daemon_libs = $(daemon_libs) $(CHECK_LIBS)

tests_unit_daemon_test_aux_SOURCES = tests/unit/daemon/test_aux.c $(unit_daemon_fixture)
tests_unit_daemon_test_aux_CPPFLAGS = $(AM_CPPFLAGS) -DREEVE_SPAWNER=\"$(abs_builddir)/reeve-spawner\"
tests_unit_daemon_test_aux_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_aux_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_callbacks_SOURCES = tests/unit/daemon/test_callbacks.c $(unit_daemon_fixture)
tests_unit_daemon_test_callbacks_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_callbacks_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_commit_SOURCES = tests/unit/daemon/test_commit.c $(unit_daemon_fixture)
tests_unit_daemon_test_commit_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_commit_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_dependents_SOURCES = tests/unit/daemon/test_dependents.c $(unit_daemon_fixture)
tests_unit_daemon_test_dependents_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_dependents_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_jobs_SOURCES = tests/unit/daemon/test_jobs.c $(unit_daemon_fixture)
tests_unit_daemon_test_jobs_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_jobs_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_ranking_SOURCES = tests/unit/daemon/test_ranking.c \
	$(unit_daemon_fixture) tests/support/alloc_fail.c
tests_unit_daemon_test_ranking_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_daemon_test_ranking_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_ranking_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_scheduler_SOURCES = tests/unit/daemon/test_scheduler.c $(unit_daemon_fixture)
tests_unit_daemon_test_scheduler_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=supervisor_start
tests_unit_daemon_test_scheduler_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_scheduler_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_schedules_SOURCES = tests/unit/daemon/test_schedules.c $(unit_daemon_fixture)
tests_unit_daemon_test_schedules_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_schedules_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_schedule_record_SOURCES = tests/unit/daemon/test_schedule_record.c $(unit_daemon_fixture)
tests_unit_daemon_test_schedule_record_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_schedule_record_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_service_log_SOURCES = tests/unit/daemon/test_service_log.c $(unit_daemon_fixture)
tests_unit_daemon_test_service_log_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_service_log_LDADD = $(unit_daemon_libs)
tests_unit_daemon_test_service_times_SOURCES = tests/unit/daemon/test_service_times.c $(unit_daemon_fixture)
tests_unit_daemon_test_service_times_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_service_times_LDADD = $(unit_daemon_libs)
tests_unit_daemon_test_start_pace_SOURCES = tests/unit/daemon/test_start_pace.c $(unit_daemon_fixture)
tests_unit_daemon_test_start_pace_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_start_pace_LDADD = $(unit_daemon_libs)
tests_unit_daemon_test_service_record_SOURCES = tests/unit/daemon/test_service_record.c $(unit_daemon_fixture)
tests_unit_daemon_test_service_record_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_service_record_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_job_make_SOURCES = tests/unit/daemon/test_job_make.c $(unit_daemon_fixture)
tests_unit_daemon_test_job_make_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_job_make_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_control_SOURCES = tests/unit/daemon/test_control.c
tests_unit_daemon_test_control_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_control_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_control_apply_SOURCES = tests/unit/daemon/test_control_apply.c $(unit_daemon_fixture)
tests_unit_daemon_test_control_apply_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=control_core
tests_unit_daemon_test_control_apply_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_control_apply_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_control_deps_SOURCES = tests/unit/daemon/test_control_deps.c \
	$(unit_daemon_fixture)
tests_unit_daemon_test_control_deps_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_control_deps_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_keys_SOURCES = tests/unit/daemon/test_keys.c $(unit_daemon_fixture)
tests_unit_daemon_test_keys_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_keys_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_envs_SOURCES = tests/unit/daemon/test_envs.c $(unit_daemon_fixture)
tests_unit_daemon_test_envs_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_envs_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_events_SOURCES = tests/unit/daemon/test_events.c $(unit_daemon_fixture)
tests_unit_daemon_test_events_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_events_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_inputs_SOURCES = tests/unit/daemon/test_inputs.c $(unit_daemon_fixture)
tests_unit_daemon_test_inputs_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_inputs_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_outputs_SOURCES = tests/unit/daemon/test_outputs.c $(unit_daemon_fixture)
tests_unit_daemon_test_outputs_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_outputs_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_output_caps_SOURCES = tests/unit/daemon/test_output_caps.c $(unit_daemon_fixture)
tests_unit_daemon_test_output_caps_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=inotify_add_watch,--wrap=read
tests_unit_daemon_test_output_caps_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_output_caps_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_log_watch_SOURCES = tests/unit/daemon/test_log_watch.c $(unit_daemon_fixture)
tests_unit_daemon_test_log_watch_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=inotify_init1,--wrap=inotify_add_watch
tests_unit_daemon_test_log_watch_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_log_watch_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_own_log_SOURCES = tests/unit/daemon/test_own_log.c $(unit_daemon_fixture)
tests_unit_daemon_test_own_log_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_own_log_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_processes_SOURCES = tests/unit/daemon/test_processes.c
tests_unit_daemon_test_processes_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_processes_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_run_stdin_SOURCES = tests/unit/daemon/test_run_stdin.c $(unit_daemon_fixture)
tests_unit_daemon_test_run_stdin_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_run_stdin_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_service_memory_SOURCES = tests/unit/daemon/test_service_memory.c
tests_unit_daemon_test_service_memory_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_service_memory_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_spawner_news_SOURCES = tests/unit/daemon/test_spawner_news.c $(unit_daemon_fixture)
tests_unit_daemon_test_spawner_news_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_spawner_news_LDADD = $(unit_daemon_libs)

tests_unit_daemon_test_output_read_SOURCES = tests/unit/daemon/test_output_read.c $(unit_daemon_fixture)
tests_unit_daemon_test_output_read_CFLAGS = $(unit_daemon_cflags)
tests_unit_daemon_test_output_read_LDADD = $(unit_daemon_libs)
endif
