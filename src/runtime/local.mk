noinst_LTLIBRARIES += libruntime.la
libruntime_la_SOURCES = \
	src/runtime/coro.h src/runtime/coro_jump.h src/runtime/coro_stack.c \
	src/runtime/coro_switch.c src/runtime/coro_switch.h \
	src/runtime/current.h src/runtime/link.h \
	src/runtime/ctx.c \
	src/runtime/debug.c src/runtime/debug_priv.h \
	src/runtime/debug_dump.c \
	src/runtime/debug_overflow.c \
	src/runtime/debug_sample.c \
	src/runtime/debug_site.c \
	src/runtime/debug_stack.c \
	src/runtime/debug_stall.c src/runtime/stall_priv.h \
	src/runtime/debug_symbol.c \
	src/runtime/executor.c \
	src/runtime/file.c \
	src/runtime/future.c src/runtime/future_priv.h \
	src/runtime/future_shield.c \
	src/runtime/gather.c \
	src/runtime/gen.c \
	src/runtime/group.c \
	src/runtime/limits.c \
	src/runtime/loop.c src/runtime/loop_priv.h \
	src/runtime/log.c src/runtime/log_priv.h \
	src/runtime/loop_attach.c \
	src/runtime/loop_fork.c \
	src/runtime/loop_handle.c \
	src/runtime/loop_poll.c \
	src/runtime/loop_report.c \
	src/runtime/loop_signal.c \
	src/runtime/loop_timer.c \
	src/runtime/loop_wakeup.c \
	src/runtime/loop_watch.c \
	src/runtime/path.c \
	src/runtime/queue.c \
	src/runtime/race.c \
	src/runtime/runner.c \
	src/runtime/sched.h \
	src/runtime/scope.c \
	src/runtime/sync_barrier.c \
	src/runtime/sync_cond.c \
	src/runtime/sync_event.c \
	src/runtime/sync_limiter.c \
	src/runtime/sync_lock.c \
	src/runtime/sync_sem.c \
	src/runtime/task.c src/runtime/task_priv.h \
	src/runtime/task_hooks.c \
	src/runtime/task_info.c \
	src/runtime/task_wait.c \
	src/runtime/timer_heap.c src/runtime/timer_heap.h \
	src/runtime/wait.c src/runtime/wait_priv.h \
	src/runtime/wait_set.c \
	src/runtime/zero.h \
	src/runtime/xfuture.c
# a tail call would leave no frame of the function that was called: debug_stack.c
libruntime_la_CFLAGS = $(AM_CFLAGS) $(EVENT_CFLAGS) -fno-optimize-sibling-calls
if CORO_ASM
libruntime_la_SOURCES += src/runtime/coro_asm.S
endif

reeve_headers = \
	src/include/reeve/base.h \
	src/include/reeve/ctx.h \
	src/include/reeve/debug.h \
	src/include/reeve/executor.h \
	src/include/reeve/file.h \
	src/include/reeve/future.h \
	src/include/reeve/gen.h \
	src/include/reeve/group.h \
	src/include/reeve/limits.h \
	src/include/reeve/log.h \
	src/include/reeve/loop.h \
	src/include/reeve/path.h \
	src/include/reeve/queue.h \
	src/include/reeve/reeve.h \
	src/include/reeve/runner.h \
	src/include/reeve/scope.h \
	src/include/reeve/signal.h \
	src/include/reeve/sync.h \
	src/include/reeve/task.h \
	src/include/reeve/types.h \
	src/include/reeve/wait.h
include src/runtime/net.mk
# all headers stand in one folder, so the prefix is all that nobase would keep
reeveincludedir = $(includedir)/reeve
reeveinclude_HEADERS = $(reeve_headers)

