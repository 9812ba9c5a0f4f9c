/*
 * reeve-spawner: starts the jobs' processes, reaps them, and outlives the daemon.
 *
 * One thread, one epoll loop; starter threads fork (starter.h). This file builds the
 * process and runs the loop; what happens to a run is in life*.c, the connection to the
 * daemon in conn.c and request.c.
 */
#include "config.h"

#include "spawn/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/log.h"
#include "base/unix_socket.h"
#include "spawn/exits.h"
#include "spawn/relay.h"
#include "spawn/said.h"
#include "spawn/spawner_lock.h"
#include "spawn/spawner_setup.h"

#define EVENTS_PER_TURN 128
#define LOOK_AGAIN      RV_MS(1) /* at a process that is in exec */
#define LOOK_AT_RELAY   RV_MS(3) /* how long starters may go on unnoticed */
#define LEAVE_AGAIN     RV_MS(10)
#define FIRST_CONTACT   RV_SEC(60) /* leaves when nobody has come by then */

static int watch(
	struct spawner *sp, int fd, struct source *source, enum source_kind kind)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = source};

	source->kind = kind;
	return epoll_ctl(sp->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

static int spawner_listen(struct spawner *sp)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;
	struct stat st;
	int r;

	r = buf_printf(&path, "%s/" SPAWN_SOCKET_NAME "%c", sp->state_dir, '\0');
	if (r < 0)
		return r;
	/* the lock is ours: a socket file on which nobody listens is a dead spawner's
	 */
	r = unix_listen(&sp->listen_fd, buf_head(&path), SOCK_SEQPACKET, 0600, 16);
	if (r < 0)
		return r;
	if (stat(buf_head(&path), &st) < 0)
		return -errno;
	sp->socket_dev = st.st_dev;
	sp->socket_ino = st.st_ino;
	return 0;
}

/* 1; 0: there is none, or it is not ours; -ENOMEM. path: of the socket */
static int find_own_socket(const struct spawner *sp, struct buf *path)
{
	struct stat st;

	if (buf_printf(path, "%s/" SPAWN_SOCKET_NAME "%c", sp->state_dir, '\0') < 0)
		return -ENOMEM;
	return lstat(buf_head(path), &st) == 0 && st.st_dev == sp->socket_dev &&
	       st.st_ino == sp->socket_ino;
}

static void unlink_own_socket(struct spawner *sp)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;

	if (find_own_socket(sp, &path) > 0)
		(void)unlink(buf_head(&path));
}

static int open_signals(int sig1, int sig2)
{
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, sig1);
	sigaddset(&signals, sig2);
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int open_sources(struct spawner *sp)
{
	int r;

	sp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (sp->epoll_fd < 0)
		return -errno;
	sp->signal_fd = open_signals(SIGTERM, SIGINT);
	if (sp->signal_fd < 0)
		return sp->signal_fd;
	/* apart: it is not watched while starters go on by themselves */
	sp->sigchld_fd = open_signals(SIGCHLD, SIGCHLD);
	if (sp->sigchld_fd < 0)
		return sp->sigchld_fd;
	sp->started_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sp->started_fd < 0)
		return -errno;
	sp->stamped_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sp->stamped_fd < 0)
		return -errno;
	r = spawner_listen(sp);
	if (r < 0)
		return r;
	r = watch(sp, sp->signal_fd, &sp->on_signal, SOURCE_SIGNAL);
	if (r == 0)
		r = watch(sp, sp->sigchld_fd, &sp->on_sigchld, SOURCE_SIGCHLD);
	if (r == 0)
		r = watch(sp, sp->started_fd, &sp->on_started, SOURCE_STARTED);
	if (r == 0)
		r = watch(sp, sp->stamped_fd, &sp->on_stamped, SOURCE_STAMPED);
	if (r == 0)
		r = watch(sp, sp->listen_fd, &sp->on_listen, SOURCE_LISTEN);
	return r;
}

