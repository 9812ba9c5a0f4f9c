#include "config.h"

#include "tests/unit/cli/fake_daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/macro.h"
#include "base/unix_socket.h"
#include "cli/cli_main.h"

#define CONNS_MAX 16

extern const char io_reeve_Job_varlink[], io_reeve_Pool_varlink[],
	io_reeve_Daemon_varlink[];

struct conn {
	int fd;
	struct vl_server_conn *machine;
};

static void no_handler(void)
{
}

/* All methods go to the one handler of the test. */
static struct vl_registry *make_registry(void)
{
	static const struct vl_registry_info info = {"reeve", "fake", "0", ""};
	static const char *const job[] = {"Submit", "PutInput", "List", "Show", "Wait",
		"Logs", "Cancel", "Kill", "Pause", "Resume", "Hold", "Release", "Retry",
		"Remove", "Clean", "Functions", "Send"};
	static const char *const daemon[] = {"Ping", "Status", "Stop", "Reload"};
	static struct vl_method job_methods[ARRAY_LEN(job)];
	static struct vl_method daemon_methods[ARRAY_LEN(daemon)];
	static const struct vl_method pool_methods[] = {{"List", no_handler, 0, 0}};
	struct vl_registry *reg;

	for (size_t i = 0; i < ARRAY_LEN(job); i++)
		job_methods[i] = (struct vl_method){job[i], no_handler, 0, 0};
	for (size_t i = 0; i < ARRAY_LEN(daemon); i++)
		daemon_methods[i] = (struct vl_method){daemon[i], no_handler, 0, 0};
	if (vl_registry_new(&reg, &info) < 0 ||
		vl_registry_add(reg, io_reeve_Job_varlink, job_methods, ARRAY_LEN(job),
			NULL) < 0 ||
		vl_registry_add(reg, io_reeve_Daemon_varlink, daemon_methods,
			ARRAY_LEN(daemon), NULL) < 0 ||
		vl_registry_add(reg, io_reeve_Pool_varlink, pool_methods, 1, NULL) < 0)
		_exit(97);
	return reg;
}

static void record(const struct fake *f, struct vl_call *call)
{
	json_t *o = json_pack("{s:s, s:O, s:b}", "method", vl_call_name(call), "params",
		(json_t *)vl_call_params(call), "more", (int)vl_call_wants_more(call));
	FILE *file = fopen(f->record, "ae");

	if (!o || !file || json_dumpf(o, file, JSON_COMPACT) < 0 ||
		fputc('\n', file) == EOF || fclose(file) != 0)
		_exit(96);
	json_decref(o);
}

static void handle(struct fake *f, struct vl_call *call)
{
	const char *method = strrchr(vl_call_name(call), '.') + 1;

	record(f, call);
	f->answered = false;
	f->handler(f, call, method, vl_call_params(call));
	if (!f->answered)
		vl_call_free(call);
}

static void flush(struct conn *c)
{
	struct buf *out = vl_server_conn_output(c->machine);

	while (buf_len(out) > 0) {
		ssize_t n = send(c->fd, buf_head(out), buf_len(out), MSG_NOSIGNAL);

		if (n <= 0) {
			buf_clear(out);
			return;
		}
		buf_consume(out, (size_t)n);
	}
}

static void pump(struct fake *f, struct conn *c)
{
	struct vl_call *call;
	int r;

	while ((r = vl_server_conn_next_call(c->machine, &call)) > 0) {
		if (r == VL_NEXT_PARSE) {
			vl_call_parse(call);
			if (vl_server_conn_accept(call) != VL_NEXT_CALL)
				continue;
		}
		handle(f, call);
		flush(c);
	}
	flush(c);
}

static void take_bytes(struct fake *f, struct conn *c)
{
	static char chunk[65536];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

	if (n <= 0) {
		/* the calls it held live on without it */
		vl_server_conn_free(c->machine);
		close(c->fd);
		*c = (struct conn){.fd = -1};
		return;
	}
	if (vl_server_conn_feed(c->machine, chunk, (size_t)n) < 0)
		_exit(95);
	pump(f, c);
}

