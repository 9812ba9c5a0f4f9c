#include "tests/unit/daemon/fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/strv.h"
#include "daemon/aux_priv.h"
#include "daemon/run.h"
#include "daemon/spawner_link.h"
#include "daemon/supervisor.h"
#include "daemon/traces.h"

/* ---- a link to a real spawner ------------------------------------------------------- */

static int before_table(void *arg)
{
	return 0;
}

static void on_table(struct spawner_run *runs, size_t n, bool same, void *arg)
{
	struct core *core = arg;
	struct traces tr = {.ends = NULL};

	ck_assert_int_eq(traces_read_rest(&tr, core->state_fd), 0);
	aux_match(core->aux, runs, n, same, &tr);
	traces_drop(&tr);
}

static void open_link(struct fixture *fx)
{
	struct spawner_link_opts opts = {.program = REEVE_SPAWNER,
		.nofile = 1024,
		.before_table = before_table,
		.on_table = on_table,
		.arg = &fx->core};

	ck_assert_int_eq(spawner_link_new(&fx->core.spawner, &fx->core, &opts), 0);
	fixture_start(fx, spawner_link_main, fx->core.spawner);
}

static void begin(struct fixture *fx)
{
	ck_assert_int_eq(boot_id_get(fx->core.boot_id), 0);
	ck_assert_int_eq(aux_commands_new(&fx->core.aux, &fx->core), 0);
	open_link(fx);
}

static void wait_until_ready(struct fixture *fx)
{
	while (!spawner_link_is_ready(fx->core.spawner))
		ck_assert_int_eq(spawner_link_wait(fx->core.spawner), 0);
}

/* The daemon goes, and leaves what it has to the next one. */
static void end(struct fixture *fx)
{
	fx->core.detaching = true;
	rv_group_cancel(&fx->services, "the daemon goes");
	ck_assert_int_eq(rv_group_exit(&fx->services, 0), 0);
	ck_assert_int_eq(rv_group_enter(&fx->services, RV_GROUP_SUPERVISE), 0);
	spawner_link_free(fx->core.spawner);
	aux_commands_free(fx->core.aux);
	fx->core.detaching = false;
}

/* what a test has of a run that goes on */
static void make_run(struct fixture *fx, struct run *run)
{
	struct fixture_job how = {.state = JOB_RUNNING, .uid = (uint32_t)getuid()};
	struct job *j = fixture_add_job(fx, 5, &how);

	*run = (struct run){.core = &fx->core, .job = j, .pidfd = -1};
	ck_assert_int_eq(job_spec_get(j, &run->spec), 0);
	ck_assert_int_eq(job_spec_put_text(&run->spec, JOB_FIELD_OUTPUT, "null"), 0);
	run->rec.token = (struct run_token){.job_id = 5, .run = 3, .epoch = 7};
	rv_event_init(&run->wake);
	j->run = run;
	wait_until_ready(fx);
}

static void drop_run(struct run *run)
{
	run->job->run = NULL;
	job_spec_deinit(&run->spec);
}

static int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static char *const *sh(const char *text)
{
	static char *argv[4];

	argv[0] = (char *)"/bin/sh";
	argv[1] = (char *)"-c";
	argv[2] = (char *)text;
	return argv;
}

static struct aux_command command(const char *text)
{
	return (struct aux_command){.place = AUX_READY,
		.argv = sh(text),
		.timeout_usec = INT64_MAX,
		.keep = 4096};
}

#define AUX_TEST(name)                                             \
	static int name##_in(struct fixture *fx, struct run *run); \
	DAEMON_TEST(name)                                          \
	{                                                          \
		struct run run;                                    \
		pid_t spawner;                                     \
		int r;                                             \
                                                                   \
		begin(fx);                                         \
		make_run(fx, &run);                                \
		r = name##_in(fx, &run);                           \
		drop_run(&run);                                    \
		spawner = spawner_link_pid(fx->core.spawner);      \
		end(fx);                                           \
		if (spawner > 0)                                   \
			kill(spawner, SIGTERM);                    \
		return r;                                          \
	}                                                          \
	static int name##_in(struct fixture *fx, struct run *run)

/* ---- one ------------------------------------------------------------------------------ */

AUX_TEST(end_and_output_are_told)
{
	struct aux_command cmd = command("echo out; echo err >&2; exit 3");
	struct aux_end e;
	char text[128];

	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_int_eq(e.how, AUX_EXITED);
	ck_assert_int_eq(WEXITSTATUS(e.status), 3);
	ck_assert(!aux_end_is_success(&e));
	ck_assert_str_eq(e.output, "out\nerr\n");
	ck_assert(!e.cut);
	aux_end_describe(&e, cmd.timeout_usec, text, sizeof(text));
	ck_assert_str_eq(text, "exit status 3");
	aux_end_deinit(&e);
	ck_assert(list_is_empty(&fx->core.aux->all));
	return 0;
}

