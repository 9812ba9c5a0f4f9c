/*
 * A client that says what it likes and how it likes it.
 *
 *	hostile SOCKET talk [-e] [-n REPLIES] [-r TIMES] < BYTES
 *		send the bytes (-r: so many times over) and, with -e, an end of stream;
 *		print the replies, one a line, until the daemon closes or -n of them came
 *	hostile SOCKET mute [-n CONNECTIONS] FILE
 *		send what is in FILE on each connection and never read; prints "ready"
 *		when all are sent, and leaves at the end of its stdin
 *	hostile SOCKET vanish [-n TIMES] FILE
 *		connect, send what is in FILE and leave at once, so many times
 *	hostile SOCKET flood N
 *		N connections at one time, a ping on each; all are held until the last has
 *		its answer. Prints "served N refused N other N", and the first refusal.
 *
 * Exit status 0; 1 where the daemon does not answer at all or within a minute; 2 usage.
 */
#include "config.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"

enum { ANSWER_MSEC = 60000, STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char ping[] = "{\"method\":\"io.reeve.Daemon.Ping\"}";
static const char pong[] = "{\"parameters\":{}}";

static void die(const char *what)
{
	perror(what);
	exit(STATUS_FAILED);
}

static int connect_to(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		fprintf(stderr, "hostile: the path of the socket is too long\n");
		exit(STATUS_USAGE);
	}
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* blocks while the backlog is full */
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		die("connect");
	return fd;
}

static void read_all(struct buf *b, int fd)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		if (buf_append(b, chunk, (size_t)n) < 0)
			die("memory");
	if (n < 0)
		die("read");
}

static void read_file(struct buf *b, const char *name)
{
	_cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(name);
	read_all(b, fd);
}

static long number(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > 10000000) {
		fprintf(stderr, "hostile: not a number: '%s'\n", text);
		exit(STATUS_USAGE);
	}
	return n;
}

/* ---- talk ------------------------------------------------------------------------ */

struct talk {
	int fd;
	bool with_eof;
	long n_replies; /* 0: until the daemon closes */
	long times;
	struct buf out;
};

/* true when the last reply that was asked for is printed */
static bool print_replies(struct talk *t, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		putchar(p[i] ? p[i] : '\n');
		if (!p[i] && t->n_replies && --t->n_replies == 0)
			return true;
	}
	return false;
}

/* what could be sent of the rest; at its end it begins anew, or the stream ends */
static void talk_send(struct talk *t, size_t *at)
{
	ssize_t n = send(t->fd, (const char *)buf_head(&t->out) + *at,
		buf_len(&t->out) - *at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		if (errno != EAGAIN)
			t->times = 0; /* it listens no more: what has it said? */
		return;
	}
	*at += (size_t)n;
	if (*at < buf_len(&t->out))
		return;
	*at = 0;
	if (--t->times == 0 && t->with_eof)
		shutdown(t->fd, SHUT_WR);
}

static int talk(struct talk *t)
{
	struct pollfd p = {.fd = t->fd};
	char chunk[65536];
	size_t at = 0;
	ssize_t n;

	if (buf_len(&t->out) == 0) {
		t->times = 0;
		if (t->with_eof)
			shutdown(t->fd, SHUT_WR);
	}
	for (;;) {
		p.events = (short)(POLLIN | (t->times ? POLLOUT : 0));
		if (poll(&p, 1, ANSWER_MSEC) <= 0) {
			fprintf(stderr, "hostile: no answer\n");
			return STATUS_FAILED;
		}
		if (p.revents & (POLLIN | POLLHUP | POLLERR)) {
			n = recv(t->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN))
				return 0;
			if (n > 0 && print_replies(t, chunk, (size_t)n))
				return 0;
		}
		if (t->times && p.revents & POLLOUT)
			talk_send(t, &at);
	}
}

static int cmd_talk(const char *path, int argc, char **argv)
{
	struct talk t = {.times = 1, .out = BUF_NULL};
	int c, r;

	while ((c = getopt(argc, argv, "en:r:")) != -1) {
		switch (c) {
		case 'e': t.with_eof = true; break;
		case 'n': t.n_replies = number(optarg); break;
		case 'r': t.times = number(optarg); break;
		default: return STATUS_USAGE;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0); /* who reads them may wait for each */
	read_all(&t.out, STDIN_FILENO);
	t.fd = connect_to(path);
	r = talk(&t);
	close(t.fd);
	buf_deinit(&t.out);
	return r;
}

/* ---- mute, vanish ---------------------------------------------------------------- */

static int cmd_send(const char *path, bool hold, int argc, char **argv)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	struct buf ignored = BUF_NULL;
	long times = 1;
	int c;

	while ((c = getopt(argc, argv, "n:")) != -1) {
		if (c != 'n')
			return STATUS_USAGE;
		times = number(optarg);
	}
	if (optind + 1 != argc)
		return STATUS_USAGE;
	read_file(&out, argv[optind]);
	for (long i = 0; i < times; i++) {
		int fd = connect_to(path);

		if (send(fd, buf_head(&out), buf_len(&out), MSG_NOSIGNAL) < 0)
			die("send");
		if (!hold)
			close(fd); /* else it is closed when this process ends */
	}
	if (!hold)
		return 0;
	puts("ready");
	fflush(stdout);
	read_all(&ignored, STDIN_FILENO);
	buf_deinit(&ignored);
	return 0;
}

/* ---- flood ----------------------------------------------------------------------- */

/* the first answer, without its NUL */
static bool read_answer(int fd, char *buf, size_t size)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, ANSWER_MSEC) <= 0)
			die("no answer");
		n = recv(fd, buf + len, size - 1 - len, 0);
		if (n <= 0)
			return false;
		len += (size_t)n;
		if (memchr(buf, '\0', len))
			return true;
		if (len == size - 1)
			return false;
	}
}

static int cmd_flood(const char *path, long n)
{
	struct rlimit rl;
	long served = 0, refused = 0, other = 0;
	char text[512], first[512] = "";
	int *fds = calloc((size_t)n, sizeof(*fds));

	if (!fds)
		die("memory");
	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	for (long i = 0; i < n; i++) {
		fds[i] = connect_to(path);
		/* the surplus may be closed already: its answer is there all the same
		 */
		(void)!send(fds[i], ping, sizeof(ping), MSG_NOSIGNAL);
	}
	for (long i = 0; i < n; i++) {
		if (!read_answer(fds[i], text, sizeof(text))) {
			other++;
		} else if (STREQ(text, pong)) {
			served++;
		} else if (strstr(text, "\"io.reeve.Job.LimitReached\"")) {
			if (refused++ == 0)
				strcpy(first, text);
		} else {
			other++;
		}
	}
	printf("served %ld refused %ld other %ld\n%s\n", served, refused, other, first);
	for (long i = 0; i < n; i++)
		close(fds[i]);
	free(fds);
	return 0;
}

int main(int argc, char **argv)
{
	int r = STATUS_USAGE;

	if (argc > 2) {
		const char *path = argv[1], *verb = argv[2];

		if (STREQ(verb, "talk"))
			r = cmd_talk(path, argc - 2, argv + 2);
		else if (STREQ(verb, "mute"))
			r = cmd_send(path, true, argc - 2, argv + 2);
		else if (STREQ(verb, "vanish"))
			r = cmd_send(path, false, argc - 2, argv + 2);
		else if (STREQ(verb, "flood") && argc == 4)
			r = cmd_flood(path, number(argv[3]));
	}
	if (r == STATUS_USAGE)
		fprintf(stderr, "usage: hostile SOCKET talk|mute|vanish|flood ...\n");
	return r;
}
