/* Debug mode: functions of the loop's thread, called in another. Behaviour 24. */
#include "debug_test.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static const rv_run_opts debug_opts = {.debug = true};

/* everything that another thread lays its hands on */
struct things {
	rv_loop *loop;
	rv_task *task;
	rv_future *future;
	rv_group group;
	rv_scope scope;
	rv_lock lock;
	rv_event event;
	rv_cond cond;
	rv_sem sem;
	rv_limiter limiter;
	rv_barrier barrier;
	rv_queue *queue;
	rv_stream *stream;
	rv_transport *transport;
	rv_server *server;
	rv_process *process;
	rv_watch *watch;
	rv_timer timer;
	rv_handle handle;
	rv_gen *gen;
	int peer;
	unsigned n_expected; /* calls that are to be reported */
};

static void never_cb(void *arg)
{
	ck_abort_msg("a callback of a refused call has run");
}

static void never_done(rv_future *f, void *arg)
{
	ck_abort_msg("a callback of a refused registration has run");
}

static void never_fd(int fd, unsigned ev, void *arg)
{
	ck_abort_msg("a watch has fired");
}

static int never_run(void *arg)
{
	ck_abort_msg("the body of a refused task has run");
	return 0;
}

static void count_free(void *n)
{
	(*(unsigned *)n)++;
}

/* each evaluates a call that must be refused so, and reported */
#define REFUSED(x, call)                                \
	do {                                            \
		ck_assert_int_eq(call, -RV_EWRONGLOOP); \
		(x)->n_expected++;                      \
	} while (0)
#define FALSE(x, call)              \
	do {                        \
		ck_assert(!(call)); \
		(x)->n_expected++;  \
	} while (0)
#define IGNORED(x, call)           \
	do {                       \
		call;              \
		(x)->n_expected++; \
	} while (0)

static void use_loop(struct things *x)
{
	rv_loop *l = x->loop;
	rv_exc e = RV_EXC_NULL;
	rv_watch *w;

	FALSE(x, rv_call_soon(l, never_cb, NULL).p);
	FALSE(x, rv_call_later(l, 1, never_cb, NULL).p);
	FALSE(x, rv_call_at(l, 1, never_cb, NULL).p);
	FALSE(x, rv_call_at_boot(l, 1, never_cb, NULL).p);
	FALSE(x, rv_call_at_wall(l, 1, never_cb, NULL).p);
	FALSE(x, rv_handle_cancel(l, x->handle));
	IGNORED(x, ck_assert(rv_handle_active(l, x->handle)));
	IGNORED(x, rv_loop_stop(l));
	IGNORED(x, rv_loop_set_exception_handler(l, NULL, NULL));
	e.message = "from elsewhere";
	IGNORED(x, rv_report(l, &e));
	REFUSED(x, rv_fd_watch(l, 0, RV_READ, never_fd, NULL, &w));
	FALSE(x, rv_fd_unwatch(x->watch));
	REFUSED(x, rv_signal_on(l, SIGUSR1, never_cb, NULL));
	REFUSED(x, rv_loop_attach(l, x, x, never_cb));
	FALSE(x, rv_loop_attached(l, x));
	REFUSED(x, rv_loop_set_task_hooks(l, NULL));
}

static void use_loop_more(struct things *x)
{
	rv_loop *l = x->loop;
	rv_stack_census census;
	rv_site_census site;

	FALSE(x, rv_signal_off(l, SIGUSR1));
	IGNORED(x, rv_timer_start(&x->timer, 1));
	IGNORED(x, rv_timer_stop(&x->timer));
	REFUSED(x, rv_loop_on_clock_jump(l, never_cb, NULL));
	IGNORED(x, rv_loop_clock_jumped(l));
	REFUSED(x, rv_task_foreach(l, NULL, NULL));
	REFUSED(x, rv_debug_census(l, &census, 1));
	REFUSED(x, rv_debug_census_by_site(l, &site, 1));
	REFUSED(x, rv_debug_stacks(l, NULL, NULL));
	IGNORED(x, rv_debug_dump_tasks(l, -1));
	/* not reported: running a loop twice is refused in any mode */
	ck_assert_int_eq(rv_loop_run_forever(l), -RV_ERUNNING);
	ck_assert_int_eq(rv_loop_run_once(l, 0), -RV_ERUNNING);
	ck_assert_int_eq(rv_loop_close(l), -RV_ERUNNING);
}

