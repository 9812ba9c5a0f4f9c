# tests/bench

# echo over Unix sockets against a bare epoll loop
noinst_PROGRAMS += tests/bench/bench_echo
tests_bench_bench_echo_SOURCES = tests/bench/bench_echo.c
tests_bench_bench_echo_LDADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)