static unsigned int count_starters(void)
{
	cpu_set_t cpus;
	int n = 2;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = CPU_COUNT(&cpus);
	return (unsigned int)MAX(2, MIN(n, 4));
}

static int spawner_init(struct spawner *sp, const struct setup *setup)
{
	const struct starters_ops ops = {relay_expects, relay_follow, sp};
	int r;

	*sp = (struct spawner){.state_dir = setup->state_dir,
		.stay = setup->stay,
		.uid = geteuid(),
		.epoll_fd = -1,
		.signal_fd = -1,
		.sigchld_fd = -1,
		.look_at = RV_FOREVER,
		.listen_fd = -1,
		.notify_fd = -1,
		.lock_fd = setup->lock_fd,
		.started_fd = -1,
		.stamped_fd = -1,
		.claims.fd = -1,
		.leave_at = setup->stay
				    ? RV_FOREVER
				    : clock_monotonic(&clock_system) + FIRST_CONTACT};
	list_init(&sp->ended);
	gates_init(&sp->gates);
	sp->self.version = WIRE_VERSION;
	sp->self.pid = getpid();
	random_id(sp->self.instance);
	r = boot_id_get(sp->self.boot_id);
	if (r < 0)
		return r;
	r = runs_init(&sp->runs);
	if (r == 0)
		r = conn_init(&sp->conn);
	if (r == 0)
		r = orphans_init(&sp->orphans, &sp->runs, sp->self.instance);
	if (r < 0)
		return r;
	sp->orphans.unknown = conn_tell_orphan;
	sp->orphans.arg = sp;
	r = open_sources(sp);
	if (r == 0)
		r = stamper_new(&sp->stamper, sp->stamped_fd);
	if (r == 0)
		r = starters_new(&sp->starters, count_starters(), &setup->nofile,
			sp->started_fd, &ops);
	if (r == 0)
		claims_open(&sp->claims, sp->state_dir, sp->self.instance);
	return r;
}

static void process_sigchld(struct spawner *sp)
{
	struct signalfd_siginfo si; /* one can be pending */

	if (read(sp->sigchld_fd, &si, sizeof(si)) == sizeof(si))
		sp->sigchld = true;
}

/* While starters go on by themselves, nothing of it wakes the loop: it looks when it is awake,
 * and after a moment. */
static void set_look_at(struct spawner *sp, rv_time look_at)
{
	struct epoll_event ev = {.data.ptr = &sp->on_sigchld};

	if ((look_at == RV_FOREVER) != (sp->look_at == RV_FOREVER)) {
		ev.events = look_at == RV_FOREVER ? EPOLLIN : 0;
		(void)epoll_ctl(sp->epoll_fd, EPOLL_CTL_MOD, sp->sigchld_fd, &ev);
	}
	sp->look_at = look_at;
}

static void process_started(struct spawner *sp)
{
	rv_time now = clock_monotonic(&clock_system);
	bool is_due = now >= sp->look_at;
	struct list done;

	list_init(&done);
	if (!starters_done(sp->starters, &done, !is_due))
		set_look_at(sp, RV_FOREVER);
	else if (is_due || sp->look_at == RV_FOREVER)
		set_look_at(sp, now + LOOK_AT_RELAY);
	/* what waits for company has waited long enough */
	sp->conn.news_urgent |= is_due;
	for (struct list *it; (it = list_pop(&done));)
		life_start_done(sp, LIST_ENTRY(it, struct start, link));
}

/* the first time by signal, grace and SIGKILL, the second time at once */
static void stop_all(struct spawner *sp)
{
	bool again = sp->stopping;

	log_at(LOG_NOTICE, "spawn", "told to stop, ending %zu runs", sp->runs.n_active);
	sp->stopping = true;
	gates_close(&sp->gates);
	LIST_FOREACH_SAFE(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		if (again)
			(void)life_kill(sp, run);
		else
			(void)life_shut_down(sp, run);
	}
}

