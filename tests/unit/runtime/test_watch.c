/* Watches on descriptors, and waiting for one: behaviours 28 to 30. */
#include "rt.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

static void readable_add(int fd, unsigned ev, void *word)
{
	rt_add(word);
}

struct pair {
	rv_loop *l;
	int fd[2];
	rv_watch *r, *w;
};

static void pair_open(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	p->l = rt_new_loop();
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, p->fd),
		0);
}

static void pair_close(struct pair *p)
{
	(void)rv_fd_unwatch(p->r);
	(void)rv_fd_unwatch(p->w);
	rv_loop_unref(p->l);
	close(p->fd[0]);
	close(p->fd[1]);
}

START_TEST(b028_second_watch_of_a_direction_replaces_the_first)
{
	struct pair p;

	pair_open(&p);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_READ, readable_add, RT_W("old"), &p.r), 0);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_READ, readable_add, RT_W("new"), &p.w), 0);
	ck_assert_int_eq(write(p.fd[1], "x", 1), 1);
	rt_spin_once(p.l);
	ck_assert_str_eq(rt_trace, "new");
	pair_close(&p);
}
END_TEST

START_TEST(b029_write_watch_survives_the_removal_of_the_read_watch)
{
	struct pair p;

	pair_open(&p);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_READ, readable_add, RT_W("r"), &p.r), 0);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_WRITE, readable_add, RT_W("w"), &p.w), 0);
	ck_assert(rv_fd_unwatch(p.r));
	p.r = NULL;
	rt_spin_once(p.l);
	ck_assert_str_eq(rt_trace, "w");
	pair_close(&p);
}
END_TEST

static void remove_writer(int fd, unsigned ev, void *arg)
{
	struct pair *p = arg;

	rt_add("read");
	ck_assert(rv_fd_unwatch(p->w));
	p->w = NULL;
}

START_TEST(b030_watch_removed_by_an_earlier_callback_of_the_round_does_not_run)
{
	struct pair p;

	pair_open(&p);
	ck_assert_int_eq(write(p.fd[1], "x", 1), 1);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_READ, remove_writer, &p, &p.r), 0);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_WRITE, readable_add, RT_W("write"), &p.w),
		0);
	rt_spin_once(p.l);
	ck_assert_str_eq(rt_trace, "read");
	pair_close(&p);
}
END_TEST

START_TEST(watch_of_a_descriptor_that_is_ready_and_known_runs_at_once)
{
	struct pair p;

	pair_open(&p);
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_WRITE, readable_add, RT_W("w"), &p.w), 0);
	ck_assert_int_eq(write(p.fd[1], "x", 1), 1);
	rt_spin_once(p.l); /* its only edge of reading goes by unseen */
	ck_assert_int_eq(
		rv_fd_watch(p.l, p.fd[0], RV_READ, readable_add, RT_W("r"), &p.r), 0);
	rt_spin_once(p.l);
	ck_assert_str_eq(rt_trace, "w r");
	pair_close(&p);
}
END_TEST

START_TEST(regular_files_and_bad_descriptors_are_refused)
{
	rv_loop *l = rt_new_loop();
	rv_watch *w;
	FILE *f = tmpfile(), *err = tmpfile();
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int saved = dup(STDERR_FILENO);

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(err);
	ck_assert_int_ge(dup2(fileno(err), STDERR_FILENO), 0);
	ck_assert_int_eq(rv_fd_watch(l, null, RV_READ, readable_add, NULL, &w), -EPERM);
	ck_assert_int_ge(dup2(saved, STDERR_FILENO), 0);
	ck_assert_int_eq(
		lseek(fileno(err), 0, SEEK_END), 0); /* nobody has complained */
	fclose(err);
	close(null);
	close(saved);
	ck_assert_int_eq(
		rv_fd_watch(l, fileno(f), RV_READ, readable_add, NULL, &w), -EPERM);
	ck_assert_int_eq(rv_fd_watch(l, 9999, RV_READ, readable_add, NULL, &w), -EBADF);
	ck_assert_int_eq(rv_fd_watch(l, -1, RV_READ, readable_add, NULL, &w), -EBADF);
	ck_assert_int_eq(rv_fd_watch(l, 0, 0, readable_add, NULL, &w), -EINVAL);
	fclose(f);
	rv_loop_unref(l);
}
END_TEST

static int wait_readable(void *fd)
{
	return rv_wait_fd(*(int *)fd, RV_READ);
}

