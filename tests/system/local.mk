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
	tests/system/008-idle.sh

TESTS += $(system_tests)
EXTRA_DIST += tests/system/README.md $(system_tests)
