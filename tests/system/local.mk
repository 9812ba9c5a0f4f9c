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
	tests/system/100-exit-codes.sh \
	tests/system/101-selectors.sh \
	tests/system/102-control.sh \
	tests/system/103-output.sh \
	tests/system/104-properties.sh \
	tests/system/105-batch.sh \
	tests/system/106-functions.sh \
	tests/system/200-on-reboot-on-lost.sh \
	tests/system/201-retention.sh \
	tests/system/202-min-free.sh \
	tests/system/203-compile.sh \
	tests/system/204-ten-thousand.sh

TESTS += $(system_tests)
EXTRA_DIST += tests/.shellcheckrc tests/system/README.md $(system_tests)