AUX_TEST(of_much_output_the_end_is_kept)
{
	struct aux_command cmd =
		command("head -c 1000000 /dev/zero | tr '\\0' x; echo end");
	struct aux_end e;

	cmd.keep = 8;
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert(aux_end_is_success(&e));
	ck_assert_str_eq(e.output, "xxxxend\n");
	ck_assert(e.cut);
	aux_end_deinit(&e);
	return 0;
}

AUX_TEST(environment_says_which_run_it_is_of)
{
	struct aux_command cmd = command("echo $REEVE_JOB_ID $REEVE_RUN $MAINPID "
					 "$SERVICE_RESULT $NOTIFY_SOCKET.");
	char *env[] = {(char *)"SERVICE_RESULT=success", NULL};
	char *said[] = {(char *)"NOTIFY_SOCKET=/x", NULL};
	union job_value v = {.strv = strv_copy(said)};
	struct aux_end e;

	ck_assert_int_eq(job_spec_put(&run->spec, JOB_FIELD_ENV, v), 0);
	cmd.env = env;
	run->started = true;
	run->info.pid = 77;
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_str_eq(e.output, "5 3 77 success .\n");
	aux_end_deinit(&e);
	return 0;
}

AUX_TEST(a_program_that_is_not_there_is_told)
{
	char *argv[] = {(char *)"/nonexistent", NULL};
	struct aux_command cmd = command("");
	struct aux_end e;
	char text[128];

	cmd.argv = argv;
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_int_eq(e.how, AUX_NOT_STARTED);
	aux_end_describe(&e, cmd.timeout_usec, text, sizeof(text));
	ck_assert_str_eq(
		text, "it could not be started, at exec: No such file or directory");
	aux_end_deinit(&e);
	return 0;
}

static bool is_gone(pid_t pid)
{
	uint64_t start;

	return process_start_time(&start, pid) < 0;
}

AUX_TEST(past_its_time_nothing_is_left_of_it)
{
	struct aux_command cmd = command("trap '' TERM; setsid sleep 1000 & echo $$ "
					 "$!; while :; do sleep 1000; done");
	struct aux_end e;
	char text[128];
	int a, b;

	cmd.timeout_usec = 200 * 1000;
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_int_eq(e.how, AUX_TIMED_OUT);
	aux_end_describe(&e, cmd.timeout_usec, text, sizeof(text));
	ck_assert_str_eq(text, "not ended within 200ms");
	ck_assert_int_eq(sscanf(e.output, "%d %d", &a, &b), 2);
	ck_assert(is_gone(a));
	ck_assert(is_gone(b));
	aux_end_deinit(&e);
	return 0;
}

/* ---- several -------------------------------------------------------------------------- */

struct call {
	struct run *run;
	struct aux_command cmd;
	struct aux_end end;
	int r;
};

static int call(void *arg)
{
	struct call *c = arg;

	c->r = aux_run(c->run, &c->cmd, &c->end);
	return 0;
}

static rv_task *start(struct fixture *fx, struct call *c)
{
	rv_task *t = rv_group_spawn(&fx->services, call, c);

	ck_assert_ptr_nonnull(t);
	return rv_task_ref(t);
}

static void join(rv_task *t)
{
	int r = rv_task_join(t, NULL);

	ck_assert(r >= 0 || r == -ECANCELED);
	rv_task_unref(t);
}

/* until somebody writes to it, and what */
static void await_line(struct fixture *fx, const char *name, char *buf, size_t size)
{
	_cleanup_close_ int fd = openat(fx->dir.fd, name, O_RDWR | O_NONBLOCK);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(rv_wait_fd(fd, RV_READ), 0);
	n = read(fd, buf, size - 1);
	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
}

static char *with_dir(struct fixture *fx, const char *text)
{
	char *s;

	ck_assert_int_gt(asprintf(&s, "cd %s; %s", fx->dir.path, text), 0);
	return s;
}

AUX_TEST(one_whose_caller_goes_is_ended)
{
	_cleanup_free_ char *text = with_dir(fx, "echo $$ >fifo; sleep 1000");
	struct call c = {.run = run, .cmd = command(text)};
	struct aux_commands *all = fx->core.aux;
	char line[32];
	rv_task *t;

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	t = start(fx, &c);
	await_line(fx, "fifo", line, sizeof(line));
	rv_task_cancel(t);
	join(t);
	ck_assert_int_eq(c.r, -ECANCELED);
	while (!list_is_empty(&all->all))
		ck_assert_int_eq(rv_event_wait(&all->gone), 0);
	ck_assert(is_gone(atoi(line)));
	return 0;
}

