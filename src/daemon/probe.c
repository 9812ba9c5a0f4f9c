#include "config.h"

#include "daemon/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/parse.h"
#include "base/unix_socket.h"
#include "daemon/aux.h"
#include "daemon/core.h"
#include "daemon/probe_output.h"
#include "daemon/readiness_priv.h"
#include "daemon/run.h"
#include "reeve/inet.h"
#include "reeve/net.h"
#include "reeve/scope.h"
#include "reeve/task.h"

enum {
	HEAD_MAX = 8192, /* bytes of an answer of HTTP up to its blank line */
	REQUEST_MAX = READY_HTTP_MAX + 256,
	OUTPUT_KEPT = 1024, /* bytes of what a command prints */
};

struct probe {
	struct list link; /* among those of its run */
	struct run *run;
	struct ready_rule rule;
	unsigned place; /* of a command */
	rv_time timeout;
	probe_done_fn done; /* NULL: nobody wants to know, or it was told */
	void *arg;
	rv_task *task; /* NULL: it has not begun */
	bool has_turn; /* of a command */
	char why[PROBE_WHY_MAX];
};

/* ---- connections --------------------------------------------------------------------------- */

static int connect_to(int *ret_fd, const struct sockaddr *sa, socklen_t len)
{
	_cleanup_close_ int fd =
		socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = rv_connect_fd(fd, sa, len);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* a service may listen on either */
static int connect_tcp(int *ret_fd, uint16_t port)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int r = connect_to(ret_fd, (struct sockaddr *)&in6, sizeof(in6));

	if (r >= 0 || r == -ECANCELED)
		return r;
	return connect_to(ret_fd, (struct sockaddr *)&in, sizeof(in));
}

static int ask_tcp(const struct ready_rule *rule)
{
	_cleanup_close_ int fd = -1;

	return connect_tcp(&fd, rule->port);
}

