/* What services say by sd_notify(3); see readiness.h. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/unix_socket.h"
#include "daemon/outputs.h"
#include "daemon/readiness_priv.h"
#include "daemon/run_reload.h"
#include "daemon/services.h"
#include "daemon/spawner_link.h"
#include "spawn/notify_message.h"
#include "spawn/procfs.h"

enum { STRANGERS_TOLD_MAX = 5 };
static const rv_time strangers_period = RV_SEC(60);
/* so long a message of nobody may be one of a run that is just being started */
static const rv_time start_wait = RV_MS(500);

/* ---- whose it is --------------------------------------------------------------------------- */

int readiness_expect(struct run_ready *rr)
{
	uint64_t key = (uint64_t)rr->run->info.pid;
	int r = hashmap_put_u64(rr->rd->by_pid, key, rr);

	if (r >= 0)
		rr->key = key;
	if (rr->rd->watch) /* it may have spoken already */
		rv_timer_start(&rr->rd->more, rv_loop_now(rr->rd->loop));
	return r;
}

void readiness_forget(struct run_ready *rr)
{
	if (rr->key && hashmap_get_u64(rr->rd->by_pid, rr->key) == rr)
		hashmap_remove_u64(rr->rd->by_pid, rr->key);
	rr->key = 0;
}

static void *by_pid(pid_t pid, void *arg)
{
	const struct readiness *rd = arg;

	return pid > 0 ? hashmap_get_u64(rd->by_pid, (uint64_t)pid) : NULL;
}

static struct run_ready *run_of_process(struct readiness *rd, pid_t pid)
{
	return notify_owner(pid, by_pid, rd);
}

/* Anybody may send, as often as they like: the log is not for them to fill. */
static void tell_stranger(struct readiness *rd, const struct ucred *from)
{
	rv_time now = rv_loop_now(rd->loop);

	if (rd->n_strangers == 0 || now - rd->strangers_since >= strangers_period) {
		rd->strangers_since = now;
		rd->n_strangers = 0;
	}
	if (++rd->n_strangers <= STRANGERS_TOLD_MAX)
		log_at(LOG_WARNING, "service",
			"a message on '%s' of process %d of user %u, which belongs to "
			"no service with ready = notify or watchdog, ignoring it%s",
			rd->path, (int)from->pid, (unsigned)from->uid,
			rd->n_strangers == STRANGERS_TOLD_MAX
				? ", and more of them for a minute"
				: "");
}

/* once for each run */
static void tell_wrong(struct run_ready *rr, const char *what)
{
	if (rr->told_wrong)
		return;
	rr->told_wrong = true;
	log_at(LOG_WARNING, "service", "job %" PRIu64 " sent %s, ignoring it",
		rr->run->job->id, what);
}

/* ---- what it says -------------------------------------------------------------------------- */