static void process_signals(struct spawner *sp)
{
	struct signalfd_siginfo si[2]; /* one of each kind can be pending */
	ssize_t n = read(sp->signal_fd, si, sizeof(si));

	for (ssize_t i = 0; i < n / (ssize_t)sizeof(si[0]); i++)
		stop_all(sp);
}

static void process_event(struct spawner *sp, const struct epoll_event *ev)
{
	struct source *source = ev->data.ptr;
	eventfd_t count;

	switch (source->kind) {
	case SOURCE_SIGNAL: process_signals(sp); break;
	case SOURCE_SIGCHLD: process_sigchld(sp); break;
	case SOURCE_LISTEN: conn_accept(sp); break;
	case SOURCE_CONN: conn_process(sp, ev->events); break;
	case SOURCE_STARTED:
		(void)eventfd_read(sp->started_fd, &count);
		process_started(sp);
		break;
	case SOURCE_STAMPED:
		(void)eventfd_read(sp->stamped_fd, &count);
		life_stamped(sp);
		break;
	case SOURCE_NOTIFY: said_read(sp); break;
	case SOURCE_READY:
		life_ready(sp, CONTAINER_OF(source, struct run, ready_source));
		break;
	case SOURCE_RUN:
		life_main_ended(sp, CONTAINER_OF(source, struct run, source));
		break;
	}
}

static void on_dropped(struct start *s, void *arg)
{
	life_start_dropped(arg, s);
}

/* ms for epoll_wait, rounded up so that it does not wake just before the time */
static int wait_ms(rv_time now, rv_time next)
{
	if (next == RV_FOREVER)
		return -1;
	if (next <= now)
		return 0;
	return (int)MIN((next - now + RV_MS(1) - 1) / RV_MS(1), (rv_time)INT32_MAX);
}

/* whoever is still running when all that can be done was done does not hold us */
static bool all_ended(struct spawner *sp)
{
	LIST_FOREACH(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		if (run_is_active(run) && run->n_kills < LIFE_KILLS_MAX)
			return false;
	}
	return true;
}

static bool may_leave(struct spawner *sp)
{
	if (sp->stopping)
		return all_ended(sp);
	/* what runs have let live on may still write */
	return !sp->stay && sp->conn.fd < 0 && sp->runs.n == 0 &&
	       stamper_n_open(sp->stamper) == 0 &&
	       (sp->leave_at == RV_FOREVER ||
		       clock_monotonic(&clock_system) >= sp->leave_at);
}

static void listen_again(struct spawner *sp)
{
	sp->listen_fd = close_safe(sp->listen_fd);
	if (spawner_listen(sp) == 0 &&
		watch(sp, sp->listen_fd, &sp->on_listen, SOURCE_LISTEN) == 0) {
		sp->deaf = false;
		return;
	}
	if (!sp->deaf)
		log_at(LOG_ERR, "spawn", "cannot listen again");
	sp->deaf = true;
}

/* Without its file no daemon would ever find us, and no other spawner takes our place: the
 * next daemon is expected when there is none. */
static void keep_listening(struct spawner *sp)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;

	if (sp->conn.fd >= 0 || find_own_socket(sp, &path) != 0)
		return;
	if (!sp->deaf)
		log_at(LOG_WARNING, "spawn", "'%s' is gone, making it again",
			buf_head(&path));
	listen_again(sp);
}

/* One pass of the loop. Returns when the next is due by time. */
static rv_time spawner_turn(struct spawner *sp, int timeout_ms)
{
	struct epoll_event ev[EVENTS_PER_TURN];
	rv_time now, next;
	int n;

	n = epoll_wait(sp->epoll_fd, ev, EVENTS_PER_TURN, timeout_ms);
	for (int i = 0; i < n; i++)
		process_event(sp, &ev[i]);
	if (sp->look_at != RV_FOREVER) {
		process_started(sp);
		process_sigchld(sp);
	}
	starters_kick(sp->starters);
	life_turn(sp);
	now = clock_monotonic(&clock_system);
	life_timers(sp, now);
	starters_kick(sp->starters); /* those that ends have let through their gate */
	next = starters_tick(sp->starters, now, on_dropped, sp);
	if (starters_kick(sp->starters))
		next = now; /* the end of one that hung let another through */
	next = MIN(next, conn_flush(sp, now));
	keep_listening(sp);
	if (sp->runs.n == 0 && sp->conn.fd < 0)
		next = MIN(next, sp->leave_at);
	if (sp->orphans.n_doubtful > 0)
		next = MIN(next, now + LOOK_AGAIN);
	next = MIN(next, sp->look_at);
	return MIN(next, runs_next_deadline(&sp->runs));
}

