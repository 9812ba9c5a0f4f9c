noinst_LTLIBRARIES += libcli.la
libcli_la_SOURCES = \
	src/cli/autostart.c src/cli/autostart.h \
	src/cli/batch.c src/cli/batch.h \
	src/cli/batch_calls.c src/cli/batch_calls.h \
	src/cli/batch_submit.c src/cli/batch_submit.h \
	src/cli/cli.c src/cli/cli.h \
	src/cli/cli_main.c src/cli/cli_main.h \
	src/cli/cmd_act.c \
	src/cli/cmd_add.c \
	src/cli/cmd_calendar.c \
	src/cli/cmd_call.c \
	src/cli/cmd_clean.c \
	src/cli/cmd_complete.c \
	src/cli/cmd_config.c \
	src/cli/cmd_daemon.c \
	src/cli/cmd_edit.c \
	src/cli/cmd_events.c \
	src/cli/cmd_gather.c \
	src/cli/cmd_graph.c \
	src/cli/cmd_help.c \
	src/cli/cmd_history.c \
	src/cli/cmd_logs.c \
	src/cli/cmd_ls.c \
	src/cli/cmd_pool.c \
	src/cli/cmd_ps.c \
	src/cli/cmd_schedule.c \
	src/cli/cmd_service.c \
	src/cli/service_facts.c src/cli/service_facts.h \
	src/cli/service_logs.c src/cli/service_logs.h \
	src/cli/service_steer.c src/cli/service_steer.h \
	src/cli/service_status.c src/cli/service_status.h \
	src/cli/cmd_run.c \
	src/cli/cmd_send.c \
	src/cli/cmd_set.c \
	src/cli/cmd_show.c \
	src/cli/cmd_stats.c \
	src/cli/cmd_varlink.c \
	src/cli/cmd_wait.c \
	src/cli/cmd_why.c \
	src/cli/columns.c src/cli/columns.h \
	src/cli/command_table.c src/cli/command_table.h \
	src/cli/complete.c src/cli/complete.h \
	src/cli/config_change.c src/cli/config_change.h src/cli/config_change_priv.h \
	src/cli/config_change_edit.c \
	src/cli/config_change_file.c \
	src/cli/config_check.c src/cli/config_check.h \
	src/cli/config_diff.c src/cli/config_diff.h \
	src/cli/connect.c src/cli/connect.h \
	src/cli/daemon_stop.c src/cli/daemon_stop.h \
	src/cli/each.c src/cli/each.h \
	src/cli/each_job.c src/cli/each_job.h \
	src/cli/editor.c src/cli/editor.h \
	src/cli/exit.c src/cli/exit.h \
	src/cli/graph_submit.c src/cli/graph_submit.h \
	src/cli/gather.c src/cli/gather.h \
	src/cli/gather_show.c \
	src/cli/help.c src/cli/help.h \
	src/cli/log_lines.c src/cli/log_lines.h \
	src/cli/log_options.c src/cli/log_options.h \
	src/cli/log_place.c src/cli/log_place.h \
	src/cli/log_source.c src/cli/log_source.h \
	src/cli/log_runs.c src/cli/log_runs.h \
	src/cli/log_tail.c src/cli/log_tail.h \
	src/cli/logs_many.c src/cli/logs_many.h src/cli/logs.h \
	src/cli/logs_print.c src/cli/logs_priv.h \
	src/cli/job_end.c src/cli/job_end.h \
	src/cli/job_text.c src/cli/job_text.h \
	src/cli/json.c src/cli/json.h \
	src/cli/limits.c src/cli/limits.h \
	src/cli/options.c src/cli/options.h \
	src/cli/output.c src/cli/output.h \
	src/cli/program.c src/cli/program.h \
	src/cli/progress.c src/cli/progress.h \
	src/cli/reply_error.c src/cli/reply_error.h \
	src/cli/run_follow.c src/cli/run_follow.h \
	src/cli/run_input.c src/cli/run_input.h \
	src/cli/select.c src/cli/select.h \
	src/cli/set.h \
	src/cli/spec_json.c src/cli/spec_json.h \
	src/cli/start.c src/cli/start.h \
	src/cli/submit.c src/cli/submit.h \
	src/cli/systemd.c src/cli/systemd.h \
	src/cli/text.c src/cli/text.h \
	src/cli/time.c src/cli/time.h \
	src/cli/wait_call.c src/cli/wait_call.h
libcli_la_CPPFLAGS = $(AM_CPPFLAGS) -DSBINDIR=\"$(sbindir)\"
libcli_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SMARTCOLS_CFLAGS)

# what a program or a test that links libcli.la needs
CLI_LIBS = libcli.la libclient.la libvarlink.la libconfig.la libjob.la libbase.la \
	$(SMARTCOLS_LIBS) $(JANSSON_LIBS) $(INIH_LIBS)

bin_PROGRAMS += reeve
reeve_SOURCES = src/cli/main.c
reeve_CFLAGS = $(AM_CFLAGS)
reeve_LDADD = $(CLI_LIBS)

dist_man_MANS += src/cli/reeve.1
EXTRA_DIST += src/cli/README.md

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = contrib/completion/reeve.bash
