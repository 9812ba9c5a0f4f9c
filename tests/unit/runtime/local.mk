# tests/unit/runtime
RUNTIME_TEST_LIBS = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS) $(CHECK_LIBS)
RUNTIME_TEST_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
EXTRA_DIST += tests/unit/runtime/CATALOGUE tests/unit/runtime/rt.h \
	tests/unit/runtime/shadow_stack.sh tests/unit/runtime/valgrind.sh

if HAVE_CHECK
unit_runtime_tests = \
	tests/unit/runtime/test_coro \
	tests/unit/runtime/test_coro_wide \
	tests/unit/runtime/test_task \
	tests/unit/runtime/test_task_cancel \
	tests/unit/runtime/test_clock \
	tests/unit/runtime/test_scope \
	tests/unit/runtime/test_getters \
	tests/unit/runtime/test_group \
	tests/unit/runtime/test_supervise \
	tests/unit/runtime/test_limiter \
	tests/unit/runtime/test_limits \
	tests/unit/runtime/test_loop \
	tests/unit/runtime/test_watch \
	tests/unit/runtime/test_loop_attach \
	tests/unit/runtime/test_timer_heap \
	tests/unit/runtime/test_queue \
	tests/unit/runtime/test_sync \
	tests/unit/runtime/test_future \
	tests/unit/runtime/test_memory \
	tests/unit/runtime/test_memory_wait \
	tests/unit/runtime/test_threads \
	tests/unit/runtime/test_runner \
	tests/unit/runtime/test_ctx \
	tests/unit/runtime/test_file \
	tests/unit/runtime/test_file_hard \
	tests/unit/runtime/test_fork \
	tests/unit/runtime/test_gen \
	tests/unit/runtime/test_inet \
	tests/unit/runtime/test_many \
	tests/unit/runtime/test_meet \
	tests/unit/runtime/test_process \
	tests/unit/runtime/test_process_protocol \
	tests/unit/runtime/test_procpool \
	tests/unit/runtime/test_random_waits \
	tests/unit/runtime/test_same_round \
	tests/unit/runtime/test_signal \
	tests/unit/runtime/test_task_hooks \
	tests/unit/runtime/test_timer \
	tests/unit/runtime/test_wait \
	tests/unit/runtime/test_woken \
	tests/unit/runtime/test_shield \
	tests/unit/runtime/test_xfuture
check_PROGRAMS += $(unit_runtime_tests)
TESTS += $(unit_runtime_tests)

TESTS += tests/unit/runtime/shadow_stack.sh

# runs some of them once more
TESTS += tests/unit/runtime/valgrind.sh
tests/unit/runtime/valgrind.log: $(unit_runtime_tests)

tests_unit_runtime_test_coro_SOURCES = tests/unit/runtime/test_coro.c
tests_unit_runtime_test_coro_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_coro_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_coro_wide_SOURCES = \
	tests/unit/runtime/test_coro_wide.c
tests_unit_runtime_test_coro_wide_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_coro_wide_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_task_SOURCES = tests/unit/runtime/test_task.c
tests_unit_runtime_test_task_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_task_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_task_cancel_SOURCES = \
	tests/unit/runtime/test_task_cancel.c
tests_unit_runtime_test_task_cancel_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_task_cancel_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_scope_SOURCES = tests/unit/runtime/test_scope.c
tests_unit_runtime_test_scope_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_scope_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_getters_SOURCES = tests/unit/runtime/test_getters.c
tests_unit_runtime_test_getters_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_getters_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_group_SOURCES = tests/unit/runtime/test_group.c
tests_unit_runtime_test_group_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_group_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_limiter_SOURCES = tests/unit/runtime/test_limiter.c
tests_unit_runtime_test_limiter_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_limiter_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_limits_SOURCES = tests/unit/runtime/test_limits.c
tests_unit_runtime_test_limits_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_limits_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_loop_SOURCES = tests/unit/runtime/test_loop.c
tests_unit_runtime_test_loop_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_loop_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_loop_attach_SOURCES = \
	tests/unit/runtime/test_loop_attach.c tests/support/alloc_fail.c
tests_unit_runtime_test_loop_attach_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_loop_attach_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_loop_attach_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_timer_heap_SOURCES = \
	tests/unit/runtime/test_timer_heap.c tests/support/alloc_fail.c
