/* Servers: listening, accepting, closing; awaiting on bare sockets. */
#include "config.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "base/unix_socket.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/runtime/net_test.h"

enum { CLIENTS_MAX = 1000 };

/* what the factory of a test makes its protocols from */
struct house {
	struct rec *recs;
	size_t n, n_max;
	rv_server *server;
	char path[128];
	size_t n_accept_asked, n_refused;
	int refused_err;
	bool refuse;
	rv_event changed;
};

static rv_protocol *house_factory(void *arg)
{
	struct house *h = arg;
	struct rec *r;

	rv_event_set(&h->changed);
	if (h->n == h->n_max)
		return NULL;
	r = &h->recs[h->n++];
	rec_init(r);
	return &r->protocol;
}

static bool house_accept(int fd, void *arg)
{
	struct house *h = arg;

	h->n_accept_asked++;
	if (h->refuse)
		put(fd, "full");
	return !h->refuse;
}

static void house_refused(int fd, int err, void *arg)
{
	struct house *h = arg;

	h->n_refused++;
	h->refused_err = err;
	put(fd, "busy");
}

static void house_open(struct house *h, const struct temp_dir *d, size_t n_max,
	const rv_listen_opts *o)
{
	memset(h, 0, sizeof(*h));
	h->recs = calloc(n_max, sizeof(*h->recs));
	h->n_max = n_max;
	rv_event_init(&h->changed);
	(void)snprintf(h->path, sizeof(h->path), "%s/s", d->path);
	ck_assert_int_eq(
		rv_net_listen_unix(h->path, house_factory, h, o, &h->server), 0);
}

static void house_close(struct house *h)
{
	int r = rv_server_shutdown(h->server, 0);

	ck_assert_int_eq(r, 0);
	for (size_t i = 0; i < h->n; i++) {
		ck_assert(rec_is_lost(&h->recs[i]));
		rec_deinit(&h->recs[i]);
	}
	rv_server_unref(h->server);
	free(h->recs);
}

static int dial(const struct house *h)
{
	int fd;

	ck_assert_int_eq(unix_connect(&fd, h->path, SOCK_STREAM, true), 0);
	return fd;
}

