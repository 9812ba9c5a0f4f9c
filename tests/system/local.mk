# tests/system: the real programs, each script with a daemon of its own. In the order of
# their numbers (README.md says what the numbers mean).
system_tests =

TESTS += $(system_tests)
EXTRA_DIST += tests/system/README.md $(system_tests)
