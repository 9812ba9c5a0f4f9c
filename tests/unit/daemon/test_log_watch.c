#include "tests/unit/daemon/fixture.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "daemon/log_watch.h"

/* The linker sends these here (--wrap): what they fail with, and how often they were
 * called. */
static struct {
	int init_errno, add_errno;
	unsigned n_init, n_add;
} inotify;

int __real_inotify_init1(int flags);
int __wrap_inotify_init1(int flags);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);

int __wrap_inotify_init1(int flags)
{
	inotify.n_init++;
	errno = inotify.init_errno;
	return errno ? -1 : __real_inotify_init1(flags);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	inotify.n_add++;
	errno = inotify.add_errno;
	return errno ? -1 : __real_inotify_add_watch(fd, path, mask);
}

static struct log_watch *begin(void)
{
	struct log_watch *w;

	memset(&inotify, 0, sizeof(inotify));
	ck_assert_int_eq(log_watch_new(&w, rv_loop_current()), 0);
	return w;
}

struct follower {
	struct log_follower f;
	rv_event changed;
	int fd;
};

/* with a descriptor of its own, as each client has */
static void follow(
	struct fixture *fx, struct log_watch *w, struct follower *x, const char *name)
{
	memset(x, 0, sizeof(*x));
	rv_event_init(&x->changed);
	x->fd = openat(fx->dir.fd, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	ck_assert_int_ge(x->fd, 0);
	ck_assert_int_eq(log_watch_add(w, &x->f, x->fd, &x->changed), 0);
}

static void leave(struct log_watch *w, struct follower *x)
{
	log_watch_remove(w, &x->f);
	log_watch_remove(w, &x->f); /* once more changes nothing */
	close(x->fd);
}

static void write_to(const struct follower *x)
{
	ck_assert_int_eq(write(x->fd, "x", 1), 1);
}

static void await(struct follower *x)
{
	ck_assert_int_eq(rv_event_wait(&x->changed), 0);
	rv_event_clear(&x->changed);
}

DAEMON_TEST(every_follower_of_a_file_is_told_and_nobody_else)
{
	struct log_watch *w = begin();
	struct follower a[3], b;

	for (int i = 0; i < 3; i++)
		follow(fx, w, &a[i], "a");
	follow(fx, w, &b, "b");
	write_to(&a[1]);
	for (int i = 0; i < 3; i++)
		await(&a[i]);
	ck_assert(!rv_event_is_set(&b.changed));
	ck_assert_uint_eq(inotify.n_init, 1);
	leave(w, &b);
	for (int i = 0; i < 3; i++)
		leave(w, &a[i]);
	log_watch_free(w);
	return 0;
}

DAEMON_TEST(file_is_watched_until_its_last_follower_leaves)
{
	struct log_watch *w = begin();
	struct follower a, b;

	follow(fx, w, &a, "f");
	follow(fx, w, &b, "f");
	leave(w, &a);
	write_to(&b);
	await(&b);
	leave(w, &b);
	/* and may be watched again */
	follow(fx, w, &a, "f");
	write_to(&a);
	await(&a);
	leave(w, &a);
	log_watch_free(w);
	return 0;
}

DAEMON_TEST(file_that_was_removed_still_tells)
{
	struct log_watch *w = begin();
	struct follower a;

	follow(fx, w, &a, "f");
	ck_assert_int_eq(unlinkat(fx->dir.fd, "f", 0), 0);
	write_to(&a);
	await(&a);
	leave(w, &a);
	log_watch_free(w);
	return 0;
}

static long queue_length(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	long n = 0;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fscanf(f, "%ld", &n), 1);
	fclose(f);
	return n;
}

DAEMON_TEST(everybody_is_told_where_events_were_lost)
{
	struct log_watch *w = begin();
	struct follower a, b, late;

	follow(fx, w, &a, "a");
	follow(fx, w, &b, "b");
	follow(fx, w, &late, "late");
	/* by turns, or the kernel would make one event of them */
	for (long i = queue_length() / 2 + 1; i > 0; i--) {
		write_to(&a);
		write_to(&b);
	}
	write_to(&late); /* no room for this one */
	await(&late);
	leave(w, &a);
	leave(w, &b);
	leave(w, &late);
	log_watch_free(w);
	return 0;
}

static void looked_at_once_a_second(struct fixture *fx, struct log_watch *w)
{
	struct follower a, b;
	rv_time before = clock_monotonic(fx->core.clock);

	follow(fx, w, &a, "f");
	follow(fx, w, &b, "f");
	for (int i = 0; i < 3; i++) {
		await(&a);
		await(&b);
	}
	ck_assert_int_eq(clock_monotonic(fx->core.clock) - before, RV_SEC(3));
	leave(w, &a);
	await(&b);
	leave(w, &b);
}

DAEMON_VIRTUAL_TEST(without_room_for_a_watch_files_are_looked_at)
{
	struct log_watch *w = begin();
	struct follower a;

	inotify.add_errno = ENOSPC;
	looked_at_once_a_second(fx, w);
	/* the next one is watched again where there is room */
	inotify.add_errno = 0;
	follow(fx, w, &a, "f");
	write_to(&a);
	await(&a);
	leave(w, &a);
	log_watch_free(w);
	return 0;
}

DAEMON_VIRTUAL_TEST(without_an_instance_files_are_looked_at)
{
	struct log_watch *w = begin();
	struct follower a;

	inotify.init_errno = EMFILE;
	looked_at_once_a_second(fx, w);
	ck_assert_uint_eq(inotify.n_add, 0);
	inotify.init_errno = 0;
	follow(fx, w, &a, "f");
	ck_assert_uint_eq(inotify.n_add, 1);
	leave(w, &a);
	log_watch_free(w);
	return 0;
}

UNIT_MAIN("log_watch", every_follower_of_a_file_is_told_and_nobody_else,
	file_is_watched_until_its_last_follower_leaves,
	file_that_was_removed_still_tells, everybody_is_told_where_events_were_lost,
	without_room_for_a_watch_files_are_looked_at,
	without_an_instance_files_are_looked_at)
