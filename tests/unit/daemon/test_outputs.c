#include "tests/unit/daemon/fixture.h"

#include <sys/resource.h>

#include "base/fd.h"

static void begin(struct fixture *fx)
{
	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	fixture_start(fx, outputs_main, fx->core.outputs);
}

static struct output_file *take(struct fixture *fx)
{
	struct output_file *f;

	ck_assert_int_eq(outputs_take(fx->core.outputs, &f), 0);
	return f;
}

static bool exists(struct fixture *fx, const char *name)
{
	return faccessat(fx->dir.fd, name, F_OK, 0) == 0;
}

DAEMON_TEST(files_are_empty_and_of_different_names)
{
	struct output_file *a, *b;

	begin(fx);
	a = take(fx);
	b = take(fx);
	ck_assert_str_ne(a->name, b->name);
	ck_assert_int_eq(lseek(a->fd, 0, SEEK_END), 0);
	ck_assert(exists(fx, a->name));
	outputs_finish(fx->core.outputs, a);
	outputs_finish(fx->core.outputs, b);
	return 0;
}

DAEMON_TEST(file_that_stayed_empty_is_used_again)
{
	char name[OUTPUT_NAME_MAX];
	struct output_file *f;
	int fd;

	begin(fx);
	f = take(fx);
	memcpy(name, f->name, sizeof(name));
	fd = outputs_open_for_run(f);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(outputs_finish(fx->core.outputs, f), 0);
	f = take(fx);
	ck_assert_str_eq(f->name, name);
	outputs_finish(fx->core.outputs, f);
	return 0;
}

/* a process that outlived its run would write into the next one's output */
DAEMON_TEST(empty_file_that_somebody_has_open_is_not_used_again)
{
	char name[OUTPUT_NAME_MAX];
	struct output_file *f;
	int straggler;

	begin(fx);
	f = take(fx);
	memcpy(name, f->name, sizeof(name));
	straggler = outputs_open_for_run(f);
	ck_assert_int_ge(straggler, 0);
	ck_assert_int_eq(outputs_finish(fx->core.outputs, f), 0);
	f = take(fx);
	ck_assert_str_ne(f->name, name);
	outputs_finish(fx->core.outputs, f);
	close(straggler);
	return 0;
}

