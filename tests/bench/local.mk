# tests/bench
EXTRA_DIST += tests/bench/README.md

check_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c
tests_bench_bench_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_bench_bench_store_LDADD = libstore.la libbase.la $(SQLITE_LIBS)
# echo over Unix sockets against a bare epoll loop
noinst_PROGRAMS += tests/bench/bench_echo
tests_bench_bench_echo_SOURCES = tests/bench/bench_echo.c
tests_bench_bench_echo_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)

# the runtime against a bare scheduler
noinst_PROGRAMS += tests/bench/bench_runtime
tests_bench_bench_runtime_SOURCES = tests/bench/bench_runtime.c tests/bench/works.h \
	tests/bench/works_bare.c tests/bench/works_ours.c tests/bench/bare.c tests/bench/bare.h
tests_bench_bench_runtime_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_runtime_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)

# and beside other runtimes
bench_peers = \
	tests/bench/peers/compare.sh \
	tests/bench/peers/peer.go \
	tests/bench/peers/peer.js \
	tests/bench/peers/peer.py \
	tests/bench/peers/peer_uv.c \
	tests/bench/peers/tokio/Cargo.toml \
	tests/bench/peers/tokio/src/main.rs
TESTS += tests/bench/peers.sh
EXTRA_DIST += tests/bench/peers.sh $(bench_peers)
tests/bench/peers.log: tests/bench/bench_runtime$(EXEEXT) $(bench_peers)
# what compare.sh has built
clean-local:
	rm -rf tests/bench/peers.out

# very many tasks at once; in make check not so many
noinst_PROGRAMS += tests/bench/bench_many
tests_bench_bench_many_SOURCES = tests/bench/bench_many.c
tests_bench_bench_many_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)
TESTS += tests/bench/many.sh
EXTRA_DIST += tests/bench/many.sh
tests/bench/many.log: tests/bench/bench_many$(EXEEXT)

# benchmarks of the whole: each prints ratios to a reference of its own
bench_common = tests/bench/bench.c tests/bench/bench.h
bench_libs = libclient.la libvarlink.la libbase.la $(JANSSON_LIBS) $(PTHREAD_LIBS)

noinst_PROGRAMS += tests/bench/bench_jobs
tests_bench_bench_jobs_SOURCES = tests/bench/bench_jobs.c $(bench_common)
tests_bench_bench_jobs_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_jobs_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_jobs_LDADD = $(bench_libs)

noinst_PROGRAMS += tests/bench/bench_ping
tests_bench_bench_ping_SOURCES = tests/bench/bench_ping.c $(bench_common)
tests_bench_bench_ping_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_ping_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_ping_LDADD = $(bench_libs)

noinst_PROGRAMS += tests/bench/bench_add
tests_bench_bench_add_SOURCES = tests/bench/bench_add.c $(bench_common)
tests_bench_bench_add_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_add_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_add_LDADD = $(bench_libs)

noinst_PROGRAMS += tests/bench/bench_scale
tests_bench_bench_scale_SOURCES = tests/bench/bench_scale.c $(bench_common)
tests_bench_bench_scale_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_scale_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_scale_LDADD = $(bench_libs)

noinst_PROGRAMS += tests/bench/bench_slots
tests_bench_bench_slots_SOURCES = tests/bench/bench_slots.c $(bench_common)
tests_bench_bench_slots_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_slots_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_slots_LDADD = $(bench_libs)
noinst_PROGRAMS += tests/bench/bench_stamps
tests_bench_bench_stamps_SOURCES = tests/bench/bench_stamps.c $(bench_common)
tests_bench_bench_stamps_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_stamps_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_stamps_LDADD = $(bench_libs)
noinst_PROGRAMS += tests/bench/busy
tests_bench_busy_SOURCES = tests/bench/busy.c

noinst_PROGRAMS += tests/bench/bench_crash
tests_bench_bench_crash_SOURCES = tests/bench/bench_crash.c $(bench_common)
tests_bench_bench_crash_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_crash_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_crash_LDADD = $(bench_libs)

noinst_PROGRAMS += tests/bench/bench_latency
tests_bench_bench_latency_SOURCES = tests/bench/bench_latency.c $(bench_common)
tests_bench_bench_latency_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_latency_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_latency_LDADD = $(bench_libs)