static void use_task(struct things *x)
{
	unsigned n_freed = 0;
	rv_task_opts o = {.loop = x->loop, .arg_dtor = count_free};
	void *pc;
	rv_task *t = NULL;

	REFUSED(x, rv_spawn_ex(&t, &o, never_run, &n_freed));
	ck_assert_uint_eq(n_freed, 1);
	IGNORED(x, ck_assert_ptr_eq(rv_task_ref(x->task), x->task));
	IGNORED(x, rv_task_unref(x->task));
	IGNORED(x, rv_task_detach(x->task));
	FALSE(x, rv_task_cancel(x->task));
	FALSE(x, rv_task_cancel_why(x->task, "%s", "why"));
	REFUSED(x, rv_task_result(x->task, NULL));
	REFUSED(x, rv_task_await(x->task, NULL));
	REFUSED(x, rv_task_join(x->task, NULL));
	REFUSED(x, rv_wait_for_task(x->task, 1, NULL));
	REFUSED(x, rv_task_set_name(x->task, "other"));
	FALSE(x, rv_task_future(x->task));
	FALSE(x, rv_task_uncancel(x->task));
	REFUSED(x, rv_task_backtrace(x->task, &pc, 1));
	IGNORED(x, rv_task_print(x->task, -1));
}

static void use_future(struct things *x)
{
	rv_future *f;

	REFUSED(x, rv_future_new(&f, x->loop));
	IGNORED(x, ck_assert_ptr_eq(rv_future_ref(x->future), x->future));
	IGNORED(x, rv_future_unref(x->future));
	REFUSED(x, rv_future_set(x->future, NULL, NULL));
	REFUSED(x, rv_future_fail(x->future, -EIO, NULL));
	FALSE(x, rv_future_cancel(x->future));
	REFUSED(x, rv_future_result(x->future, NULL));
	REFUSED(x, rv_future_take(x->future, NULL));
	FALSE(x, rv_future_on_done(x->future, never_done, NULL));
	FALSE(x, rv_future_off_done(x->future, 1));
	FALSE(x, rv_future_off_done_fn(x->future, never_done, NULL));
	REFUSED(x, rv_future_await(x->future, NULL));
	REFUSED(x, rv_future_shield(x->future, &f));
	FALSE(x, rv_future_done(x->future));
	FALSE(x, rv_future_cancelled(x->future));
}

static void use_scopes(struct things *x)
{
	unsigned n_freed = 0;
	rv_task_opts o = {.arg_dtor = count_free};

	FALSE(x, rv_group_spawn(&x->group, never_run, NULL));
	REFUSED(x, rv_group_spawn_ex(&x->group, &o, never_run, &n_freed, NULL));
	ck_assert_uint_eq(n_freed, 1);
	FALSE(x, rv_group_spawn_service(&x->group, never_run, NULL));
	REFUSED(x, rv_group_start(&x->group, never_run, NULL, NULL));
	IGNORED(x, rv_group_cancel(&x->group, "no"));
	IGNORED(x, rv_group_on_exit(&x->group, NULL, NULL));
	IGNORED(x, rv_scope_cancel(&x->scope, "no"));
	REFUSED(x, rv_scope_reschedule(&x->scope, 1));
	REFUSED(x, rv_gen_close(x->gen));
	REFUSED(x, rv_gen_next(x->gen, NULL));
}

