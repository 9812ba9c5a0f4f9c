# tests/bench

check_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c
tests_bench_bench_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_bench_bench_store_LDADD = libstore.la libbase.la $(SQLITE_LIBS)
# echo over Unix sockets against a bare epoll loop
noinst_PROGRAMS += tests/bench/bench_echo
tests_bench_bench_echo_SOURCES = tests/bench/bench_echo.c
tests_bench_bench_echo_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)

# benchmarks of the whole: each prints ratios to a reference of its own
bench_common = tests/bench/bench.c tests/bench/bench.h
bench_libs = libclient.la libvarlink.la libbase.la $(JANSSON_LIBS) $(PTHREAD_LIBS)

noinst_PROGRAMS += tests/bench/bench_jobs
tests_bench_bench_jobs_SOURCES = tests/bench/bench_jobs.c $(bench_common)
tests_bench_bench_jobs_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/tests/bench
tests_bench_bench_jobs_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_bench_bench_jobs_LDADD = $(bench_libs)
