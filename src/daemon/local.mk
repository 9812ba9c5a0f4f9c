# src/daemon: everything but main.c is a library, so that tests link the same objects

noinst_LTLIBRARIES += libdaemon.la
libdaemon_la_SOURCES = \
	src/daemon/app.c src/daemon/app.h \
	src/daemon/app_reload.c \
	src/daemon/app_setup.c src/daemon/app_setup.h \
	src/daemon/app_signals.c \
	src/daemon/commit.c src/daemon/commit.h \
	src/daemon/asks.c src/daemon/asks.h \
	src/daemon/aux.c src/daemon/aux.h src/daemon/aux_priv.h \
	src/daemon/aux_news.c \
	src/daemon/aux_output.c \
	src/daemon/aux_request.c \
	src/daemon/callbacks.c src/daemon/callbacks.h src/daemon/callbacks_priv.h \
	src/daemon/callbacks_table.c \
	src/daemon/clock_jumps.c src/daemon/clock_jumps.h \
	src/daemon/control.c src/daemon/control.h \
	src/daemon/control_apply.c src/daemon/control_apply.h \
	src/daemon/control_config.c \
	src/daemon/control_conn.c src/daemon/control_priv.h \
	src/daemon/control_daemon.c \
	src/daemon/control_deps.c src/daemon/control_deps.h src/daemon/control_deps_call.c \
	src/daemon/control_graph.c \
	src/daemon/control_input.c \
	src/daemon/control_events.c \
	src/daemon/control_history.c \
	src/daemon/control_job.h \
	src/daemon/control_list.c \
	src/daemon/control_show.c \
	src/daemon/control_ps.c \
	src/daemon/control_pool.c \
	src/daemon/control_schedule.c \
	src/daemon/control_service.c \
	src/daemon/control_service_roll.c \
	src/daemon/control_logs.c \
	src/daemon/control_queue.c \
	src/daemon/control_remove.c \
	src/daemon/control_reply.c \
	src/daemon/control_retry.c \
	src/daemon/control_send.c \
	src/daemon/control_select.c src/daemon/control_select.h \
	src/daemon/control_set_deps.c \
	src/daemon/control_set.c \
	src/daemon/control_signal.c \
	src/daemon/control_stats.c \
	src/daemon/control_submit.c src/daemon/control_submit_priv.h \
	src/daemon/control_submit_make.c \
	src/daemon/control_wait.c \
	src/daemon/core.h \
	src/daemon/cpus.c src/daemon/cpus.h \
	src/daemon/deadlines.c src/daemon/deadlines.h \
	src/daemon/dependents.c src/daemon/dependents.h src/daemon/dependents_priv.h \
	src/daemon/dependents_edges.c \
	src/daemon/dependents_revive.c \
	src/daemon/descriptors.c src/daemon/descriptors.h \
	src/daemon/disk_guard.c src/daemon/disk_guard.h \
	src/daemon/envs.c src/daemon/envs.h \
	src/daemon/function_dns_lookup.c \
	src/daemon/function_file_hash.c \
	src/daemon/function_sleep.c \
	src/daemon/events.c src/daemon/events.h \
	src/daemon/functions.c src/daemon/functions.h \
	src/daemon/hangups.c src/daemon/hangups.h \
	src/daemon/hook_lines.c src/daemon/hook_lines.h \
	src/daemon/inputs.c src/daemon/inputs.h \
	src/daemon/interfaces.h \
	src/daemon/job.c src/daemon/job.h \
	src/daemon/job_check.c src/daemon/job_check.h \
	src/daemon/job_environment.c src/daemon/job_environment.h \
	src/daemon/job_make.c src/daemon/job_make.h \
	src/daemon/job_json.c src/daemon/job_json.h \
	src/daemon/job_counts.c src/daemon/job_counts.h \
	src/daemon/jobs.c src/daemon/jobs.h \
	src/daemon/jobs_change.c \
	src/daemon/jobs_names.c \
	src/daemon/jobs_priv.h \
	src/daemon/journal.c src/daemon/journal.h \
	src/daemon/keys.c src/daemon/keys.h \
	src/daemon/liveness.c src/daemon/liveness.h \
	src/daemon/log_watch.c src/daemon/log_watch.h \
	src/daemon/notify.c src/daemon/notify.h \
	src/daemon/output_caps.c src/daemon/output_caps.h \
	src/daemon/output_read.c src/daemon/output_read.h \
	src/daemon/outputs.c src/daemon/outputs.h \
	src/daemon/own_log.c src/daemon/own_log.h \
	src/daemon/pidfd_status.c src/daemon/pidfd_status.h \
	src/daemon/probe.c src/daemon/probe.h \
	src/daemon/probe_output.c src/daemon/probe_output.h \
	src/daemon/ranking.c src/daemon/ranking.h \
	src/daemon/readiness.c src/daemon/readiness.h src/daemon/readiness_priv.h \
	src/daemon/readiness_notify.c \
	src/daemon/readiness_probe.c \
	src/daemon/readiness_said.c \
	src/daemon/recovery.c src/daemon/recovery.h \
	src/daemon/removal.c src/daemon/removal.h \
	src/daemon/retention.c src/daemon/retention.h \
	src/daemon/run.h \
	src/daemon/run_change.c \
	src/daemon/run_function.c \
	src/daemon/run_hooks.c src/daemon/run_hooks.h \
	src/daemon/run_outputs.c src/daemon/run_outputs.h \
	src/daemon/run_process.c \
	src/daemon/run_record.c src/daemon/run_record.h \
	src/daemon/run_reload.c src/daemon/run_reload.h \
	src/daemon/run_request.c \
	src/daemon/run_stdin.c src/daemon/run_stdin.h \
	src/daemon/run_steps.h \
	src/daemon/run_told.c \
	src/daemon/processes.c src/daemon/processes.h \
	src/daemon/pools.c src/daemon/pools.h \
	src/daemon/pools_change.c \
	src/daemon/pools_priv.h \
	src/daemon/pool_record.c src/daemon/pool_record.h \
	src/daemon/schedule_jobs.c src/daemon/schedule_jobs.h \
	src/daemon/schedule_look.c src/daemon/schedule_look.h \
	src/daemon/schedule_record.c src/daemon/schedule_record.h \
	src/daemon/schedule_settle.c \
	src/daemon/schedule_start.c \
	src/daemon/schedules.c src/daemon/schedules.h src/daemon/schedules_priv.h \
	src/daemon/login_env.c src/daemon/login_env.h \
	src/daemon/service_counts.c src/daemon/service_counts.h \
	src/daemon/service_deps.c src/daemon/service_deps.h \
	src/daemon/service_groups.c src/daemon/service_groups.h \
	src/daemon/service_judge.c \
	src/daemon/service_log.c src/daemon/service_log.h \
	src/daemon/service_report.c src/daemon/service_report.h \
	src/daemon/service_record.c src/daemon/service_record.h \
	src/daemon/service_memory.c src/daemon/service_memory.h \
	src/daemon/service_reload.c \
	src/daemon/service_roll.c src/daemon/service_roll.h \
	src/daemon/service_settle.c src/daemon/service_settle.h \
	src/daemon/service_settle_commit.c \
	src/daemon/service_times.c src/daemon/service_times.h \
	src/daemon/service_up.c src/daemon/service_up.h \
	src/daemon/services.c src/daemon/services.h src/daemon/services_priv.h \
	src/daemon/services_apply.c \
	src/daemon/services_change.c \
	src/daemon/scheduler.c src/daemon/scheduler.h src/daemon/scheduler_priv.h \
	src/daemon/scheduler_pools.c \
	src/daemon/scheduler_why.c \
	src/daemon/schedules_apply.c \
	src/daemon/schedules_change.c \
	src/daemon/shutdown.c src/daemon/shutdown.h \
	src/daemon/socket_guard.c src/daemon/socket_guard.h \
	src/daemon/spawner_link.c src/daemon/spawner_link.h src/daemon/spawner_link_priv.h \
	src/daemon/spawner_link_news.c \
	src/daemon/spawner_link_request.c \
	src/daemon/spec_json.c src/daemon/spec_json.h \
	src/daemon/start_pace.c src/daemon/start_pace.h \
	src/daemon/supervisor.c src/daemon/supervisor.h \
	src/daemon/traces.c src/daemon/traces.h \
	src/daemon/users.c src/daemon/users.h