static void use_sync(struct things *x)
{
	rv_token token = RV_TOKEN_NULL;

	REFUSED(x, rv_lock_acquire(&x->lock));
	FALSE(x, rv_lock_try(&x->lock));
	REFUSED(x, rv_lock_release(&x->lock));
	REFUSED(x, rv_event_wait(&x->event));
	IGNORED(x, rv_event_set(&x->event));
	IGNORED(x, rv_event_clear(&x->event));
	REFUSED(x, rv_cond_wait(&x->cond));
	REFUSED(x, rv_cond_notify(&x->cond, 1));
	REFUSED(x, rv_cond_notify_all(&x->cond));
	REFUSED(x, rv_sem_acquire(&x->sem));
	FALSE(x, rv_sem_try(&x->sem));
	REFUSED(x, rv_sem_release(&x->sem));
	REFUSED(x, rv_limiter_try(&x->limiter, &token));
	REFUSED(x, rv_limiter_acquire(&x->limiter, &token));
	REFUSED(x, rv_limiter_release(&x->limiter, &token));
	IGNORED(x, rv_limiter_set_total(&x->limiter, 9));
	REFUSED(x, rv_barrier_wait(&x->barrier));
	IGNORED(x, rv_barrier_reset(&x->barrier));
	IGNORED(x, rv_barrier_abort(&x->barrier));
}

static void use_queue(struct things *x)
{
	void *item;

	REFUSED(x, rv_queue_put(x->queue, x));
	REFUSED(x, rv_queue_get(x->queue, &item));
	REFUSED(x, rv_queue_try_put(x->queue, x));
	REFUSED(x, rv_queue_try_get(x->queue, &item));
	REFUSED(x, rv_queue_task_done(x->queue));
	REFUSED(x, rv_queue_join(x->queue));
	IGNORED(x, rv_queue_shutdown(x->queue, true));
	IGNORED(x, ck_assert_uint_eq(rv_queue_size(x->queue), 1));
	IGNORED(x, ck_assert(!rv_queue_empty(x->queue)));
	IGNORED(x, ck_assert(!rv_queue_full(x->queue)));
}

static void use_stream(struct things *x)
{
	const char *out;
	char *all, c;
	size_t n;

	IGNORED(x, ck_assert_ptr_eq(rv_stream_ref(x->stream), x->stream));
	IGNORED(x, rv_stream_unref(x->stream));
	REFUSED(x, rv_stream_write(x->stream, "x", 1));
	REFUSED(x, rv_stream_printf(x->stream, "x"));
	REFUSED(x, rv_stream_drain(x->stream));
	REFUSED(x, rv_stream_send(x->stream, "x", 1));
	REFUSED(x, rv_stream_write_eof(x->stream));
	IGNORED(x, rv_stream_close(x->stream));
	IGNORED(x, rv_stream_abort(x->stream));
	REFUSED(x, rv_stream_wait_closed(x->stream));
	REFUSED(x, (int)rv_stream_read(x->stream, &c, 1));
	REFUSED(x, rv_stream_readexactly(x->stream, &c, 1, NULL));
	REFUSED(x, rv_stream_readuntil(x->stream, "\n", 1, &out, &n));
	REFUSED(x, rv_stream_readline(x->stream, &out, &n));
	REFUSED(x, rv_stream_read_all(x->stream, 9, &all, &n));
}

static void use_transport(struct things *x)
{
	struct iovec v = {.iov_base = RT_W("x"), .iov_len = 1};
	unsigned n_freed = 0;
	size_t n;

	REFUSED(x, rv_stream_set_limit(x->stream, 9));
	IGNORED(x, ck_assert_ptr_eq(rv_transport_ref(x->transport), x->transport));
	IGNORED(x, rv_transport_unref(x->transport));
	IGNORED(x, rv_transport_pause_reading(x->transport));
	IGNORED(x, rv_transport_resume_reading(x->transport));
	IGNORED(x, rv_transport_close(x->transport));
	IGNORED(x, rv_transport_abort(x->transport));
	IGNORED(x, rv_transport_set_protocol(x->transport, NULL));
	FALSE(x, rv_transport_info(x->transport, RV_INFO_PEER, &n));
	FALSE(x, rv_transport_spawn(x->transport, never_run, NULL));
	REFUSED(x, rv_transport_set_watermarks(x->transport, 2, 1));
	REFUSED(x, rv_transport_write(x->transport, "x", 1));
	REFUSED(x, rv_transport_writev(x->transport, &v, 1));
	REFUSED(x, rv_transport_write_take(x->transport, &n_freed, 1, count_free));
	ck_assert_uint_eq(n_freed, 1);
	REFUSED(x, rv_transport_write_eof(x->transport));
}