RT_TEST(connections_are_accepted_and_talk)
{
	TEMP_DIR(d);
	struct house h;
	struct stat st;
	int fd;

	house_open(&h, &d, 4, NULL);
	ck_assert_int_eq(stat(h.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	fd = dial(&h);
	put(fd, "hi");
	REC_UNTIL(&h, h.n == 1);
	REC_UNTIL(&h.recs[0], buf_len(&h.recs[0].data) == 2);
	ck_assert_uint_eq(rv_server_connections(h.server), 1);
	close_safe(fd);
	REC_UNTIL(&h.recs[0], rec_is_lost(&h.recs[0]));
	rt_settle(1);
	ck_assert_uint_eq(rv_server_connections(h.server), 0);
	house_close(&h);
	return 0;
}

RT_TEST(b188_d07_close_stops_listening_at_once_and_keeps_connections)
{
	TEMP_DIR(d);
	struct house h;
	char b[8];
	int fd, other;

	house_open(&h, &d, 4, NULL);
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	rv_server_close(h.server);
	rv_server_close(h.server);
	ck_assert(rv_server_is_closed(h.server));
	ck_assert_int_eq(unix_connect(&other, h.path, SOCK_STREAM, true), -ENOENT);
	ck_assert_int_eq(rv_server_start(h.server), -RV_ESTATE);
	ck_assert_int_eq(rv_transport_write(h.recs[0].transport, "still", 5), 0);
	ck_assert_uint_eq(drain_fd(fd, b, 5), 5);
	ck_assert_int_eq(
		rv_timed(RV_MS(1), rv_server_wait_closed(h.server)), -ETIMEDOUT);
	close_safe(fd);
	ck_assert_int_eq(rv_server_wait_closed(h.server), 0);
	ck_assert_int_eq(rv_server_wait_closed(h.server), 0);
	house_close(&h);
	return 0;
}

RT_TEST(d07_shutdown_flushes_and_aborts_after_the_grace)
{
	static char big[1 << 20];
	TEMP_DIR(d);
	struct house h;
	int fds[2];

	house_open(&h, &d, 4, NULL);
	fds[0] = dial(&h);
	fds[1] = dial(&h);
	REC_UNTIL(&h, h.n == 2);
	/* one idle, one that does not read */
	ck_assert_int_eq(rv_transport_write(h.recs[1].transport, big, sizeof(big)), 0);
	ck_assert_int_eq(rv_server_shutdown(h.server, RV_MS(20)), -ETIMEDOUT);
	ck_assert(rec_is_lost(&h.recs[0]) && rec_is_lost(&h.recs[1]));
	ck_assert_uint_eq(rv_server_connections(h.server), 0);
	close_safe(fds[0]);
	close_safe(fds[1]);
	house_close(&h);
	return 0;
}

RT_TEST(shutdown_without_a_grace_tells_of_what_was_not_sent)
{
	static char big[1 << 20];
	TEMP_DIR(d);
	struct house h;
	int fd;

	house_open(&h, &d, 4, NULL);
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	ck_assert_int_eq(rv_transport_write(h.recs[0].transport, big, sizeof(big)), 0);
	ck_assert_uint_gt(rv_transport_buffered(h.recs[0].transport), 0);
	ck_assert_int_eq(rv_server_shutdown(h.server, 0), -ETIMEDOUT);
	ck_assert(rec_is_lost(&h.recs[0]));
	ck_assert_int_eq(rv_server_shutdown(h.server, 0), 0);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(shutdown_of_idle_connections_does_not_wait)
{
	TEMP_DIR(d);
	struct house h;
	int fd;

	house_open(&h, &d, 4, NULL);
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	ck_assert_int_eq(rv_server_shutdown(h.server, RV_SEC(60)), 0);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(b188_t05_stale_socket_is_replaced_and_others_are_not)
{
	TEMP_DIR(d);
	struct house h, second;
	rv_server *s;
	int fd;

	house_open(&h, &d, 4, &(rv_listen_opts){.keep_path = true});
	ck_assert_int_eq(
		rv_net_listen_unix(h.path, house_factory, &h, NULL, &s), -EADDRINUSE);
	rv_server_close(h.server);
	ck_assert_int_eq(access(h.path, F_OK), 0); /* stale now */
	house_open(&second, &d, 4, NULL);
	house_close(&second);
	ck_assert_int_eq(access(h.path, F_OK), -1);
	fd = open(h.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	close_safe(fd);
	ck_assert_int_eq(
		rv_net_listen_unix(h.path, house_factory, &h, NULL, &s), -EEXIST);
	ck_assert_int_eq(access(h.path, F_OK), 0);
	house_close(&h);
	return 0;
}

RT_TEST(path_that_was_replaced_is_not_removed)
{
	TEMP_DIR(d);
	struct house h, second;

	house_open(&h, &d, 4, NULL);
	ck_assert_int_eq(unlink(h.path), 0);
	house_open(&second, &d, 4, NULL);
	house_close(&h);
	ck_assert_int_eq(access(second.path, F_OK), 0);
	house_close(&second);
	return 0;
}

RT_TEST(accept_hook_refuses_with_a_word)
{
	TEMP_DIR(d);
	struct house h;
	char b[8];
	int fd;

	house_open(&h, &d, 4, &(rv_listen_opts){.accept = house_accept});
	h.refuse = true;
	fd = dial(&h);
	ck_assert_uint_eq(drain_fd(fd, b, sizeof(b)), 4);
	ck_assert_mem_eq(b, "full", 4);
	ck_assert_uint_eq(h.n, 0);
	close_safe(fd);
	h.refuse = false;
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	ck_assert_uint_eq(h.n_accept_asked, 2);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(factory_without_a_protocol_closes_the_connection)
{
	TEMP_DIR(d);
	struct house h;
	char b[8];
	int fd;

	house_open(&h, &d, 0, NULL);
	fd = dial(&h);
	ck_assert_uint_eq(drain_fd(fd, b, sizeof(b)), 0);
	ck_assert_uint_eq(rv_server_connections(h.server), 0);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(paused_server_leaves_clients_in_the_backlog)
{
	TEMP_DIR(d);
	struct house h;
	int fd;

	house_open(&h, &d, 4, &(rv_listen_opts){.paused = true});
	fd = dial(&h);
	net_settle();
	ck_assert_uint_eq(h.n, 0);
	ck_assert_int_eq(rv_server_start(h.server), 0);
	REC_UNTIL(&h, h.n == 1);
	rv_server_pause(h.server);
	close_safe(fd);
	fd = dial(&h);
	net_settle();
	ck_assert_uint_eq(h.n, 1);
	ck_assert_int_eq(rv_server_start(h.server), 0);
	REC_UNTIL(&h, h.n == 2);
	close_safe(fd);
	house_close(&h);
	return 0;
}

/* until no descriptor is left but n */
static void use_up_fds(int *fds, size_t *n, size_t leave)
{
	struct rlimit lim = {256, 256};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lim), 0);
	while ((fds[*n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		++*n;
	ck_assert_int_eq(errno, EMFILE);
	for (; leave; leave--)
		close_safe(fds[--*n]);
}

RT_TEST(t03_accept_without_descriptors_retries_by_itself)
{
	TEMP_DIR(d);
	static int hog[512];
	size_t n_hog = 0;
	struct house h;
	int fd;

	rt_catch_reports();
	house_open(&h, &d, 4, &(rv_listen_opts){.refused = house_refused});
	use_up_fds(hog, &n_hog, 3); /* a client needs some to look up its path */
	fd = dial(&h);
	while (n_hog && (hog[n_hog] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n_hog++;
	while (rt_reported.n == 0)
		ck_assert_int_eq(rv_sleep(RV_MS(1)), 0);
	ck_assert_int_eq(rt_reported.err, -EMFILE);
	ck_assert_uint_eq(h.n, 0);
	for (size_t i = 0; i < n_hog; i++)
		close_safe(hog[i]);
	REC_UNTIL(&h, h.n == 1); /* no edge has come */
	ck_assert_uint_eq(h.n_refused, 0);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(lasting_want_of_descriptors_is_told_to_clients)
{
	TEMP_DIR(d);
	static int hog[512];
	size_t n_hog = 0;
	struct house h;
	char b[8];
	int fd;

	rt_catch_reports();
	house_open(&h, &d, 4, &(rv_listen_opts){.refused = house_refused});
	use_up_fds(hog, &n_hog, 3);
	fd = dial(&h);
	while ((hog[n_hog] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n_hog++;
	ck_assert_uint_eq(drain_fd(fd, b, sizeof(b)), 4);
	ck_assert_mem_eq(b, "busy", 4);
	ck_assert_int_eq(h.refused_err, -EMFILE);
	ck_assert_uint_eq(h.n, 0);
	for (size_t i = 0; i < n_hog; i++)
		close_safe(hog[i]);
	close_safe(fd);
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	close_safe(fd);
	house_close(&h);
	return 0;
}

RT_TEST(thousand_connections_are_all_served)
{
	static int fds[CLIENTS_MAX];
	struct rlimit lim = {4096, 4096};
	TEMP_DIR(d);
	struct house h;

	if (setrlimit(RLIMIT_NOFILE, &lim) < 0) {
		struct rlimit now;

		ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
		now.rlim_cur = now.rlim_max;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
		ck_assert_uint_gt(now.rlim_max, 2 * CLIENTS_MAX + 50);
	}
	house_open(&h, &d, CLIENTS_MAX, &(rv_listen_opts){.backlog = CLIENTS_MAX});
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		fds[i] = dial(&h);
		put(fds[i], "x");
	}
	REC_UNTIL(&h, h.n == CLIENTS_MAX);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		REC_UNTIL(&h.recs[i], buf_len(&h.recs[i].data) == 1);
	ck_assert_uint_eq(rv_server_connections(h.server), CLIENTS_MAX);
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		close_safe(fds[i]);
	rv_server_close(h.server);
	ck_assert_int_eq(rv_server_wait_closed(h.server), 0);
	house_close(&h);
	return 0;
}

RT_TEST(listening_socket_from_elsewhere_is_served)
{
	TEMP_DIR(d);
	struct house h = {.n_max = 1};
	int fd, fds[2];

	h.recs = calloc(1, sizeof(*h.recs));
	rv_event_init(&h.changed);
	(void)snprintf(h.path, sizeof(h.path), "%s/s", d.path);
	ck_assert_int_eq(unix_listen(&fd, h.path, SOCK_STREAM, 0600, 5), 0);
	ck_assert_int_eq(rv_net_listen_fd(fd, house_factory, &h, NULL, &h.server), 0);
	fd = dial(&h);
	REC_UNTIL(&h, h.n == 1);
	close_safe(fd);
	house_close(&h);
	ck_assert_int_eq(access(h.path, F_OK), 0); /* not ours to remove */

	pair_make(fds);
	ck_assert_int_eq(
		rv_net_listen_fd(fds[0], house_factory, &h, NULL, &h.server), -EINVAL);
	close_safe(fds[0]);
	close_safe(fds[1]);
	return 0;
}

RT_TEST(connect_tells_who_is_not_there)
{
	TEMP_DIR(d);
	struct rec r;
	char path[128];

	rec_init(&r);
	(void)snprintf(path, sizeof(path), "%s/none", d.path);
	ck_assert_int_eq(rv_net_connect_unix(path, &r.protocol, NULL), -ENOENT);
	ck_assert_str_eq(r.trace, "");
	return 0;
}

RT_TEST(t04_connect_waits_while_the_backlog_is_full)
{
	TEMP_DIR(d);
	struct house h;
	struct rec r;
	int fds[3];

	house_open(&h, &d, 8, &(rv_listen_opts){.backlog = 1, .paused = true});
	fds[0] = dial(&h);
	fds[1] = dial(&h);
	rec_init(&r);
	ck_assert_int_eq(
		rv_timed(RV_MS(5), rv_net_connect_unix(h.path, &r.protocol, NULL)),
		-ETIMEDOUT);
	ck_assert_str_eq(r.trace, "");
	ck_assert_int_eq(rv_server_start(h.server), 0);
	ck_assert_int_eq(rv_net_connect_unix(h.path, &r.protocol, NULL), 0);
	ck_assert_str_eq(r.trace, "m");
	REC_UNTIL(&h, h.n == 3);
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(fds[0]);
	close_safe(fds[1]);
	house_close(&h);
	return 0;
}

static void note_round(void *trace)
{
	rt_add("round");
}

static bool note_accept(int fd, void *arg)
{
	rt_add("accept");
	return true;
}

RT_TEST(b187_one_event_accepts_as_many_as_the_backlog)
{
	TEMP_DIR(d);
	struct house h;
	int fds[3];

	house_open(&h, &d, 8,
		&(rv_listen_opts){.backlog = 2, .paused = true, .accept = note_accept});
	for (int i = 0; i < 3; i++) /* the kernel lets in one more */
		fds[i] = dial(&h);
	net_settle();
	ck_assert_int_eq(rv_server_start(h.server), 0);
	/* behind the server in each round */
	while (h.n < 3) {
		(void)rv_call_soon(rv_loop_current(), note_round, NULL);
		ck_assert_int_eq(rv_yield(), 0);
	}
	ck_assert_str_eq(rt_trace, "accept accept round accept round");
	for (int i = 0; i < 3; i++)
		close_safe(fds[i]);
	house_close(&h);
	return 0;
}

RT_TEST(t05_mode_of_the_socket_does_not_depend_on_the_umask)
{
	TEMP_DIR(d);
	struct house h;
	struct stat st;
	mode_t old = umask(0);

	house_open(&h, &d, 1, &(rv_listen_opts){.mode = 0640});
	ck_assert_int_eq(stat(h.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	house_close(&h);
	(void)umask(0777);
	house_open(&h, &d, 1, &(rv_listen_opts){.mode = 0666});
	ck_assert_int_eq(stat(h.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0666);
	ck_assert_uint_eq(umask(old), 0777); /* as it was */
	house_close(&h);
	return 0;
}

UNIT_MAIN("server", b187_one_event_accepts_as_many_as_the_backlog,
	t05_mode_of_the_socket_does_not_depend_on_the_umask,
	connections_are_accepted_and_talk,
	b188_d07_close_stops_listening_at_once_and_keeps_connections,
	d07_shutdown_flushes_and_aborts_after_the_grace,
	shutdown_without_a_grace_tells_of_what_was_not_sent,
	shutdown_of_idle_connections_does_not_wait,
	b188_t05_stale_socket_is_replaced_and_others_are_not,
	path_that_was_replaced_is_not_removed, accept_hook_refuses_with_a_word,
	factory_without_a_protocol_closes_the_connection,
	paused_server_leaves_clients_in_the_backlog,
	t03_accept_without_descriptors_retries_by_itself,
	lasting_want_of_descriptors_is_told_to_clients,
	thousand_connections_are_all_served, listening_socket_from_elsewhere_is_served,
	connect_tells_who_is_not_there, t04_connect_waits_while_the_backlog_is_full)