nodist_libdaemon_la_SOURCES = \
	src/daemon/io.reeve.Daemon.c \
	src/daemon/io.reeve.Job.c \
	src/daemon/io.reeve.Pool.c \
	src/daemon/io.reeve.Schedule.c \
	src/daemon/io.reeve.Service.c
libdaemon_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) $(LIBMD_CFLAGS)
CLEANFILES += src/daemon/io.reeve.Daemon.c src/daemon/io.reeve.Job.c src/daemon/io.reeve.Pool.c \
	src/daemon/io.reeve.Schedule.c \
	src/daemon/io.reeve.Service.c
EXTRA_DIST += src/daemon/README.md \
	src/daemon/io.reeve.Daemon.varlink \
	src/daemon/io.reeve.Job.varlink \
	src/daemon/io.reeve.Pool.varlink \
	src/daemon/io.reeve.Schedule.varlink \
	src/daemon/io.reeve.Service.varlink

daemon_libs = libdaemon.la libconfig.la libclient.la libvarlink.la libspawn.la libstore.la \
	libsched.la libjob.la libruntime.la libbase.la \
	$(EVENT_LIBS) $(INIH_LIBS) $(JANSSON_LIBS) $(SQLITE_LIBS) $(SYSTEMD_LIBS) \
	$(LIBMD_LIBS) $(PTHREAD_LIBS)

dist_man_MANS += src/daemon/reeved.8
sbin_PROGRAMS += reeved
reeved_SOURCES = src/daemon/main.c
reeved_CFLAGS = $(AM_CFLAGS) $(SYSTEMD_CFLAGS)
reeved_LDADD = $(daemon_libs)