static void use_server_and_process(struct things *x)
{
	int status;

	IGNORED(x, ck_assert_ptr_eq(rv_server_ref(x->server), x->server));
	IGNORED(x, rv_server_unref(x->server));
	REFUSED(x, rv_server_start(x->server));
	IGNORED(x, rv_server_pause(x->server));
	IGNORED(x, rv_server_close(x->server));
	REFUSED(x, rv_server_wait_closed(x->server));
	REFUSED(x, rv_server_shutdown(x->server, 1));
	IGNORED(x, ck_assert_ptr_eq(rv_process_ref(x->process), x->process));
	IGNORED(x, rv_process_unref(x->process));
	REFUSED(x, rv_process_wait(x->process, &status));
	REFUSED(x, rv_process_status(x->process));
	REFUSED(x, rv_process_signal(x->process, SIGTERM));
	FALSE(x, rv_process_pipe(x->process, 1));
	REFUSED(x, rv_process_stop(x->process, SIGTERM, 1));
}

/* -- things, and a thread for each kind of use ------------------------------------- */

static int accept_nobody(rv_stream *s, void *arg)
{
	return 0;
}

static int yield_once(rv_gen *g, void *arg)
{
	return rv_gen_yield(g, arg);
}

static void things_init(struct things *x)
{
	static char *const sleeper[] = {RT_W("/bin/cat"), NULL};
	rv_proc_opts po = {.in = {.kind = RV_STDIO_PIPE}};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fds[2], fd;

	x->loop = rv_loop_current();
	x->task = rv_spawn(rt_sleep_long, NULL);
	ck_assert_int_eq(rv_future_new(&x->future, NULL), 0);
	ck_assert_int_eq(rv_scope_enter(&x->scope, 0, RV_FOREVER), 0);
	ck_assert_int_eq(rv_group_enter(&x->group, RV_GROUP_FAIL_FAST), 0);
	rv_lock_init(&x->lock);
	rv_event_init(&x->event);
	rv_cond_init(&x->cond, &x->lock);
	ck_assert_int_eq(rv_sem_init(&x->sem, 1, 0), 0);
	rv_limiter_init(&x->limiter, 1);
	rv_limiter_set_total(&x->limiter, 2);
	ck_assert_int_eq(rv_barrier_init(&x->barrier, 2), 0);
	ck_assert_int_eq(rv_queue_new(&x->queue, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	/* the first use says whose they are */
	ck_assert(rv_lock_try(&x->lock));
	ck_assert_int_eq(rv_cond_notify(&x->cond, 1), 0);
	rv_event_clear(&x->event);
	ck_assert(rv_sem_try(&x->sem));
	rv_barrier_reset(&x->barrier);
	ck_assert_int_eq(rv_queue_try_put(x->queue, x), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(rv_stream_open_fd(fds[0], &x->stream), 0);
	x->peer = fds[1];
	x->transport = rv_stream_transport(x->stream);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* only the family: the kernel finds a name */
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa.sun_family)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(
		rv_serve_fd(&x->group, fd, accept_nobody, NULL, &x->server), 0);
	ck_assert_int_eq(rv_exec(sleeper, &po, &x->process), 0);
	ck_assert_int_eq(
		rv_fd_watch(x->loop, x->peer, RV_READ, never_fd, NULL, &x->watch), 0);
	rv_timer_init(&x->timer, x->loop, never_cb, NULL);
	x->handle = rv_call_later(x->loop, RV_SEC(60), never_cb, NULL);
	ck_assert_int_eq(rv_gen_new(&x->gen, yield_once, NULL, NULL), 0);
}

/* Everything is as it was before: nothing that was refused has happened. */
static void things_deinit(struct things *x)
{
	ck_assert(rv_handle_cancel(x->loop, x->handle));
	ck_assert(!rv_timer_active(&x->timer));
	ck_assert(rv_fd_unwatch(x->watch));
	ck_assert_int_eq(rv_gen_close(x->gen), 0);
	ck_assert(!rv_process_exited(x->process));
	ck_assert_int_eq(rv_process_stop(x->process, SIGTERM, RV_SEC(5)), 0);
	rv_process_unref(x->process);
	ck_assert(!rv_server_is_closed(x->server));
	rv_server_close(x->server);
	rv_server_unref(x->server);
	ck_assert(!rv_stream_is_closing(x->stream));
	rv_stream_close(x->stream);
	ck_assert_int_eq(rv_stream_wait_closed(x->stream), 0);
	rv_stream_unref(x->stream);
	close(x->peer);
	ck_assert_uint_eq(rv_queue_size(x->queue), 1);
	rv_queue_free(x->queue);
	ck_assert(!rv_event_is_set(&x->event));
	ck_assert(!rv_barrier_is_broken(&x->barrier));
	ck_assert_int_eq(rv_sem_value(&x->sem), 0);
	ck_assert_int_eq(rv_lock_release(&x->lock), 0);
	ck_assert_int_eq(rv_group_exit(&x->group, 0), 0);
	ck_assert_int_eq(rv_scope_exit(&x->scope, 0), 0);
	ck_assert(!rv_future_done(x->future));
	rv_future_unref(x->future);
	ck_assert(rv_task_cancel(x->task));
	ck_assert_int_eq(rv_task_join(x->task, NULL), -ECANCELED);
	rv_task_unref(x->task);
}

struct use {
	void (*fn)(struct things *x);
	struct things *things;
};

static void *stranger(void *arg)
{
	struct use *use = arg;

	ck_assert_int_eq(pthread_setname_np(pthread_self(), "stranger"), 0);
	use->fn(use->things);
	return NULL;
}

static void no_op(void *arg)
{
	rt_add("posted");
}

/* In another thread, while this loop runs; what goes between loops is allowed there. */
static int use_elsewhere(void *arg)
{
	struct use *use = arg;
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, stranger, use), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	return rv_call_soon_threadsafe(use->things->loop, no_op, NULL);
}

/* reports of what is bound to the loop come to the loop's handler, in its thread */
static void check_reports(unsigned n)
{
	ck_assert_msg(reports.n == n, "%u of %u: %s ... %s", reports.n, n,
		reports.text[0], reports.text[n]);
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(reports.err[i], -RV_EWRONGLOOP);
		ck_assert(pthread_equal(reports.thread[i], pthread_self()));
		ck_assert_ptr_nonnull(strstr(reports.text[i], "rv_"));
		ck_assert_ptr_nonnull(
			strstr(reports.text[i], " was called in thread 'stranger' ("));
		ck_assert_msg(
			strstr(reports.text[i], ", from use_"), "%s", reports.text[i]);
	}
}