AUX_TEST(more_than_the_limit_wait_for_their_turn)
{
	_cleanup_free_ char *first =
		with_dir(fx, "echo >begun; read x <go; echo a >>order");
	_cleanup_free_ char *second = with_dir(fx, "echo b >>order; cat order");
	struct call a = {.run = run, .cmd = command(first)};
	struct call b = {.run = run, .cmd = command(second)};
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", second, NULL}, line[8];
	char *nothing[] = {(char *)"/bin/true", NULL};
	struct aux_command hook = {
		.place = AUX_POST_START, .argv = nothing, .timeout_usec = INT64_MAX};
	_cleanup_close_ int go = -1;
	bool has_turn = false;
	rv_task *t, *u;

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "begun", 0600), 0);
	ck_assert_int_eq(mkfifoat(fx->dir.fd, "go", 0600), 0);
	fx->config->v[CONFIG_SERVICE_COMMANDS_MAX].num = 1;
	b.cmd.argv = argv;
	a.cmd.place = AUX_READY;
	b.cmd.place = AUX_LIVENESS;
	b.cmd.has_turn = &has_turn;
	a.cmd.argv = sh(first);
	t = start(fx, &a);
	await_line(fx, "begun", line, sizeof(line));
	fx->config->v[CONFIG_SERVICE_COMMANDS_MAX].num = 2;
	ck_assert_int_eq(aux_run(run, &a.cmd, &b.end), -EBUSY);
	fx->config->v[CONFIG_SERVICE_COMMANDS_MAX].num = 1;
	u = start(fx, &b);
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_uint_eq(rv_limiter_taken(&fx->core.aux->asking), 1);
	ck_assert(!has_turn);
	/* what is no probe has turns of its own */
	ck_assert_int_eq(aux_run(run, &hook, &a.end), 0);
	ck_assert(aux_end_is_success(&a.end));
	go = openat(fx->dir.fd, "go", O_RDWR);
	ck_assert_int_eq(write(go, "\n", 1), 1);
	join(t);
	join(u);
	ck_assert(has_turn);
	ck_assert_str_eq(b.end.output, "a\nb\n");
	aux_end_deinit(&a.end);
	aux_end_deinit(&b.end);
	return 0;
}

AUX_TEST(one_that_is_not_begun_in_its_time_says_so)
{
	_cleanup_free_ char *text = with_dir(fx, "echo $$ >fifo; sleep 1000");
	struct call c = {.run = run, .cmd = command(text)};
	pid_t spawner = spawner_link_pid(fx->core.spawner);
	struct aux_end e;
	char line[64];
	rv_task *t;

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	t = start(fx, &c);
	await_line(fx, "fifo", line, sizeof(line));
	/* the one before it cannot be ended */
	ck_assert_int_eq(kill(spawner, SIGSTOP), 0);
	rv_task_cancel(t);
	join(t);
	c.cmd.timeout_usec = 20 * 1000;
	ck_assert_int_eq(aux_run(run, &c.cmd, &e), 0);
	ck_assert_int_eq(e.how, AUX_NOT_BEGUN);
	aux_end_describe(&e, c.cmd.timeout_usec, line, sizeof(line));
	ck_assert_str_eq(line, "not begun within 20ms, for want of room");
	ck_assert_int_eq(kill(spawner, SIGCONT), 0);
	while (!list_is_empty(&fx->core.aux->all))
		ck_assert_int_eq(rv_event_wait(&fx->core.aux->gone), 0);
	return 0;
}

/* ---- what outlives a daemon, or a spawner ------------------------------------------------ */

AUX_TEST(one_that_is_kept_is_started_once)
{
	_cleanup_free_ char *text =
		with_dir(fx, "echo x >>times; exit $(wc -l <times)");
	struct aux_command cmd = command(text);
	struct aux_end e;

	cmd.place = AUX_PRE_STOP;
	cmd.keep = 0;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
		ck_assert_int_eq(WEXITSTATUS(e.status), 1);
	}
	aux_forget(run);
	ck_assert(list_is_empty(&fx->core.aux->all));
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_int_eq(WEXITSTATUS(e.status), 2);
	/* and another run's is another */
	run->rec.token.run++;
	ck_assert_int_eq(aux_run(run, &cmd, &e), 0);
	ck_assert_int_eq(WEXITSTATUS(e.status), 3);
	return 0;
}

/* As if this daemon went and another came, of the next epoch. */
static void another_daemon(struct fixture *fx)
{
	end(fx);
	fx->core.epoch++;
	ck_assert_int_eq(aux_commands_new(&fx->core.aux, &fx->core), 0);
	open_link(fx);
	wait_until_ready(fx);
}

