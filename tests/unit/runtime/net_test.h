/*
 * What the tests of transports, servers and streams share: a protocol that records what
 * it is told, and socket pairs whose other end the test reads and writes itself.
 */
#ifndef TESTS_RUNTIME_NET_TEST_H
#define TESTS_RUNTIME_NET_TEST_H

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "tests/unit/runtime/rt.h"

struct rec {
	rv_protocol protocol;
	rv_transport *transport;
	struct buf data;
	char trace[256]; /* m(ade) d(ata) e(of) p(ause) r(esume) l(ost) D(estroy) */
	size_t n_trace;
	size_t buffered_max;
	int err;
	int data_result, eof_result;
	char mem[16]; /* of the buffered kind */
	size_t mem_cap;
	rv_event changed;
	/* may be NULL */
	void (*on_made)(struct rec *r);
	void (*on_data)(struct rec *r);
	void (*on_eof)(struct rec *r);
	void (*on_lost)(struct rec *r);
	void (*on_pause)(struct rec *r);
	void *arg;
};

static inline struct rec *rec_of(rv_protocol *p)
{
	return CONTAINER_OF(p, struct rec, protocol);
}

static inline void rec_note(struct rec *r, char c, void (*hook)(struct rec *r))
{
	if (r->n_trace < sizeof(r->trace) - 1 &&
		!(c == 'd' && r->n_trace && r->trace[r->n_trace - 1] == 'd'))
		r->trace[r->n_trace++] = c;
	rv_event_set(&r->changed);
	if (hook)
		hook(r);
}

static inline void rec_made(rv_protocol *p, rv_transport *t)
{
	rec_of(p)->transport = t;
	rec_note(rec_of(p), 'm', rec_of(p)->on_made);
}

static inline int rec_data(rv_protocol *p, const void *b, size_t n)
{
	struct rec *r = rec_of(p);

	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(buf_append(&r->data, b, n), 0);
	rec_note(r, 'd', r->on_data);
	return r->data_result;
}

static inline void *rec_get_buffer(rv_protocol *p, size_t hint, size_t *cap)
{
	*cap = rec_of(p)->mem_cap;
	return rec_of(p)->mem;
}

static inline int rec_buffer_updated(rv_protocol *p, size_t n)
{
	return rec_data(p, rec_of(p)->mem, n);
}

static inline int rec_eof(rv_protocol *p)
{
	rec_note(rec_of(p), 'e', rec_of(p)->on_eof);
	return rec_of(p)->eof_result;
}

static inline void rec_pause(rv_protocol *p)
{
	rec_note(rec_of(p), 'p', rec_of(p)->on_pause);
}

static inline void rec_resume(rv_protocol *p)
{
	rec_note(rec_of(p), 'r', NULL);
}

static inline void rec_lost(rv_protocol *p, int err)
{
	struct rec *r = rec_of(p);

	r->err = err;
	rec_note(r, 'l', r->on_lost);
	r->transport = NULL;
}

static inline void rec_destroy(rv_protocol *p)
{
	rec_note(rec_of(p), 'D', NULL);
}

#define REC_OPS_BUT_EOF                                           \
	.connection_made = rec_made, .data_received = rec_data,   \
	.pause_writing = rec_pause, .resume_writing = rec_resume, \
	.connection_lost = rec_lost, .destroy = rec_destroy
#define REC_OPS REC_OPS_BUT_EOF, .eof_received = rec_eof

static const rv_protocol_ops rec_ops = {REC_OPS};
static const rv_protocol_ops rec_buffered_ops __attribute__((unused)) = {
	REC_OPS,
	.get_buffer = rec_get_buffer,
	.buffer_updated = rec_buffer_updated,
};

static inline void rec_init(struct rec *r)
{
	memset(r, 0, sizeof(*r));
	r->protocol.ops = &rec_ops;
	rv_event_init(&r->changed);
}

static inline bool rec_is_lost(const struct rec *r)
{
	return strchr(r->trace, 'l') != NULL;
}

static inline void rec_deinit(struct rec *r)
{
	buf_deinit(&r->data);
}

/* wait in the task until cond, which something that r is told makes true */
#define REC_UNTIL(r, cond)                                                 \
	do {                                                               \
		while (!(cond)) {                                          \
			rv_event_clear(&(r)->changed);                     \
			ck_assert_int_eq(rv_event_wait(&(r)->changed), 0); \
		}                                                          \
	} while (0)

/* a non-blocking pair */
static inline void pair_make(int fds[2])
{
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
		0);
}

/* r on one end of a pair; the other end */
static inline int rec_open(struct rec *r)
{
	int fds[2];

	pair_make(fds);
	ck_assert_int_eq(rv_net_open_fd(fds[0], &r->protocol, NULL), 0);
	return fds[1];
}

static inline void put(int fd, const char *s)
{
	ck_assert_int_eq(send(fd, s, strlen(s), MSG_NOSIGNAL), (int)strlen(s));
}

/*
 * The loop has seen everything that had happened before: whatever is ready is told in
 * order, so an event that is made now comes after.
 */
static inline void net_settle(void)
{
	for (int i = 0; i < 3; i++) {
		struct rec r;
		int fd;

		rec_init(&r);
		fd = rec_open(&r);
		put(fd, "x");
		REC_UNTIL(&r, r.data.end > 0);
		rv_transport_abort(r.transport);
		REC_UNTIL(&r, rec_is_lost(&r));
		rec_deinit(&r);
		close_safe(fd);
	}
}

/* read from fd, letting the loop run, until n bytes or the end; how many came */
static inline size_t drain_fd(int fd, char *b, size_t n)
{
	size_t got = 0;
	ssize_t k = 1;

	while (got < n && k > 0) {
		k = rv_recv(fd, b + got, n - got, 0);
		ck_assert_int_ge((int)k, 0);
		got += (size_t)k;
	}
	return got;
}

/* a stream, and the other end */
static inline int stream_pair(rv_stream **ret)
{
	int fds[2];

	pair_make(fds);
	ck_assert_int_eq(rv_stream_open_fd(fds[0], ret), 0);
	return fds[1];
}

static inline void stream_end(rv_stream *s, int fd)
{
	rv_stream_abort(s);
	ck_assert_int_le(rv_stream_wait_closed(s), 0);
	rv_stream_unref(s);
	close_safe(fd);
}

static inline void expect_line(rv_stream *s, const char *line)
{
	const char *out;
	size_t n;

	ck_assert_int_eq(rv_stream_readline(s, &out, &n), 0);
	ck_assert_uint_eq(n, strlen(line));
	ck_assert_mem_eq(out, line, n);
}

#endif
