noinst_LTLIBRARIES += libjob.la
libjob_la_SOURCES = \
	src/job/asks.c src/job/asks.h \
	src/job/backoff.c src/job/backoff.h \
	src/job/calendar.c src/job/calendar.h \
	src/job/calendar_fields.c \
	src/job/calendar_kind.c \
	src/job/calendar_parse.c \
	src/job/calendar_priv.h \
	src/job/callback.c src/job/callback.h \
	src/job/changeable.c src/job/changeable.h \
	src/job/codes.c \
	src/job/cron_parse.c \
	src/job/command_expand.c src/job/command_expand.h \
	src/job/deps.c src/job/deps.h \
	src/job/deps_search.c \
	src/job/env_filter.c src/job/env_filter.h \
	src/job/env_steps.c src/job/env_steps.h \
	src/job/fields.c src/job/fields.h src/job/fields.def \
	src/job/judge.c \
	src/job/rlimit.c \
	src/job/select.c src/job/select.h \
	src/job/signal.c \
	src/job/sort.c src/job/sort.h \
	src/job/spec.c src/job/spec.h \
	src/job/spec_pack.c \
	src/job/state.c src/job/state.h \
	src/job/time.c src/job/time.h \
	src/job/value_check.c \
	src/job/value_format.c \
	src/job/value_parse.c \
	src/job/value_priv.h \
	src/job/words.c src/job/words.h
EXTRA_DIST += src/job/README.md
