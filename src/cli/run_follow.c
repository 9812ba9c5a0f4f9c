#include "config.h"

#include "cli/run_follow.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "cli/select.h"
#include "client/client.h"

/* a job that has not begun by then gets a line that says why */
#define PATIENCE RV_SEC(1)

struct stream {
	struct client *client;
	const char *name;
	int out_fd;
	int64_t run;    /* being followed; 0: the newest, whichever that is */
	int64_t offset; /* where its next byte stands */
	bool ended;     /* nothing more of this run */
	bool no_more;   /* the job has no run after that */
};

enum { STDOUT, STDERR, N_STREAMS };

struct follow {
	const struct cli *c;
	int64_t id;
	int signal_fd;
	bool quiet;
	struct client *control; /* short calls in between */
	struct client *waiter;  /* Wait is under way on it */
	struct stream streams[N_STREAMS];
	unsigned n_interrupts;
	unsigned n_reconnects;
	rv_time patience_until; /* RV_FOREVER: it has begun, or was told */
	int64_t lost_bytes;
	bool write_failed; /* the error at hand is of our own output */
	json_t *job;       /* finished; owned */
	char *error;       /* that the daemon refused with, and its parameters; owned */
	json_t *error_params;
};

int follow_catch_interrupts(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* A connection of its own. That nobody is there any more is the same as that the daemon
 * vanished while it was talked to. */
static int open_one(struct follow *f, struct client **ret)
{
	int r = client_open(ret, f->c->target.socket, CLI_CONNECT_TIMEOUT);

	return r == -ENOENT || r == -ECONNREFUSED ? -ECONNRESET : r;
}

static int start_wait(struct follow *f)
{
	_cleanup_json_ json_t *params =
		json_pack("{s:o}", "select", selection_of_id(f->id));

	return client_start(f->waiter, "io.reeve.Job.Wait", params, true, RV_FOREVER);
}

static int start_stream(struct follow *f, struct stream *s)
{
	_cleanup_json_ json_t *params = json_pack("{s:o, s:s, s:b}", "select",
		selection_of_id(f->id), "stream", s->name, "follow", 1);
	int r;

	if (!params)
		return -ENOMEM;
	if (!s->client) {
		r = open_one(f, &s->client);
		if (r < 0)
			return r;
	}
	if (s->run > 0 && json_put(params, "run", json_integer(s->run)) < 0)
		return -ENOMEM;
	if (s->offset > 0 && json_put(params, "offset", json_integer(s->offset)) < 0)
		return -ENOMEM;
	s->ended = false;
	return client_start(s->client, "io.reeve.Job.Logs", params, true, RV_FOREVER);
}

static int open_all(struct follow *f)
{
	int r;

	r = open_one(f, &f->waiter);
	if (r == 0)
		r = start_wait(f);
	for (int i = 0; i < N_STREAMS && r == 0; i++)
		if (!f->streams[i].ended)
			r = start_stream(f, &f->streams[i]);
	return r;
}

static void close_all(struct follow *f)
{
	f->waiter = client_close(f->waiter);
	for (int i = 0; i < N_STREAMS; i++)
		f->streams[i].client = client_close(f->streams[i].client);
}

/* Ctrl-C: first cancel, then kill. A refusal means that it just ended: no error. */
static void take_interrupt(struct follow *f)
{
	struct signalfd_siginfo info;
	json_t *params;

	if (read(f->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	params = json_pack("{s:o}", "select", selection_of_id(f->id));
	if (f->n_interrupts++ == 0) {
		if (!f->quiet && f->c->err_is_tty)
			cli_note(f->c,
				"cancelling job %" PRId64 ", Ctrl-C again kills it",
				f->id);
		client_call(f->control, "io.reeve.Job.Cancel", params, NULL, NULL,
			CLI_CONNECT_TIMEOUT);
	} else if (params && json_put(params, "signal", json_string("KILL")) == 0) {
		client_call(f->control, "io.reeve.Job.Kill", params, NULL, NULL,
			CLI_CONNECT_TIMEOUT);
	}
	json_decref(params);
}

static void interrupted(void *arg)
{
	take_interrupt(arg);
}

/* 0, -errno with f->write_failed */
static int write_out(struct follow *f, int fd, const char *p, size_t n)
{
	int r = write_interruptibly(fd, p, n, f->signal_fd, interrupted, f);

	f->write_failed |= r < 0;
	return r;
}

static int write_json(struct follow *f, const json_t *page)
{
	_cleanup_free_ char *text = json_dumps(page, JSON_COMPACT);
	int r;

	if (!text)
		return -ENOMEM;
	r = write_out(f, STDOUT_FILENO, text, strlen(text));
	return r < 0 ? r : write_out(f, STDOUT_FILENO, "\n", 1);
}

static int take_page(struct follow *f, struct stream *s, const json_t *page)
{
	const json_t *b64 = json_object_get(page, "data_b64");
	int64_t run = json_int(page, "run", 0);
	_cleanup_free_ void *data = NULL;
	size_t n = 0;
	int r;

	if (s->run > 0 && run < s->run) {
		/* asked for the next run, and there will be none */
		s->no_more = true;
		return 0;
	}
	s->run = run;
	f->lost_bytes += json_int(page, "lost_bytes", 0);
	f->n_reconnects = 0;
	if (!json_is_string(b64))
		return 0;
	r = base64_decode(&data, &n, json_string_value(b64), json_string_length(b64));
	if (r < 0)
		return r;
	s->offset = json_int(page, "offset", s->offset) + (int64_t)n;
	if (n > 0)
		f->patience_until = RV_FOREVER;
	if (f->c->json)
		return n > 0 || json_int(page, "lost_bytes", 0) > 0
			       ? write_json(f, page)
			       : 0;
	return write_out(f, s->out_fd, data, n);
}

/* An error for an answer. -ESRCH the job is gone; -ECANCELED it was refused, f->error */
static int take_error(struct follow *f, struct client_message *m)
{
	if (STREQ(m->error, "io.reeve.Job.Removed") ||
		STREQ(m->error, "io.reeve.Job.NotFound"))
		return -ESRCH;
	f->error = TAKE_PTR(m->error);
	f->error_params = TAKE_PTR(m->params);
	return -ECANCELED;
}

/* what has come on one stream */
static int take_stream(struct follow *f, struct stream *s)
{
	int r;

	while (!s->ended) {
		struct client_message m;

		r = client_next(s->client, &m, 0);
		if (r <= 0)
			return r;
		r = m.error ? take_error(f, &m) : take_page(f, s, m.params);
		if (r == -ESRCH && m.error) {
			s->no_more = true; /* what became of it Wait tells */
			r = 0;
		}
		s->ended = !m.continues;
		client_message_deinit(&m);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The wait has an answer: the job is finished. */
static int take_wait(struct follow *f)
{
	int r;

	for (;;) {
		struct client_message m;
		json_t *jobs;

		r = client_next(f->waiter, &m, 0);
		if (r <= 0)
			return r;
		if (m.error)
			r = take_error(f, &m);
		jobs = json_object_get(m.params, "jobs");
		if (!f->job && json_array_size(jobs) > 0)
			f->job = json_incref(json_array_get(jobs, 0));
		if (r > 0 && !m.continues && !f->job) /* removed by somebody */
			r = -ESRCH;
		client_message_deinit(&m);
		if (r < 0 || f->job)
			return r < 0 ? r : 0;
	}
}

static bool streams_ended(const struct follow *f)
{
	return f->streams[STDOUT].ended && f->streams[STDERR].ended;
}

/* Of all runs all output is here. */
static bool is_over(const struct follow *f)
{
	int64_t runs;

	if (!f->job)
		return false;
	runs = json_int(f->job, "runs", 0);
	if (runs == 0)
		return true;
	return streams_ended(f) &&
	       (f->streams[STDOUT].no_more || f->streams[STDOUT].run >= runs);
}

/* A retried job has further runs, and their output belongs to ours. */
static int follow_next_run(struct follow *f)
{
	int r = 0;

	if (!streams_ended(f) || f->streams[STDOUT].no_more ||
		f->streams[STDERR].no_more)
		return 0;
	for (int i = 0; i < N_STREAMS && r == 0; i++) {
		f->streams[i].run++;
		f->streams[i].offset = 0;
		r = start_stream(f, &f->streams[i]);
	}
	return r;
}

static void tell_why(struct follow *f)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *params = json_pack("{s:o}", "select", selection_of_id(f->id));
	const char *why;
	int r;

	f->patience_until = RV_FOREVER;
	r = client_call(f->control, "io.reeve.Job.Show", params, &reply, NULL,
		CLI_CONNECT_TIMEOUT);
	json_decref(params);
	if (r != 0 || f->quiet)
		return;
	why = json_str(reply, "why");
	if (*why)
		cli_note(f->c, "job %" PRId64 " waits: %s", f->id, why);
}

static int ms_left(rv_time until)
{
	rv_time left;

	if (until == RV_FOREVER)
		return -1;
	left = until - rv_now();
	return left <= 0 ? 0 : (int)((left + RV_MS(1) - 1) / RV_MS(1));
}

/* Wait until something happens. 0, -errno */
static int wait_event(struct follow *f)
{
	struct pollfd fds[2 + N_STREAMS] = {
		{.fd = f->signal_fd, .events = POLLIN},
		{.fd = f->job ? -1 : client_fd(f->waiter), .events = POLLIN},
	};
	int r;

	for (int i = 0; i < N_STREAMS; i++) {
		struct stream *s = &f->streams[i];

		fds[2 + i].fd = s->ended ? -1 : client_fd(s->client);
		fds[2 + i].events = POLLIN;
	}
	r = poll(fds, ARRAY_LEN(fds), ms_left(f->patience_until));
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[0].revents)
		take_interrupt(f);
	if (r == 0)
		tell_why(f);
	return 0;
}

/* one round: take all that is there, then wait. 1 when it is over */
static int step(struct follow *f)
{
	int r = 0;

	for (int i = 0; i < N_STREAMS && r == 0; i++)
		r = take_stream(f, &f->streams[i]);
	if (r == 0 && !f->job)
		r = take_wait(f);
	if (r < 0)
		return r;
	if (is_over(f))
		return 1;
	r = follow_next_run(f);
	return r < 0 ? r : wait_event(f);
}

/* A daemon that is started again takes the job over; we go on where we were. */
static int reconnect(struct follow *f)
{
	int r;

	close_all(f);
	if (f->n_reconnects++ >= CLI_RECONNECTS_MAX)
		return -ENOTCONN;
	r = cli_reconnect(f->c, &f->control, RV_FOREVER);
	return r < 0 ? -ENOTCONN : open_all(f);
}

int follow_job(struct follow_result *ret, const struct cli *c, struct client *client,
	int64_t id, int signal_fd, bool quiet)
{
	struct follow f = {
		.c = c,
		.id = id,
		.signal_fd = signal_fd,
		.quiet = quiet,
		.control = client,
		.patience_until = rv_now() + PATIENCE,
		.streams = {[STDOUT] = {.name = "stdout", .out_fd = STDOUT_FILENO},
			[STDERR] = {.name = "stderr", .out_fd = STDERR_FILENO}},
	};
	int r;

	signal(SIGPIPE, SIG_IGN); /* told apart: our reader is gone, not the daemon */
	r = open_all(&f);
	while (r == 0 || (r == -ECONNRESET && !f.write_failed))
		r = r == 0 ? step(&f) : reconnect(&f);
	close_all(&f);
	client_close(f.control);
	if (r < 0 && f.write_failed) {
		json_decref(f.job);
		ret->write_error = r;
		return r == -EPIPE ? FOLLOW_OUTPUT_CLOSED : FOLLOW_OUTPUT_FAILED;
	}
	if (r < 0) {
		json_decref(f.job);
		ret->error = f.error;
		ret->error_params = f.error_params;
		return r;
	}
	ret->job = f.job;
	ret->lost_bytes = f.lost_bytes;
	return FOLLOW_ENDED;
}