RT_TEST_WITH(b024_other_threads_are_refused_and_reported, &debug_opts)
{
	static void (*const uses[])(struct things * x) = {use_loop, use_loop_more,
		use_task, use_future, use_scopes, use_stream, use_transport,
		use_server_and_process};
	struct things x = {0};
	struct use use = {.things = &x};

	things_init(&x);
	rt_settle(2);
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		use.fn = uses[i];
		x.n_expected = 0;
		reports_catch();
		rt_reset();
		ck_assert_int_eq(rv_run_blocking(NULL, use_elsewhere, &use), 0);
		rt_settle(2);
		check_reports(x.n_expected);
		ck_assert_str_eq(rt_trace, "posted");
	}
	reports_catch();
	things_deinit(&x);
	ck_assert_uint_eq(reports.n, 0);
	return 0;
}

/* These know no loop: what is found is told where it was found. */
RT_TEST_WITH(b024_locks_and_queues_are_of_the_thread_that_used_them_first, &debug_opts)
{
	static void (*const uses[])(struct things * x) = {use_sync, use_queue};
	static char text[64 * 1024];
	struct things x = {0};
	struct use use = {.things = &x};
	unsigned n = 0;

	things_init(&x);
	reports_catch();
	stderr_begin();
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		use.fn = uses[i];
		ck_assert_int_eq(rv_run_blocking(NULL, use_elsewhere, &use), 0);
	}
	stderr_end(text, sizeof(text));
	for (const char *p = text; (p = strstr(p, "called in thread 'stranger'")); p++)
		n++;
	ck_assert_uint_eq(n, x.n_expected);
	ck_assert_uint_eq(reports.n, 0);
	things_deinit(&x);
	return 0;
}