# Current:revision:age. A change of code only: revision + 1. Something added: current + 1,
# revision 0, age + 1. Something changed or taken away: current + 1, revision 0, age 0.
lib_LTLIBRARIES += libreeve.la
libreeve_la_SOURCES =
libreeve_la_LIBADD = libruntime.la libbase.la $(EVENT_LIBS) $(PTHREAD_LIBS)
libreeve_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/src/runtime/libreeve.sym
libreeve_la_DEPENDENCIES = libruntime.la libbase.la src/runtime/libreeve.sym

# an archive hides no names: those that are not public get a prefix where it is installed,
# rv__private_, which debug_symbol.c takes away again
prefix_names = NM='$(NM)' OBJCOPY='$(OBJCOPY)' RANLIB='$(RANLIB)' \
	$(SHELL) $(srcdir)/src/runtime/prefix_names.sh
EXTRA_DIST += src/runtime/prefix_names.sh
install-exec-hook:
	@if test -n '$(OBJCOPY)'; then \
		for i in libreeve:rv_ libreeve-http:rv_http_; do \
			a="$(DESTDIR)$(libdir)/$${i%:*}.a"; p=$${i#*:}; \
			test ! -f "$$a" || \
				$(prefix_names) "$$a" "$$p" "$${p}_private_" || exit 1; \
		done; \
	fi

pkgconfig_DATA = src/runtime/reeve.pc
src/runtime/reeve.pc: $(srcdir)/src/runtime/reeve.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) src/runtime && $(SED) -e 's|[@]prefix@|$(prefix)|' \
		-e 's|[@]exec_prefix@|$(exec_prefix)|' -e 's|[@]libdir@|$(libdir)|' \
		-e 's|[@]includedir@|$(includedir)|' -e 's|[@]VERSION@|$(VERSION)|' \
		$(srcdir)/src/runtime/reeve.pc.in > $@
CLEANFILES += src/runtime/reeve.pc
EXTRA_DIST += src/runtime/libreeve.sym src/runtime/reeve.pc.in src/runtime/README.md

# manual: libreeve(3) by hand, a page for each header made from it
dist_man_MANS += src/runtime/libreeve.3
libreeve_pages = \
	src/runtime/man/reeve_base.3 \
	src/runtime/man/reeve_ctx.3 \
	src/runtime/man/reeve_debug.3 \
	src/runtime/man/reeve_dns.3 \
	src/runtime/man/reeve_executor.3 \
	src/runtime/man/reeve_file.3 \
	src/runtime/man/reeve_future.3 \
	src/runtime/man/reeve_gen.3 \
	src/runtime/man/reeve_group.3 \
	src/runtime/man/reeve_inet.3 \
	src/runtime/man/reeve_limits.3 \
	src/runtime/man/reeve_log.3 \
	src/runtime/man/reeve_loop.3 \
	src/runtime/man/reeve_net.3 \
	src/runtime/man/reeve_path.3 \
	src/runtime/man/reeve_pipe.3 \
	src/runtime/man/reeve_process.3 \
	src/runtime/man/reeve_procpool.3 \
	src/runtime/man/reeve_queue.3 \
	src/runtime/man/reeve_runner.3 \
	src/runtime/man/reeve_scope.3 \
	src/runtime/man/reeve_signal.3 \
	src/runtime/man/reeve_stream.3 \
	src/runtime/man/reeve_sync.3 \
	src/runtime/man/reeve_task.3 \
	src/runtime/man/reeve_transport.3 \
	src/runtime/man/reeve_types.3 \
	src/runtime/man/reeve_udp.3 \
	src/runtime/man/reeve_wait.3
nodist_man_MANS = $(libreeve_pages)
src/runtime/man/reeve_%.3: src/include/reeve/%.h src/runtime/man.awk
	$(AM_V_GEN)$(MKDIR_P) src/runtime/man && $(AWK) -v module=$* \
		-v date="November 28, 2026" -f $(srcdir)/src/runtime/man.awk $< > $@.new && \
		mv $@.new $@
CLEANFILES += $(libreeve_pages)
EXTRA_DIST += src/runtime/man.awk