tests_unit_runtime_test_timer_heap_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_timer_heap_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_timer_heap_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_queue_SOURCES = tests/unit/runtime/test_queue.c
tests_unit_runtime_test_queue_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_queue_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_sync_SOURCES = tests/unit/runtime/test_sync.c
tests_unit_runtime_test_sync_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_sync_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_future_SOURCES = tests/unit/runtime/test_future.c
tests_unit_runtime_test_future_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_future_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_memory_SOURCES = tests/unit/runtime/test_memory.c \
	tests/support/alloc_fail.c
tests_unit_runtime_test_memory_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_memory_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_memory_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_memory_wait_SOURCES = \
	tests/unit/runtime/test_memory_wait.c tests/support/alloc_fail.c
tests_unit_runtime_test_memory_wait_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_memory_wait_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_memory_wait_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_threads_SOURCES = tests/unit/runtime/test_threads.c
tests_unit_runtime_test_threads_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_threads_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_ctx_SOURCES = tests/unit/runtime/test_ctx.c
tests_unit_runtime_test_ctx_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_ctx_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_file_SOURCES = tests/unit/runtime/test_file.c
tests_unit_runtime_test_file_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_file_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_file_hard_SOURCES = tests/unit/runtime/test_file_hard.c
tests_unit_runtime_test_file_hard_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_file_hard_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_gen_SOURCES = tests/unit/runtime/test_gen.c
tests_unit_runtime_test_gen_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_gen_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_inet_SOURCES = tests/unit/runtime/test_inet.c
tests_unit_runtime_test_inet_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_inet_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_many_SOURCES = tests/unit/runtime/test_many.c
tests_unit_runtime_test_many_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_many_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_meet_SOURCES = tests/unit/runtime/test_meet.c
tests_unit_runtime_test_meet_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_meet_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_process_SOURCES = tests/unit/runtime/test_process.c
tests_unit_runtime_test_process_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_process_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_process_protocol_SOURCES = \
	tests/unit/runtime/test_process_protocol.c tests/support/alloc_fail.c
tests_unit_runtime_test_process_protocol_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_process_protocol_LDFLAGS = $(alloc_fail_ldflags)
tests_unit_runtime_test_process_protocol_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_procpool_SOURCES = tests/unit/runtime/test_procpool.c
tests_unit_runtime_test_procpool_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_procpool_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_fork_SOURCES = tests/unit/runtime/test_fork.c
tests_unit_runtime_test_fork_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_fork_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_random_waits_SOURCES = tests/unit/runtime/test_random_waits.c
tests_unit_runtime_test_random_waits_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_random_waits_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_woken_SOURCES = tests/unit/runtime/test_woken.c
tests_unit_runtime_test_woken_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_woken_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_same_round_SOURCES = tests/unit/runtime/test_same_round.c
tests_unit_runtime_test_same_round_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_same_round_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_signal_SOURCES = tests/unit/runtime/test_signal.c
tests_unit_runtime_test_signal_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_signal_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_task_hooks_SOURCES = \
	tests/unit/runtime/test_task_hooks.c
tests_unit_runtime_test_task_hooks_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_task_hooks_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_timer_SOURCES = tests/unit/runtime/test_timer.c
tests_unit_runtime_test_timer_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_timer_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_clock_SOURCES = tests/unit/runtime/test_clock.c
tests_unit_runtime_test_clock_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_clock_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_shield_SOURCES = tests/unit/runtime/test_shield.c
tests_unit_runtime_test_shield_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_shield_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_supervise_SOURCES = tests/unit/runtime/test_supervise.c
tests_unit_runtime_test_supervise_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_supervise_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_watch_SOURCES = tests/unit/runtime/test_watch.c
tests_unit_runtime_test_watch_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_watch_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_runner_SOURCES = tests/unit/runtime/test_runner.c
tests_unit_runtime_test_runner_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_runner_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_wait_SOURCES = tests/unit/runtime/test_wait.c
tests_unit_runtime_test_wait_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_wait_LDADD = $(RUNTIME_TEST_LIBS)

tests_unit_runtime_test_xfuture_SOURCES = tests/unit/runtime/test_xfuture.c
tests_unit_runtime_test_xfuture_CFLAGS = $(RUNTIME_TEST_CFLAGS)
tests_unit_runtime_test_xfuture_LDADD = $(RUNTIME_TEST_LIBS)
endif
include tests/unit/runtime/net.mk
include tests/unit/runtime/debug.mk
