# tests/system: the real programs, each script with a daemon of its own. In the order of
# their numbers (README.md says what the numbers mean).
system_tests = \
	tests/system/000-start-stop.sh \
	tests/system/001-one-instance.sh \
	tests/system/002-shutdown-terminate.sh \
	tests/system/003-shutdown-drain.sh \
	tests/system/004-shutdown-detach.sh \
	tests/system/005-reload.sh \
	tests/system/006-autostart.sh \
	tests/system/007-runtime-directory.sh \
	tests/system/008-idle.sh \
	tests/system/009-service-manager.sh \
	tests/system/010-restart-meanwhile.sh \
	tests/system/011-dump.sh \
	tests/system/012-config-edit.sh \
	tests/system/013-config-diff.sh \
	tests/system/100-exit-codes.sh \
	tests/system/101-selectors.sh \
	tests/system/102-control.sh \
	tests/system/103-output.sh \
	tests/system/104-properties.sh \
	tests/system/105-batch.sh \
	tests/system/106-functions.sh \
	tests/system/107-two-users.sh \
	tests/system/108-without-its-spawner.sh \
	tests/system/109-stopped-spawner.sh \
	tests/system/110-functions-that-hang.sh \
	tests/system/111-completion.sh \
	tests/system/112-strangers.sh \
	tests/system/113-wait.sh \
	tests/system/114-each.sh \
	tests/system/115-gather.sh \
	tests/system/116-progress.sh \
	tests/system/117-sort-columns.sh \
	tests/system/200-on-reboot-on-lost.sh \
	tests/system/201-retention.sh \
	tests/system/202-min-free.sh \
	tests/system/203-compile.sh \
	tests/system/204-ten-thousand.sh \
	tests/system/205-started-ahead.sh \
	tests/system/206-pools.sh \
	tests/system/207-order.sh \
	tests/system/208-time.sh \
	tests/system/210-events.sh \
	tests/system/211-ps.sh \
	tests/system/212-set.sh \
	tests/system/213-edit.sh \
	tests/system/214-history.sh \
	tests/system/215-stats.sh \
	tests/system/217-send.sh \
	tests/system/220-schedules.sh \
	tests/system/221-schedule-overlap.sh \
	tests/system/222-schedule-changes.sh \
	tests/system/223-schedule-users.sh \
	tests/system/224-schedule-edges.sh \
	tests/system/230-callbacks.sh \
	tests/system/231-callback-users.sh \
	tests/system/240-dependencies.sh \
	tests/system/241-graph.sh \
	tests/system/242-random-graph.sh

# 4xx: limits and hostile clients; full disks, broken files. 5xx: other programs
system_tests += \
	tests/system/250-services.sh \
	tests/system/251-service-users.sh \
	tests/system/252-service-verbs.sh \
	tests/system/253-service-reload.sh \
	tests/system/254-service-scale.sh \
	tests/system/255-service-age.sh \
	tests/system/256-service-readiness.sh \
	tests/system/257-after-service.sh \
	tests/system/259-service-full-disk.sh \
	tests/system/265-environments.sh \
	tests/system/266-environments-of-services.sh \
	tests/system/267-environment-users.sh \
	tests/system/268-environment-files.sh \
	tests/system/275-service-hooks.sh \
	tests/system/276-service-hooks-crash.sh \
	tests/system/277-service-reload-command.sh \
	tests/system/278-service-max-memory.sh \
	tests/system/279-service-restart-at.sh \
	tests/system/260-service-order.sh \
	tests/system/261-service-groups.sh \
	tests/system/262-service-roll.sh \
	tests/system/263-service-counts.sh tests/system/264-service-start.sh \
	tests/system/285-idle-services.sh \
	tests/system/286-crashing-services.sh \
	tests/system/287-real-services.sh \
	tests/system/288-broken-files.sh \
	tests/system/289-service-restarts.sh \
	tests/system/291-service-pace.sh \
	tests/system/294-service-problems.sh \
	tests/system/295-defaults-of-services.sh \
	tests/system/270-log-rotation.sh \
	tests/system/271-log-budget.sh \
	tests/system/272-log-times.sh \
	tests/system/273-log-filters.sh \
	tests/system/274-logs-at-once.sh \
	tests/system/280-liveness.sh \
	tests/system/281-said-meanwhile.sh \
	tests/system/282-probe-turns.sh \
	tests/system/283-extend-timeout.sh \
	tests/system/400-protocol.sh \
	tests/system/401-clients-that-stall.sh \
	tests/system/402-connections.sh \
	tests/system/403-limits.sh \
	tests/system/404-commands.sh \
	tests/system/405-stuck-starts.sh \
	tests/system/406-full-disk.sh \
	tests/system/407-databases.sh \
	tests/system/408-configuration.sh \
	tests/system/409-hostile-environment.sh \
	tests/system/410-pid-one.sh \
	tests/system/411-many-followers.sh \
	tests/system/412-few-descriptors.sh \
	tests/system/500-varlinkctl.sh \
	tests/system/501-python-varlink.sh \
	tests/system/502-service-manager.sh

TESTS += $(system_tests)
EXTRA_DIST += tests/.shellcheckrc tests/system/README.md $(system_tests)