RT_TEST(wait_fd_wakes_and_works_again_after_a_cancel)
{
	rv_task *t;
	int p[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(rv_timed(RV_MS(1), rv_wait_fd(p[0], RV_READ)), -ETIMEDOUT);
	t = rv_spawn(wait_readable, &p[0]);
	rt_settle(1);
	ck_assert_int_eq(write(p[1], "x", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), RV_READ);
	rv_task_unref(t);
	ck_assert_int_eq(rv_wait_fd(p[0], RV_READ), RV_READ); /* is ready: at once */
	ck_assert_int_eq(rv_wait_fd(p[1], RV_WRITE), RV_WRITE);
	close(p[0]);
	close(p[1]);
	return 0;
}

RT_TEST(wait_fd_on_a_reused_descriptor_number_works)
{
	for (int i = 0; i < 3; i++) {
		rv_task *t;
		int p[2];

		ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
		t = rv_spawn(wait_readable, &p[0]);
		rt_settle(1);
		close(p[1]); /* hang-up counts as readable */
		ck_assert_int_eq(rv_task_join(t, NULL), RV_READ);
		rv_task_unref(t);
		close(p[0]);
	}
	return 0;
}

static int write_one(void *fd)
{
	rt_settle(2);
	ck_assert_int_eq(write(*(int *)fd, "x", 1), 1);
	return 0;
}

/* Whoever cancels may close the descriptor at once, and its number may come back. */
RT_TEST(b193_cancelled_wait_is_gone_before_its_task_goes_on)
{
	rv_task *t, *writer;
	int p[2], again[2];

	ck_assert_int_eq(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	t = rv_spawn(wait_readable, &p[0]);
	rt_settle(1);
	ck_assert(rv_task_cancel(t));
	close(p[0]);
	close(p[1]);
	ck_assert_int_eq(pipe2(again, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(again[0], p[0]);
	writer = rv_spawn(write_one, &again[1]);
	ck_assert_int_eq(rv_timed(RV_SEC(10), rv_wait_fd(again[0], RV_READ)), RV_READ);
	ck_assert_int_eq(rv_task_join(t, NULL), -ECANCELED);
	ck_assert_int_eq(rv_task_join(writer, NULL), 0);
	rv_task_unref(t);
	rv_task_unref(writer);
	close(again[0]);
	close(again[1]);
	return 0;
}

RT_TEST(waiting_for_what_is_no_descriptor_is_refused)
{
	ck_assert_int_eq(rv_wait_fd(-1, RV_READ), -EBADF);
	ck_assert_int_eq(rv_wait_fd(INT_MIN, RV_READ | RV_WRITE), -EBADF);
	ck_assert_int_eq(rv_wait_fd(INT_MAX, RV_WRITE), -EBADF);
	return 0;
}

struct reuse {
	int gate[2], old[2], new[2];
};

static int wait_old(void *arg)
{
	struct reuse *x = arg;

	return rv_wait_fd(x->old[0], RV_READ);
}

static void socket_pair(int fd[2])
{
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd),
		0);
}

/* has its turn when the other has been woken, and before that runs */
static int take_number(void *arg)
{
	struct reuse *x = arg;

	ck_assert_int_eq(rv_wait_fd(x->gate[0], RV_READ), RV_READ);
	close(x->old[0]);
	socket_pair(x->new);
	ck_assert_int_eq(x->new[0], x->old[0]);
	return rv_timed(RV_SEC(2), rv_wait_fd(x->new[0], RV_READ));
}

RT_TEST(number_of_a_descriptor_is_taken_by_another_before_its_waiter_runs)
{
	struct reuse x;
	rv_task *t, *u;

	socket_pair(x.gate);
	socket_pair(x.old);
	/* the kernel tells of the two in the order in which they were waited for */
	u = rv_spawn(take_number, &x);
	t = rv_spawn(wait_old, &x);
	rt_settle(1);
	ck_assert_int_eq(write(x.gate[1], "x", 1), 1);
	ck_assert_int_eq(write(x.old[1], "x", 1), 1);
	ck_assert_int_eq(rv_task_join(t, NULL), RV_READ);
	ck_assert_int_eq(write(x.new[1], "x", 1), 1);
	ck_assert_int_eq(rv_task_join(u, NULL), RV_READ);
	rv_task_unref(t);
	rv_task_unref(u);
	for (int i = 0; i < 2; i++) {
		close(x.gate[i]);
		close(x.new[i]);
	}
	close(x.old[1]);
	return 0;
}

UNIT_MAIN("watch", b193_cancelled_wait_is_gone_before_its_task_goes_on,
	b028_second_watch_of_a_direction_replaces_the_first,
	b029_write_watch_survives_the_removal_of_the_read_watch,
	b030_watch_removed_by_an_earlier_callback_of_the_round_does_not_run,
	watch_of_a_descriptor_that_is_ready_and_known_runs_at_once,
	regular_files_and_bad_descriptors_are_refused,
	wait_fd_wakes_and_works_again_after_a_cancel,
	wait_fd_on_a_reused_descriptor_number_works,
	waiting_for_what_is_no_descriptor_is_refused,
	number_of_a_descriptor_is_taken_by_another_before_its_waiter_runs)