static void take_status(struct run_ready *rr, const char *text)
{
	size_t n = strlen(text);

	if (!utf8_is_valid(text, n)) {
		tell_wrong(rr, "STATUS= that is not UTF-8");
		return;
	}
	if (n >= sizeof(rr->status)) {
		n = sizeof(rr->status) - 1;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--; /* not inside of a character */
	}
	memcpy(rr->status, text, n);
	rr->status[n] = '\0';
	for (char *p = rr->status; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

static void take_main_pid(struct run_ready *rr, const char *text)
{
	uint64_t pid;

	if (parse_u64(&pid, text, 1, INT_MAX) < 0 ||
		run_of_process(rr->rd, (pid_t)pid) != rr) {
		tell_wrong(rr, "MAINPID= that is no process of it");
		return;
	}
	rr->main_pid = (pid_t)pid;
}

static void take_watchdog(struct run_ready *rr, const char *text)
{
	uint64_t usec;

	if (parse_u64(&usec, text, 1, INT64_MAX) < 0)
		tell_wrong(rr, "WATCHDOG_USEC= that is no number of microseconds");
	else
		run_live_set_watchdog(rr->live, (int64_t)usec);
}

/* As systemd has it, the end of the state that it is in: of ready-timeout, of the limit of its
 * run time, of stop-timeout, which the spawner keeps. From now on so long at least, but not for ever:
 * it has to ask again. */
static void take_extension(struct run_ready *rr, const char *text)
{
	struct run *run = rr->run;
	rv_time until;
	uint64_t usec;

	if (parse_u64(&usec, text, 1, SPAWN_EXTEND_MAX) < 0) {
		tell_wrong(
			rr, "EXTEND_TIMEOUT_USEC= that is not from 1 to 86400000000");
		return;
	}
	until = time_after(rv_loop_now(rr->rd->loop), (int64_t)usec);
	if (run->stop != RUN_STOP_NONE) {
		rr->extended = MAX(rr->extended, until);
		run->kill_at = MAX(run->kill_at, until); /* without a spawner */
		readiness_pass_on(rr);
	} else if (rr->due != RV_FOREVER) {
		rr->due = MAX(rr->due, until);
	} else if (rr->is_ready) {
		run->deadline = MAX(run->deadline, until);
	}
	rv_event_set(&run->wake);
}

/* of RELOADING=1, before it in the same message: an old one is of a reload before */
static void take_reload_time(struct run_ready *rr, const char *text)
{
	uint64_t usec;

	if (parse_u64(&usec, text, 0, INT64_MAX / 1000) < 0)
		tell_wrong(rr, "MONOTONIC_USEC= that is no time");
	else if (rr->reloading)
		rr->reloading_since = MIN((rv_time)usec * 1000, rr->reloading_since);
}

static void take_line(struct run_ready *rr, const char *line)
{
	if (STREQ(line, "READY=1")) {
		rr->reloading = false;
		run_reload_moved(rr->run);
		if (rr->begun && rr->run->stop == RUN_STOP_NONE && !rr->stopping)
			run_became_ready(rr);
	} else if (STREQ(line, "RELOADING=1")) {
		rr->reloading = true;
		rr->reloading_since = rv_loop_now(rr->rd->loop);
		run_reload_moved(rr->run);
	} else if (STREQ(line, "STOPPING=1") && !rr->stopping) {
		rr->stopping = true;
		run_ready_changed(rr);
	} else if (STREQ(line, "WATCHDOG=1")) {
		run_live_pet(rr->live);
	} else if (STREQ(line, "WATCHDOG=trigger")) {
		run_live_trigger(rr->live);
	} else if (strncmp(line, "WATCHDOG_USEC=", 14) == 0) {
		take_watchdog(rr, line + 14);
	} else if (strncmp(line, "EXTEND_TIMEOUT_USEC=", 20) == 0) {
		take_extension(rr, line + 20);
	} else if (strncmp(line, "MONOTONIC_USEC=", 15) == 0) {
		take_reload_time(rr, line + 15);
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		take_status(rr, line + 7);
	} else if (strncmp(line, "MAINPID=", 8) == 0) {
		take_main_pid(rr, line + 8);
	}
	/* else something that others know of */
}

/* ---- for the next daemon --------------------------------------------------------------------- */

/* Of many words in a row the spawner hears once. */
static const rv_time said_delay = RV_MS(50);

/* what we told the spawner, or the daemon before us did */
static void take_output_from(struct run_ready *rr, const char *lines)
{
	const char *at = strstr(lines, SPAWN_SAID_OUTPUT);
	int64_t out, err;

	if (at && sscanf(at + strlen(SPAWN_SAID_OUTPUT), "%" SCNd64 " %" SCNd64, &out,
			  &err) == 2) {
		rr->output_from[0] = MAX(out, 0);
		rr->output_from[1] = MAX(err, 0);
	}
}

static void take_lines(struct run_ready *rr, char *text)
{
	while (text) {
		char *line = strsep(&text, "\n");

		take_line(rr, line);
	}
}

void run_told_said(struct run *run, const char *lines)
{
	char text[SPAWN_SAID_MAX + 1];
	struct run_ready *rr = run->ready;

	if (lines && rr)
		take_output_from(rr, lines);
	if (!lines || !rr || !rr->hears)
		return;
	if (!rr->begun) { /* its task is yet to look */
		free(rr->to_hear);
		rr->to_hear = strdup(lines);
		return;
	}
	snprintf(text, sizeof(text), "%s", lines);
	take_lines(rr, text);
}

void readiness_catch_up(struct run_ready *rr)
{
	_cleanup_free_ char *lines = TAKE_PTR(rr->to_hear);

	run_told_said(rr->run, lines);
}

/* ---- messages ------------------------------------------------------------------------------- */

/* text: n bytes, and room for one more */
static void take_message(
	struct readiness *rd, char *text, size_t n, bool cut, const struct ucred *from)
{
	struct run_ready *rr = run_of_process(rd, from->pid);
	bool pets;

	if (!rr) {
		tell_stranger(rd, from);
		return;
	}
	if (cut || memchr(text, '\0', n)) {
		tell_wrong(rr, cut ? "a message of more than 4096 bytes"
				   : "a message with a zero byte in it");
		return;
	}
	text[n] = '\0';
	/* the most frequent one changes nothing that is kept */
	pets = STREQ(text, "WATCHDOG=1") || STREQ(text, "WATCHDOG=1\n");
	take_lines(rr, text);
	if (!pets && !rv_timer_active(&rr->said))
		rv_timer_start(&rr->said, rv_loop_now(rd->loop) + said_delay);
}

/* ---- the socket ---------------------------------------------------------------------------- */

/* Whoever was started by the spawner stays below it. One that has ended may have been. */
static bool is_below(pid_t spawner, pid_t pid)
{
	for (int i = 0; i < NOTIFY_ANCESTORS_MAX && spawner > 0; i++) {
		struct proc_stat st;

		if (pid <= 1)
			return false;
		if (proc_stat_read(&st, pid) < 0 || st.ppid == spawner)
			return true;
		pid = st.ppid;
	}
	return true;
}

/* The spawner's word that a run has begun comes by another way than the run's own, and may be
 * the later one. Until then the message stays where it is. */
static bool may_be_starting(struct readiness *rd, const struct ucred *from)
{
	rv_time now = rv_loop_now(rd->loop);

	if (rd->n_starting == 0 || run_of_process(rd, from->pid) ||
		!is_below(spawner_link_pid(rd->core->spawner), from->pid))
		return false;
	if (rd->waits_until == 0)
		rd->waits_until = now + start_wait;
	if (rd->waits_until <= now)
		return false;
	rv_timer_start(&rd->more, rd->waits_until);
	return true;
}

static bool look_at_sender(struct readiness *rd)
{
	struct ucred from;
	char byte;
	bool cut;
	ssize_t n = notify_receive(rd->fd, &byte, sizeof(byte), true, &from, &cut);

	if (n < 0)
		return n == -EINTR;
	return !may_be_starting(rd, &from);
}

/* false: there are no more now */
static bool receive_one(struct readiness *rd)
{
	char text[NOTIFY_MESSAGE_MAX + 1];
	struct ucred from;
	bool cut;
	ssize_t n =
		notify_receive(rd->fd, text, NOTIFY_MESSAGE_MAX, false, &from, &cut);

	if (n < 0)
		return n == -EINTR;
	rd->waits_until = 0;
	take_message(rd, text, (size_t)n, cut, &from);
	return true;
}

/* true: nothing is left, or what is has to wait for the run that it is of */
static bool read_round(struct readiness *rd)
{
	for (int i = 0; i < NOTIFY_ROUND_MAX; i++)
		if ((rd->n_starting > 0 && !look_at_sender(rd)) || !receive_one(rd))
			return true;
	return false;
}

bool readiness_read(struct readiness *rd)
{
	if (!rd->watch)
		return true; /* there is no socket */
	return read_round(rd) && rd->waits_until == 0;
}

static void receive(void *arg)
{
	struct readiness *rd = arg;

	if (!read_round(rd))
		rv_timer_start(&rd->more, rv_loop_now(rd->loop));
}

static void readable(int fd, unsigned ev, void *arg)
{
	(void)fd;
	(void)ev;
	receive(arg);
}

static int bind_socket(struct readiness *rd)
{
	const int on = 1;
	int r;

	if (strlen(rd->path) > READY_PATH_MAX)
		return -ENAMETOOLONG;
	/* of the machine: services of all users send to it */
	r = unix_bind_datagram(&rd->fd, rd->path, rd->core->system_mode ? 0666 : 0600);
	if (r >= 0 && setsockopt(rd->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		r = -errno;
	if (r < 0)
		rd->fd = close_safe(rd->fd);
	return r;
}

/* its file may have been removed meanwhile: whoever sends there would find nobody */
static bool is_bound(const struct readiness *rd)
{
	_cleanup_close_ int fd = -1;

	return unix_connect(&fd, rd->path, SOCK_DGRAM, true) >= 0;
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static void hear(struct readiness *rd)
{
	int r = rd->watch ? 0
			  : rv_fd_watch(rd->loop, rd->fd, RV_READ, readable, rd,
				    &rd->watch);

	if (r < 0)
		log_at(LOG_ERR, "service", "cannot hear what services say on '%s': %s",
			rd->path, rv_strerror(r));
}

void readiness_open(struct readiness *rd)
{
	_cleanup_close_ int kept = -1;
	bool known = false;
	int r = 0;

	if (!rd)
		return;
	kept = spawner_link_take_notify(rd->core->spawner);
	if (rd->fd < 0 && kept >= 0 && is_bound(rd)) {
		rd->fd = TAKE_FD(kept);
		known = true;
	} else if (rd->fd < 0) {
		r = bind_socket(rd);
	} else if (kept >= 0) {
		known = is_same(rd->fd, kept);
	}
	rd->error = r;
	if (r < 0) {
		log_at(LOG_ERR, "service",
			"cannot listen on '%s': %s; services with ready = notify or "
			"watchdog cannot start",
			rd->path, rv_strerror(r));
		return;
	}
	/* before anything that is started from now on */
	if (!known)
		r = spawner_link_keep_notify(rd->core->spawner, rd->fd);
	if (r < 0)
		log_at(LOG_WARNING, "service",
			"the spawner cannot keep '%s': %s; what services say while no "
			"daemon is there is lost",
			rd->path, rv_strerror(r));
	hear(rd);
}

void readiness_init_socket(struct readiness *rd)
{
	rv_timer_init(&rd->more, rd->loop, receive, rd);
}