/* What nobody acknowledged, and that this is all: a run that a daemon has recorded with us
 * and that does not stand there was never started. Read back with spawn_exits_load. */
static int write_exits(struct spawner *sp)
{
	_cleanup_(buf_deinitp) struct buf records = BUF_NULL;
	_cleanup_close_ int dir_fd = -1;
	int r;

	r = wire_encode_hello(&records, &sp->self);
	LIST_FOREACH(it, &sp->runs.all) {
		struct run *run = LIST_ENTRY(it, struct run, all_link);

		if (r < 0)
			return r;
		r = wire_encode_run(&records, WIRE_RUN_TABLE, &run->info, 0);
	}
	if (r < 0)
		return r;
	dir_fd = open(sp->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return errno == ENOENT && sp->runs.n == 0 ? 0
							  : -errno; /* nobody to tell */
	return spawn_exits_write(dir_fd, &records);
}

/* 1: it is over, and the lock is held so that nobody comes meanwhile; 0; -EAGAIN: over,
 * but somebody is just looking whether there is a spawner; -EBUSY: somebody has come at the last
 * moment, and is to be greeted. */
static int spawner_leaves(struct spawner *sp)
{
	if (!may_leave(sp))
		return 0;
	if (!sp->stopping) {
		/* The turn that saw the end of a connection need not have seen who came after
		 * it. With the socket gone that one would be served, but the next would find
		 * none, or one that does not listen yet. */
		conn_accept(sp);
		if (!may_leave(sp))
			return -EBUSY;
	}
	if (spawner_lock_leave(sp->lock_fd) < 0)
		return -EAGAIN;
	unlink_own_socket(sp);
	if (sp->stopping)
		return 1;
	/* somebody connected before the file was gone: serve that one, under the name
	 */
	conn_accept(sp);
	if (may_leave(sp))
		return 1;
	listen_again(sp);
	spawner_lock_arrived(sp->lock_fd);
	return -EBUSY;
}

static int spawner_run(struct spawner *sp)
{
	rv_time now, next = sp->leave_at;
	int r;

	for (;;) {
		now = clock_monotonic(&clock_system);
		next = spawner_turn(sp, wait_ms(now, next));
		r = spawner_leaves(sp);
		if (r > 0)
			break;
		if (r == -EBUSY)
			next = 0;
		else if (r < 0)
			next = MIN(next, clock_monotonic(&clock_system) + LEAVE_AGAIN);
	}

	/* unless no daemon ever came: then none has recorded anything with us */
	r = sp->stopping || sp->leave_at == RV_FOREVER ? write_exits(sp) : 0;
	if (r < 0)
		log_at(LOG_ERR, "spawn", "exits of %zu runs are lost: %s", sp->runs.n,
			rv_strerror(r));
	else
		claims_remove(
			&sp->claims); /* what was never started is told by that file */
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct spawner sp;
	struct setup setup;
	int r;

	r = setup_process(&setup, argc, argv);
	if (r != 0)
		return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	r = spawner_init(&sp, &setup);
	if (r < 0) {
		log_at(LOG_ERR, "spawn", "cannot start: %s", rv_strerror(r));
		setup_tell_ready(&setup, r);
		return EXIT_FAILURE;
	}
	spawner_lock_arrived(setup.lock_fd);
	setup_tell_ready(&setup, 0);
	r = spawner_run(&sp);
	conn_close(&sp);
	/* no tidying up of threads and tables: a starter may hang for ever */
	_exit(r);
}
