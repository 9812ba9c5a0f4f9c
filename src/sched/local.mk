noinst_LTLIBRARIES += libsched.la
libsched_la_SOURCES = \
	src/sched/admission.c src/sched/admission.h \
	src/sched/demand.c \
	src/sched/explain.c \
	src/sched/limit.h \
	src/sched/pool.c src/sched/pool.h \
	src/sched/rate.c src/sched/rate.h \
	src/sched/restart.c src/sched/restart.h \
	src/sched/schedule.c src/sched/schedule.h
EXTRA_DIST += src/sched/README.md
