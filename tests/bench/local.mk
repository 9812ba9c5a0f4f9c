# tests/bench

check_PROGRAMS += tests/bench/bench_store
tests_bench_bench_store_SOURCES = tests/bench/bench_store.c
tests_bench_bench_store_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_bench_bench_store_LDADD = libstore.la libbase.la $(SQLITE_LIBS)
# echo over Unix sockets against a bare epoll loop
noinst_PROGRAMS += tests/bench/bench_echo
tests_bench_bench_echo_SOURCES = tests/bench/bench_echo.c
tests_bench_bench_echo_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)