/* The test may kill us once it hears of an answer: it hears of none that is not sent. */
static void pass_on_told(struct fake *f)
{
	if (f->n_told > 0 &&
		write(f->event_write, f->told, f->n_told) != (ssize_t)f->n_told)
		_exit(90);
	f->n_told = 0;
}

static void __attribute__((noreturn)) serve(struct fake *f, int listen_fd)
{
	struct vl_registry *reg = make_registry();
	struct conn conns[CONNS_MAX];
	struct pollfd fds[CONNS_MAX + 1];

	for (size_t i = 0; i < CONNS_MAX; i++)
		conns[i] = (struct conn){.fd = -1};
	for (;;) {
		fds[CONNS_MAX] = (struct pollfd){.fd = listen_fd, .events = POLLIN};
		for (size_t i = 0; i < CONNS_MAX; i++)
			fds[i] = (struct pollfd){.fd = conns[i].fd, .events = POLLIN};
		if (poll(fds, CONNS_MAX + 1, -1) < 0)
			_exit(94);
		for (size_t i = 0; i < CONNS_MAX; i++)
			if (conns[i].fd >= 0 && fds[i].revents)
				take_bytes(f, &conns[i]);
		/* a handler may have answered what another connection waits for */
		for (size_t i = 0; i < CONNS_MAX; i++)
			if (conns[i].fd >= 0)
				pump(f, &conns[i]);
		pass_on_told(f);
		for (size_t i = 0; fds[CONNS_MAX].revents && i < CONNS_MAX; i++) {
			if (conns[i].fd >= 0)
				continue;
			conns[i].fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
			if (conns[i].fd >= 0 && vl_server_conn_new(&conns[i].machine,
							reg, NULL, NULL, NULL) < 0)
				_exit(93);
			break;
		}
	}
}

void fake_start(struct fake *f, fake_handler handler)
{
	int listen_fd, fds[2];

	*f = (struct fake){.dir = "/tmp/reeve-fake-XXXXXX", .handler = handler};
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->socket, sizeof(f->socket), "%s/socket", f->dir);
	snprintf(f->record, sizeof(f->record), "%s/record", f->dir);
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	f->event_read = fds[0];
	f->event_write = fds[1];
	ck_assert_int_eq(unix_listen(&listen_fd, f->socket, SOCK_STREAM, 0600, 64), 0);
	f->pid = fork();
	ck_assert_int_ge(f->pid, 0);
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test stops no fake */
		close(f->event_read);
		serve(f, listen_fd);
	}
	close(listen_fd);
	close(f->event_write);
}