static int ask_unix(const struct ready_rule *rule)
{
	_cleanup_close_ int fd = -1;
	int r = unix_connect(&fd, rule->text, SOCK_STREAM, true);

	/* somebody listens there, for another kind of connection */
	return r == -EPROTOTYPE ? 0 : r;
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static int send_request(int fd, const struct ready_rule *rule)
{
	char text[REQUEST_MAX];
	int n = snprintf(text, sizeof(text),
		"GET %s HTTP/1.1\r\nHost: localhost:%u\r\nUser-Agent: reeve\r\n"
		"Accept: */*\r\nConnection: close\r\n\r\n",
		rule->text, rule->port);

	return rv_send_all(fd, text, (size_t)n);
}

/* What follows the blank line does not matter. The bytes of the head, ended by NUL; negative */
static ssize_t receive_head(int fd, char *head, size_t max)
{
	size_t n = 0;

	for (;;) {
		ssize_t got = rv_recv(fd, head + n, max - 1 - n, 0);

		if (got <= 0)
			return got < 0 ? got : -RV_EINCOMPLETE;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n") || strstr(head, "\n\n"))
			return (ssize_t)n;
		if (n == max - 1)
			return -EMSGSIZE;
	}
}

static int ask_http(struct probe *p)
{
	_cleanup_close_ int fd = -1;
	char head[HEAD_MAX];
	int r = connect_tcp(&fd, p->rule.port), status = 0;
	ssize_t n;

	if (r >= 0)
		r = send_request(fd, &p->rule);
	if (r < 0)
		return r;
	n = receive_head(fd, head, sizeof(head));
	if (n == -EMSGSIZE)
		snprintf(p->why, sizeof(p->why),
			"an answer with a head of over %d bytes", HEAD_MAX - 1);
	else if (n == -RV_EINCOMPLETE)
		snprintf(p->why, sizeof(p->why), "closed before the answer was whole");
	if (n < 0)
		return (int)n;
	if (sscanf(head, "HTTP/1.%*1[01] %3d", &status) != 1) {
		snprintf(p->why, sizeof(p->why), "an answer that is not HTTP");
		return -EBADMSG;
	}
	if (status >= 200 && status < 400)
		return 0;
	snprintf(p->why, sizeof(p->why), "HTTP status %d", status);
	return -EBADMSG;
}

/* ---- commands ------------------------------------------------------------------------------ */

/* What it printed last is the best that there is to say, in one line of text. */
static void describe_output(struct probe *p, const struct aux_end *end)
{
	const char *text = end->output ? end->output : "";
	size_t n = end->n_output, len = strlen(p->why), from;

	while (n > 0 && (unsigned char)text[n - 1] <= ' ')
		n--;
	for (from = n; from > 0 && text[from - 1] != '\n';)
		from--;
	if (from == n || len + 3 >= sizeof(p->why) ||
		!utf8_is_valid(text + from, n - from))
		return;
	n = MIN(n - from, sizeof(p->why) - len - 3);
	while (n > 0 && ((unsigned char)text[from + n] & 0xc0) == 0x80)
		n--; /* not inside of a character */
	snprintf(p->why + len, sizeof(p->why) - len, ": %.*s", (int)n, text + from);
	for (char *c = p->why; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
}

static int ask_command(struct probe *p)
{
	char *const argv[] = {(char *)job_str(&p->run->spec, SHELL), (char *)"-c",
		p->rule.text, NULL};
	const struct aux_command cmd = {.place = p->place,
		.argv = argv,
		.timeout_usec = p->timeout / 1000,
		.keep = OUTPUT_KEPT,
		.has_turn = &p->has_turn};
	struct aux_end end;
	int r = aux_run(p->run, &cmd, &end);

	if (r < 0) /* no memory: it is not the service that fails */
		return r == -ECANCELED ? r : -EAGAIN;
	/* where it was not asked, that it is well and that it is not are both unknown */
	if (end.how == AUX_NOT_BEGUN)
		r = -EBUSY;
	else if (end.how == AUX_LOST ||
		 (end.how == AUX_NOT_STARTED && p->place == AUX_LIVENESS))
		r = -EAGAIN;
	else if (!aux_end_is_success(&end))
		r = -EBADMSG;
	if (r < 0) {
		aux_end_describe(&end, cmd.timeout_usec, p->why, sizeof(p->why));
		describe_output(p, &end);
	}
	aux_end_deinit(&end);
	return r;
}

/* ---- the task ------------------------------------------------------------------------------ */

static int ask(struct probe *p)
{
	switch (p->rule.kind) {
	case READY_TCP: return ask_tcp(&p->rule);
	case READY_UNIX: return ask_unix(&p->rule);
	case READY_HTTP: return ask_http(p);
	case READY_OUTPUT: return probe_output(p->run, p->rule.text);
	default: return -EOPNOTSUPP;
	}
}

static void tell(struct probe *p, int r)
{
	probe_done_fn done = p->done;

	p->done = NULL;
	if (done)
		done(r, p->why, p->arg);
}

static int probe_main(void *arg)
{
	struct probe *p = arg;
	char limit[DURATION_TEXT_MAX];
	int r;

	if (!p->done)
		return 0;
	p->task = rv_task_self();
	if (p->rule.kind ==
		READY_COMMAND) /* it keeps to its time, and ends what is late */
		r = ask_command(p);
	else
		r = rv_timed(p->timeout, ask(p));
	if (r == -ETIMEDOUT) {
		duration_format(limit, sizeof(limit), p->timeout / 1000);
		snprintf(p->why, sizeof(p->why), "no answer within %s", limit);
	} else if (r < 0 && !p->why[0]) {
		snprintf(p->why, sizeof(p->why), "%s", rv_strerror(r));
	}
	tell(p, r);
	return 0;
}

/* of the task: also of one that was cancelled before its first step */
static void probe_free(void *arg)
{
	struct probe *p = arg;

	tell(p, -ECANCELED);
	list_remove(&p->link);
	ready_rule_deinit(&p->rule);
	free(p);
}

int probe_start(struct probe **ret, struct run *run, const struct ready_rule *rule,
	unsigned place, rv_time timeout, probe_done_fn done, void *arg)
{
	const rv_task_opts opts = {.name = "probe", .arg_dtor = probe_free};
	struct probe *p = calloc(1, sizeof(*p));
	int r = p ? ready_rule_copy(&p->rule, rule) : -ENOMEM;

	if (r < 0) {
		free(p);
		return r;
	}
	p->run = run;
	p->place = place;
	p->timeout = timeout;
	p->arg = arg;
	/* it begins in the next round; where it cannot be, p is gone with it */
	r = rv_group_spawn_ex(run->core->runs, &opts, probe_main, p, NULL);
	if (r < 0)
		return r;
	p->done = done;
	list_append(&run->ready->probes, &p->link);
	*ret = p;
	return 0;
}

bool probe_waits(const struct probe *p)
{
	return p->rule.kind == READY_COMMAND && !p->has_turn;
}

void probe_stop(struct probe *p)
{
	if (!p)
		return;
	p->done = NULL;
	if (p->task)
		rv_task_cancel(p->task);
}

/* One that has not begun does nothing when it does. */
static void end_one(struct probe *p)
{
	rv_task *task = p->task ? rv_task_ref(p->task) : NULL;
	rv_scope shield;

	list_remove(&p->link);
	probe_stop(p);
	if (!task)
		return;
	/* it ends at once, but for what is just being done in a worker */
	if (rv_scope_enter(&shield, RV_SCOPE_SHIELD, RV_FOREVER) >= 0)
		(void)rv_scope_exit(&shield, rv_task_join(task, NULL));
	rv_task_unref(task);
}

void probes_end(struct list *probes)
{
	while (!list_is_empty(probes))
		end_one(LIST_ENTRY(list_first(probes), struct probe, link));
}