DAEMON_TEST(empty_file_that_is_being_read_is_not_used_again)
{
	char name[OUTPUT_NAME_MAX];
	struct output_file *f;
	int reader;

	begin(fx);
	f = take(fx);
	memcpy(name, f->name, sizeof(name));
	reader = openat(fx->dir.fd, name, O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(outputs_finish(fx->core.outputs, f), 0);
	f = take(fx);
	ck_assert_str_ne(f->name, name);
	outputs_finish(fx->core.outputs, f);
	close(reader);
	return 0;
}

/* outputs_finish holds a lease for a moment: who opens the file just then breaks it, which
 * the kernel tells the holder by a signal */
DAEMON_TEST(file_opened_under_its_lease_does_not_end_the_daemon)
{
	struct output_file *f;

	begin(fx);
	f = take(fx);
	ck_assert_int_eq(fcntl(f->fd, F_SETLEASE, F_WRLCK), 0);
	ck_assert_int_eq(
		openat(fx->dir.fd, f->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC), -1);
	ck_assert_int_eq(errno, EWOULDBLOCK);
	ck_assert_int_eq(fcntl(f->fd, F_SETLEASE, F_UNLCK), 0);
	outputs_finish(fx->core.outputs, f);
	return 0;
}

DAEMON_TEST(file_with_output_stays_and_tells_its_blocks)
{
	char name[OUTPUT_NAME_MAX];
	struct output_file *f;

	begin(fx);
	f = take(fx);
	memcpy(name, f->name, sizeof(name));
	ck_assert_int_eq(write(f->fd, "x", 1), 1);
	ck_assert_int_gt(outputs_finish(fx->core.outputs, f), 0);
	ck_assert(exists(fx, name));
	return 0;
}

DAEMON_TEST(removed_file_goes_soon)
{
	char name[OUTPUT_NAME_MAX];
	struct output_file *f;

	begin(fx);
	f = take(fx);
	memcpy(name, f->name, sizeof(name));
	ck_assert_int_eq(write(f->fd, "x", 1), 1);
	outputs_finish(fx->core.outputs, f);
	outputs_remove(fx->core.outputs, name);
	while (exists(fx, name))
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	return 0;
}

DAEMON_TEST(want_of_descriptors_is_told_and_heals)
{
	struct rlimit before, none;
	struct output_file *f;

	begin(fx);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_int_eq(outputs_take(fx->core.outputs, &f), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	f = take(fx);
	outputs_finish(fx->core.outputs, f);
	return 0;
}

DAEMON_TEST(many_takers_all_get_a_file)
{
	struct output_file *v[100];

	begin(fx);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		v[i] = take(fx);
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		outputs_finish(fx->core.outputs, v[i]);
	return 0;
}

enum { CROWD = 300 };

struct crowd {
	struct fixture *fx;
	size_t n_began, n_done;
	size_t order[CROWD]; /* who came so late */
	struct output_file *v[CROWD];
};

struct crowd_taker {
	struct crowd *all;
	size_t i;
};

static int take_one(void *arg)
{
	struct crowd_taker *t = arg;
	struct crowd *c = t->all;
	int r;

	c->n_began++;
	r = outputs_take(c->fx->core.outputs, &c->v[t->i]);
	if (r >= 0)
		c->order[c->n_done++] = t->i;
	return r;
}

/* Many that wait at once: each gets one of its own, in the order in which they came, also
 * those behind one that does not want it any more. */
DAEMON_TEST(who_waits_for_files_gets_them_in_turn)
{
	static struct crowd_taker takers[CROWD];
	static rv_task *tasks[CROWD];
	static struct crowd c;

	c = (struct crowd){.fx = fx};
	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	for (size_t i = 0; i < CROWD; i++) {
		takers[i] = (struct crowd_taker){&c, i};
		tasks[i] = rv_spawn(take_one, &takers[i]);
		ck_assert_ptr_nonnull(tasks[i]);
	}
	while (c.n_began < CROWD)
		ck_assert_int_eq(rv_yield(), 0);
	ck_assert_uint_eq(c.n_done, 0); /* nobody makes any yet */
	rv_task_cancel(tasks[1]);
	fixture_start(fx, outputs_main, fx->core.outputs);
	for (size_t i = 0; i < CROWD; i++) {
		ck_assert_int_eq(rv_task_join(tasks[i], NULL), i == 1 ? -ECANCELED : 0);
		rv_task_unref(tasks[i]);
	}
	ck_assert_uint_eq(c.n_done, CROWD - 1);
	for (size_t i = 0; i < c.n_done; i++) {
		ck_assert_uint_eq(c.order[i], i == 0 ? 0 : i + 1);
		ck_assert(exists(fx, c.v[c.order[i]]->name));
		for (size_t k = 0; k < i; k++)
			ck_assert_ptr_ne(c.v[c.order[k]], c.v[c.order[i]]);
	}
	for (size_t i = 0; i < c.n_done; i++)
		outputs_finish(fx->core.outputs, c.v[c.order[i]]);
	return 0;
}

static bool is_known(const char *name, void *arg)
{
	return STREQ(name, arg);
}

static void make_file(struct fixture *fx, const char *name, const char *text)
{
	int fd = openat(fx->dir.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
}

DAEMON_TEST(sweep_removes_what_no_record_names)
{
	char known[] = "output/00/1-40";

	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	make_file(fx, known, "text");
	make_file(fx, "output/01/1-41", "text");
	ck_assert_int_eq(outputs_sweep(fx->core.outputs, is_known, known), 1);
	ck_assert(exists(fx, known));
	ck_assert(!exists(fx, "output/01/1-41"));
	ck_assert_int_gt(outputs_total(fx->core.outputs), 0);
	return 0;
}

/* counted by the sweep, and once more when its run ends */
DAEMON_TEST(adopted_file_is_not_counted_twice)
{
	char known[] = "output/00/1-40";
	struct output_file *f;
	int64_t total;

	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	make_file(fx, known, "text");
	outputs_sweep(fx->core.outputs, is_known, known);
	total = outputs_total(fx->core.outputs);
	ck_assert_int_eq(outputs_adopt(fx->core.outputs, &f, known), 0);
	outputs_account(fx->core.outputs, outputs_finish(fx->core.outputs, f));
	ck_assert_int_eq(outputs_total(fx->core.outputs), total);
	return 0;
}

DAEMON_TEST(adopting_what_is_not_there_fails)
{
	struct output_file *f;

	ck_assert_int_eq(outputs_new(&fx->core.outputs, &fx->core), 0);
	ck_assert_int_eq(outputs_adopt(fx->core.outputs, &f, "output/00/9-9"), -ENOENT);
	return 0;
}

UNIT_MAIN("outputs", files_are_empty_and_of_different_names,
	file_that_stayed_empty_is_used_again,
	empty_file_that_somebody_has_open_is_not_used_again,
	empty_file_that_is_being_read_is_not_used_again,
	file_opened_under_its_lease_does_not_end_the_daemon,
	file_with_output_stays_and_tells_its_blocks, removed_file_goes_soon,
	want_of_descriptors_is_told_and_heals, many_takers_all_get_a_file,
	who_waits_for_files_gets_them_in_turn, sweep_removes_what_no_record_names,
	adopted_file_is_not_counted_twice, adopting_what_is_not_there_fails)