/* the same thread, and its own loop with objects of another */
static int own_loop(void *arg)
{
	struct things *x = arg;

	reports_catch();
	ck_assert_int_eq(rv_lock_acquire(&x->lock), -RV_EWRONGLOOP);
	ck_assert_int_eq(rv_queue_try_put(x->queue, x), -RV_EWRONGLOOP);
	ck_assert_uint_eq(reports.n, 2);
	ck_assert_ptr_nonnull(strstr(reports.text[0], "rv_lock_acquire was called"));
	ck_assert_ptr_nonnull(strstr(reports.text[1], "rv_queue_try_put was called"));
	return 0;
}

static void run_own_loop(struct things *x)
{
	ck_assert_int_eq(rv_run(own_loop, x, &debug_opts), 0);
}

RT_TEST_WITH(
	b024_lock_of_another_loop_is_refused_in_a_task_of_a_second_one, &debug_opts)
{
	struct things x = {.loop = rv_loop_current()};
	struct use use = {.things = &x, .fn = run_own_loop};

	rv_lock_init(&x.lock);
	ck_assert_int_eq(rv_lock_acquire(&x.lock), 0);
	ck_assert_int_eq(rv_queue_new(&x.queue, RV_QUEUE_FIFO, 0, NULL, NULL), 0);
	ck_assert_int_eq(rv_queue_put(x.queue, &x), 0);
	ck_assert_int_eq(rv_run_blocking(NULL, use_elsewhere, &use), 0);
	/* initialised again it is whose it is used by then */
	rv_lock_init(&x.lock);
	ck_assert_int_eq(rv_lock_acquire(&x.lock), 0);
	ck_assert_int_eq(rv_lock_release(&x.lock), 0);
	rv_queue_free(x.queue);
	return 0;
}

/* -- limits ------------------------------------------------------------------------ */

static void use_often(struct things *x)
{
	for (int i = 0; i < 1000; i++)
		ck_assert(!rv_task_cancel(x->task));
}

static int wait_for_thread(void *thread)
{
	/* the loop stands still meanwhile: nothing is taken out of the inbox */
	ck_assert_int_eq(pthread_join(*(pthread_t *)thread, NULL), 0);
	return 0;
}

RT_TEST_WITH(reports_that_are_under_way_have_a_limit, &debug_opts)
{
	struct things x = {.loop = rv_loop_current()};
	struct use use = {.things = &x, .fn = use_often};
	pthread_t thread;

	x.task = rv_spawn(rt_sleep_long, NULL);
	for (int i = 0; i < 2; i++) {
		reports_catch();
		ck_assert_int_eq(pthread_create(&thread, NULL, stranger, &use), 0);
		ck_assert_int_eq(wait_for_thread(&thread), 0);
		rt_settle(200);                   /* it polls more often than that */
		ck_assert_uint_eq(reports.n, 16); /* again, once those were told */
	}
	ck_assert(rv_task_cancel(x.task));
	ck_assert_int_eq(rv_task_join(x.task, NULL), -ECANCELED);
	rv_task_unref(x.task);
	return 0;
}

/* between runs nobody can say whose it is: it is whoever's runs it next */
static void prepare_loop(struct things *x)
{
	x->handle = rv_call_soon(x->loop, no_op, NULL);
	ck_assert_ptr_nonnull(x->handle.p);
}

START_TEST(loop_that_does_not_run_may_be_prepared_by_any_thread)
{
	rv_loop_opts o = {.debug = true};
	struct things x = {0};
	struct use use = {.things = &x, .fn = prepare_loop};
	pthread_t thread;

	rt_reset();
	ck_assert_int_eq(rv_loop_new(&x.loop, &o), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, stranger, &use), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(rv_loop_run_once(x.loop, 0), 0);
	ck_assert_str_eq(rt_trace, "posted");
	rv_loop_unref(x.loop);
}
END_TEST

UNIT_MAIN("debug_thread", b024_other_threads_are_refused_and_reported,
	b024_locks_and_queues_are_of_the_thread_that_used_them_first,
	b024_lock_of_another_loop_is_refused_in_a_task_of_a_second_one,
	reports_that_are_under_way_have_a_limit,
	loop_that_does_not_run_may_be_prepared_by_any_thread)