AUX_TEST(the_next_daemon_goes_on_with_one_that_is_kept)
{
	_cleanup_free_ char *text = with_dir(
		fx, "echo x >>times; echo $$ >fifo; read x <go; exit $(wc -l <times)");
	struct call c = {.run = run, .cmd = command(text)};
	_cleanup_close_ int go = -1;
	struct aux_end e;
	char line[32];

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	ck_assert_int_eq(mkfifoat(fx->dir.fd, "go", 0600), 0);
	c.cmd.place = AUX_POST_STOP;
	c.cmd.keep = 0;
	rv_task_unref(start(fx, &c));
	await_line(fx, "fifo", line, sizeof(line));
	another_daemon(fx);
	ck_assert_int_eq(c.r, -ECANCELED);
	ck_assert(!is_gone(atoi(line)));
	go = openat(fx->dir.fd, "go", O_RDWR);
	ck_assert_int_eq(write(go, "\n", 1), 1);
	ck_assert_int_eq(aux_run(run, &c.cmd, &e), 0);
	ck_assert_int_eq(e.how, AUX_EXITED);
	ck_assert_int_eq(WEXITSTATUS(e.status), 1);
	/* its end is with the spawner until the run's is on disk */
	another_daemon(fx);
	ck_assert_int_eq(aux_run(run, &c.cmd, &e), 0);
	ck_assert_int_eq(WEXITSTATUS(e.status), 1);
	aux_forget(run);
	another_daemon(fx);
	ck_assert(list_is_empty(&fx->core.aux->all));
	return 0;
}

static void await_none(struct fixture *fx)
{
	while (!list_is_empty(&fx->core.aux->all))
		ck_assert_int_eq(rv_event_wait(&fx->core.aux->gone), 0);
}

AUX_TEST(the_next_daemon_ends_all_others)
{
	_cleanup_free_ char *text = with_dir(fx, "echo $$ >fifo; sleep 1000");
	struct call c = {.run = run, .cmd = command(text)};
	char line[32];

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	rv_task_unref(start(fx, &c));
	await_line(fx, "fifo", line, sizeof(line));
	another_daemon(fx);
	await_none(fx);
	ck_assert(is_gone(atoi(line)));

	/* and one of a run that began anew */
	c.cmd.place = AUX_PRE_START;
	c.cmd.keep = 0;
	rv_task_unref(start(fx, &c));
	await_line(fx, "fifo", line, sizeof(line));
	run->rec.token.run++;
	another_daemon(fx);
	await_none(fx);
	ck_assert(is_gone(atoi(line)));
	return 0;
}

AUX_TEST(one_whose_spawner_is_killed_is_lost_and_ended)
{
	_cleanup_free_ char *text = with_dir(fx, "echo $$ >fifo; sleep 1000");
	struct call c = {.run = run, .cmd = command(text)};
	_cleanup_close_ int pidfd = -1;
	char line[32];
	rv_task *t;

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	c.cmd.place = AUX_POST_START;
	c.cmd.keep = 0;
	t = start(fx, &c);
	await_line(fx, "fifo", line, sizeof(line));
	pidfd = pidfd_of(atoi(line));
	kill(spawner_link_pid(fx->core.spawner), SIGKILL);
	join(t);
	ck_assert_int_eq(c.r, 0);
	ck_assert_int_eq(c.end.how, AUX_LOST);
	ck_assert_int_ge(rv_wait_fd(pidfd, RV_READ), 0);
	return 0;
}

AUX_TEST(one_that_both_left_is_ended)
{
	_cleanup_free_ char *text = with_dir(fx, "echo $$ >fifo; exec sleep 1000");
	struct call c = {.run = run, .cmd = command(text)};
	_cleanup_close_ int pidfd = -1;
	char line[32];

	ck_assert_int_eq(mkfifoat(fx->dir.fd, "fifo", 0600), 0);
	c.cmd.place = AUX_POST_START;
	c.cmd.keep = 0;
	rv_task_unref(start(fx, &c));
	await_line(fx, "fifo", line, sizeof(line));
	pidfd = pidfd_of(atoi(line));
	kill(spawner_link_pid(fx->core.spawner), SIGKILL);
	another_daemon(fx);
	ck_assert_int_ge(rv_wait_fd(pidfd, RV_READ), 0);
	return 0;
}

UNIT_MAIN("aux", end_and_output_are_told, of_much_output_the_end_is_kept,
	environment_says_which_run_it_is_of, a_program_that_is_not_there_is_told,
	past_its_time_nothing_is_left_of_it, one_whose_caller_goes_is_ended,
	more_than_the_limit_wait_for_their_turn,
	one_that_is_not_begun_in_its_time_says_so, one_that_is_kept_is_started_once,
	the_next_daemon_goes_on_with_one_that_is_kept, the_next_daemon_ends_all_others,
	one_whose_spawner_is_killed_is_lost_and_ended, one_that_both_left_is_ended)