static int remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void fake_stop(struct fake *f)
{
	if (f->pid > 0) { /* else the test saw it end */
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	close(f->event_read);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_reply(struct fake *f, struct vl_call *call, json_t *params, bool continues)
{
	if (!params || vl_call_reply(call, params, continues) == -EMSGSIZE)
		_exit(92);
	json_decref(params);
	if (continues)
		return;
	vl_call_free(call);
	f->answered = true;
}

void fake_error(struct fake *f, struct vl_call *call, const char *name, json_t *params)
{
	vl_call_error(call, name, params);
	json_decref(params);
	vl_call_free(call);
	f->answered = true;
}

void fake_hold(struct fake *f, struct vl_call *call, unsigned slot)
{
	f->held[slot] = call;
	f->answered = true;
}

void fake_reply_held(struct fake *f, unsigned slot, json_t *params, bool continues)
{
	bool answered = f->answered;

	if (f->held[slot])
		fake_reply(f, f->held[slot], params, continues);
	else
		json_decref(params);
	if (!continues)
		f->held[slot] = NULL;
	f->answered = answered;
}

void fake_tell(struct fake *f, char event)
{
	if (f->n_told == ARRAY_LEN(f->told))
		_exit(91);
	f->told[f->n_told++] = event;
}

void fake_await(struct fake *f, char event)
{
	char got = 0;

	ck_assert_int_eq(read(f->event_read, &got, 1), 1);
	ck_assert_int_eq(got, event);
}

json_t *fake_calls(const struct fake *f)
{
	json_t *calls = json_array(), *one;
	FILE *file = fopen(f->record, "re");

	while (file && (one = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)))
		json_array_append_new(calls, one);
	if (file)
		fclose(file);
	return calls;
}

size_t fake_n_calls(const json_t *calls, const char *method)
{
	json_t *call;
	size_t i, n = 0;

	json_array_foreach((json_t *)calls, i, call) n +=
		STREQ(json_string_value(json_object_get(call, "method")), method);
	return n;
}

json_t *fake_call_params(const json_t *calls, const char *method, size_t n)
{
	json_t *call;
	size_t i;

	json_array_foreach((json_t *)calls, i,
		call) if (STREQ(json_string_value(json_object_get(call, "method")),
				  method) &&
			  n-- == 0) return json_object_get(call, "params");
	ck_abort_msg("no such call of %s", method);
	return NULL;
}

static void __attribute__((noreturn)) be_reeve(const struct fake *f, int in_fd,
	int out_fd, int err_fd, const char *const *args)
{
	char *argv[32] = {(char *)"reeve"};
	int argc = 1;

	dup2(in_fd, STDIN_FILENO);
	dup2(out_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	/* main() may write to its arguments: they are its own */
	for (; args[argc - 1]; argc++)
		argv[argc] = strdup(args[argc - 1]);
	setenv("REEVE_SOCKET", f ? f->socket : "/nonexistent/socket", 1);
	setenv("REEVE_AUTOSTART", "0", 1);
	unsetenv("NO_COLOR");
	exit(cli_main(argc, argv));
}

void reeve_start(
	struct reeve *r, const struct fake *f, int flags, const char *const *args)
{
	int in[2] = {-1, -1}, out[2], err[2];

	fflush(NULL);
	if (flags & REEVE_STDIN_PIPE)
		ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	else
		in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(err, O_CLOEXEC), 0);
	if (flags & REEVE_OUT_CLOSED)
		close_safe(out[0]);
	r->pid = fork();
	ck_assert_int_ge(r->pid, 0);
	if (r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close_safe(in[1]);
		be_reeve(f, in[0], out[1], err[1], args);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	r->in_fd = in[1];
	r->out_fd = flags & REEVE_OUT_CLOSED ? -1 : out[0];
	r->err_fd = err[0];
	r->out = r->err = NULL;
}

void reeve_finish(struct reeve *r)
{
	struct buf texts[2] = {BUF_NULL, BUF_NULL};
	struct pollfd fds[2] = {{.fd = r->out_fd, .events = POLLIN},
		{.fd = r->err_fd, .events = POLLIN}};
	int status;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		ck_assert_int_gt(poll(fds, 2, -1), 0);
		for (int i = 0; i < 2; i++) {
			char *room;
			ssize_t n;

			if (fds[i].fd < 0 || !fds[i].revents)
				continue;
			ck_assert_int_eq(buf_reserve(&texts[i], 4096, &room), 0);
			n = read(fds[i].fd, room, 4096);
			if (n > 0) {
				buf_commit(&texts[i], (size_t)n);
				continue;
			}
			close(fds[i].fd);
			fds[i].fd = -1;
		}
	}
	close_safe(r->in_fd);
	ck_assert_int_eq(waitpid(r->pid, &status, 0), r->pid);
	r->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	r->out = buf_steal_str(&texts[0], NULL);
	r->err = buf_steal_str(&texts[1], NULL);
}

void reeve_free(struct reeve *r)
{
	free(r->out);
	free(r->err);
	r->out = r->err = NULL;
}

void reeve_run(struct reeve *r, const struct fake *f, const char *const *args)
{
	reeve_start(r, f, 0, args);
	reeve_finish(r);
}

json_t *fake_job(
	int id, const char *state, const char *result, int exit_code, int signal)
{
	return json_pack("{s:i, s:s, s:s*, s:o*, s:o*, s:s, s:[], s:i, s:s, s:i, s:I, "
			 "s:I, s:o*, "
			 "s:i, s:s}",
		"id", id, "state", state, "result", result, "exit_code",
		exit_code >= 0 ? json_integer(exit_code) : NULL, "signal",
		signal > 0 ? json_integer(signal) : NULL, "pool", "default", "labels",
		"priority", 0, "user", "me", "uid", 1000, "submitted_usec",
		(json_int_t)1700000000000000, "started_usec",
		(json_int_t)1700000001000000, "finished_usec",
		result ? json_integer(1700000003500000) : NULL, "runs", result ? 1 : 0,
		"command", "make all");
}
