/* What runs say while no daemon is there; see said.h. */
#include "config.h"

#include "spawn/said.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/macro.h"
#include "base/parse.h"
#include "spawn/notify_message.h"
#include "spawn/spawner.h"

/* ---- words --------------------------------------------------------------------------------- */

static const char *const kinds[] = {"READY=", "RELOADING=", "STOPPING=", "STATUS=",
	"MAINPID=", "WATCHDOG_USEC=", "WATCHDOG=trigger", SPAWN_SAID_OUTPUT,
	SPAWN_SAID_LINE};

static const char *kind_of(const char *line, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (n >= strlen(kinds[i]) &&
			strncmp(line, kinds[i], strlen(kinds[i])) == 0)
			return kinds[i];
	return NULL;
}

static void drop_kind(char *text, const char *kind)
{
	for (char *p = text, *nl; *p; p = nl + 1) {
		nl = strchr(p, '\n');
		if (!nl)
			return;
		if (strncmp(p, kind, strlen(kind)) == 0) {
			memmove(p, nl + 1, strlen(nl + 1) + 1);
			return;
		}
	}
}

static void merge_line(char *text, const char *line, size_t n)
{
	const char *kind = memchr(line, '\0', n) ? NULL : kind_of(line, n);
	size_t have;

	if (!kind)
		return;
	/* the rest of a status would not be shown */
	if (STREQ(kind, "STATUS="))
		n = MIN(n, strlen(kind) + SPAWN_SAID_STATUS_MAX);
	drop_kind(text, kind);
	have = strlen(text);
	if (have + n + 1 > SPAWN_SAID_MAX)
		return;
	memcpy(text + have, line, n);
	text[have + n] = '\n';
	text[have + n + 1] = '\0';
}

void said_merge(char text[SPAWN_SAID_MAX + 1], const char *lines, size_t n)
{
	while (n > 0) {
		const char *nl = memchr(lines, '\n', n);
		size_t len = nl ? (size_t)(nl - lines) : n;

		merge_line(text, lines, len);
		len += nl != NULL;
		lines += len;
		n -= len;
	}
}

static char *room(struct run *run)
{
	if (!run->said)
		run->said = calloc(1, SPAWN_SAID_MAX + 1);
	return run->said;
}

/* of a message of n bytes */
static void extend(struct spawner *sp, struct run *run, const char *text, size_t n)
{
	size_t len = strlen(SPAWN_SAID_EXTEND);
	const char *at = n ? memmem(text, n, SPAWN_SAID_EXTEND, len) : NULL;
	char number[24] = "";
	uint64_t usec;

	if (!at || (at > text && at[-1] != '\n') || run->phase != RUN_STOPPING)
		return;
	at += len;
	for (size_t i = 0; i + 1 < sizeof(number) && at + i < text + n; i++) {
		if (at[i] == '\n')
			break;
		number[i] = at[i];
	}
	if (parse_u64(&usec, number, 1, SPAWN_EXTEND_MAX) < 0)
		return;
	/* FOREVER: of one without a grace that ends */
	runs_set_deadline(&sp->runs, run,
		MAX(run->deadline,
			clock_monotonic(&clock_system) + usec_to_time((int64_t)usec)));
}

int said_set(struct spawner *sp, struct run *run, const char *text)
{
	char *said = room(run);

	extend(sp, run, text, strlen(text));
	if (!said)
		return -ENOMEM;
	said[0] = '\0';
	said_merge(said, text, strlen(text));
	return 0;
}

void said_end(struct run *run)
{
	char *said = run->said;

	/* what it says of itself is over; what the daemon has noted stays as long as its end */
	run->said = run->info.token.run_no & SPAWN_AUX && said ? strdup(said) : NULL;
	free(said);
}

/* ---- whose they are ------------------------------------------------------------------------- */

static void *by_pid(pid_t pid, void *arg)
{
	struct spawner *sp = arg;
	struct run *run = pid > 1 ? runs_find_pid(&sp->runs, pid) : NULL;

	/* the word of a command beside a run is not the run's */
	return run && !(run->info.token.run_no & SPAWN_AUX) ? run : NULL;
}

/* ---- the socket ----------------------------------------------------------------------------- */

void said_keep(struct spawner *sp, int fd)
{
	said_listen(sp, false);
	close_safe(sp->notify_fd);
	sp->notify_fd = fd;
	said_listen(sp, sp->conn.fd < 0);
}

void said_listen(struct spawner *sp, bool on)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &sp->on_notify};

	if (sp->notify_fd < 0 || on == sp->notify_watched)
		return;
	sp->on_notify.kind = SOURCE_NOTIFY;
	if (epoll_ctl(sp->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, sp->notify_fd,
		    &ev) == 0)
		sp->notify_watched = on;
}

static bool receive_one(struct spawner *sp)
{
	char text[NOTIFY_MESSAGE_MAX];
	struct ucred from;
	bool cut;
	ssize_t n =
		notify_receive(sp->notify_fd, text, sizeof(text), false, &from, &cut);
	struct run *run;

	if (n < 0)
		return n == -EINTR;
	run = notify_owner(from.pid, by_pid, sp);
	if (run && !cut)
		extend(sp, run, text, (size_t)n);
	if (run && !cut && room(run))
		said_merge(run->said, text, (size_t)n);
	return true;
}

void said_read(struct spawner *sp)
{
	for (int i = 0; i < NOTIFY_ROUND_MAX; i++)
		if (!receive_one(sp))
			return;
}
