/* Transports: order of events, reading, the end. */
#include "config.h"

#include "tests/unit/runtime/net_test.h"

RT_TEST(b172_callbacks_come_in_order_and_the_end_once)
{
	struct rec r;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_str_eq(r.trace, "m");
	put(fd, "hello");
	REC_UNTIL(&r, buf_len(&r.data) == 5);
	put(fd, "more");
	close_safe(fd);
	REC_UNTIL(&r, strchr(r.trace, 'D'));
	net_settle();
	ck_assert_str_eq(r.trace, "mdelD");
	ck_assert_int_eq(r.err, 0);
	ck_assert_mem_eq(buf_head(&r.data), "hellomore", 9);
	rec_deinit(&r);
	return 0;
}

static void pause_now(struct rec *r)
{
	rv_transport_pause_reading(r->transport);
}

RT_TEST(b173_pause_in_connection_made_holds)
{
	struct rec r;
	int fds[2], fd;

	pair_make(fds);
	fd = fds[1];
	put(fd, "abc"); /* is there before the transport */
	rec_init(&r);
	r.on_made = pause_now;
	ck_assert_int_eq(rv_net_open_fd(fds[0], &r.protocol, NULL), 0);
	ck_assert_str_eq(r.trace, "m");
	net_settle();
	ck_assert_str_eq(r.trace, "m");
	ck_assert(!rv_transport_is_reading(r.transport));
	rv_transport_resume_reading(r.transport);
	REC_UNTIL(&r, buf_len(&r.data) == 3);
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(fd);
	return 0;
}

RT_TEST(end_while_paused_is_told_after_resume)
{
	struct rec r;
	int fd;

	rec_init(&r);
	r.on_data = pause_now;
	fd = rec_open(&r);
	put(fd, "abc");
	REC_UNTIL(&r, buf_len(&r.data) == 3);
	put(fd, "def");
	close_safe(fd);
	net_settle();
	ck_assert_str_eq(r.trace, "md");
	r.on_data = NULL;
	rv_transport_resume_reading(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "mdelD");
	ck_assert_uint_eq(buf_len(&r.data), 6);
	rec_deinit(&r);
	return 0;
}

RT_TEST(t01_data_and_end_in_one_edge_are_both_told)
{
	/* the read is short, and no other edge follows it */
	for (int how = 0; how < 2; how++) {
		struct rec r;
		int fd;

		rec_init(&r);
		fd = rec_open(&r);
		put(fd, "last words");
		if (how)
			close_safe(fd);
		else
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		REC_UNTIL(&r, rec_is_lost(&r));
		ck_assert_str_eq(r.trace, "mdelD");
		ck_assert_uint_eq(buf_len(&r.data), 10);
		if (!how)
			close_safe(fd);
		rec_deinit(&r);
	}
	return 0;
}

RT_TEST(data_and_reset_in_one_edge_are_both_told)
{
	/* a peer that closes without having read: an error beside the data */
	struct rec r;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	ck_assert_int_eq(rv_transport_write(r.transport, "unread", 6), 0);
	put(fd, "bye");
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "mdlD");
	ck_assert_int_eq(r.err, -ECONNRESET);
	ck_assert_uint_eq(buf_len(&r.data), 3);
	rec_deinit(&r);
	return 0;
}

RT_VIRTUAL_TEST(descriptors_in_the_data_stop_nothing)
{
	/* the kernel cuts a read at a message that carries some */
	struct rec r;
	int fd, n = 0;

	rec_init(&r);
	fd = rec_open(&r);
	for (int i = 0; i < 20; i++) {
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		ck_assert_int_eq(rv_send_fds(fd, &null, 1, "fd", 2), 0);
		put(fd, "no fd");
		close_safe(null);
		n += 7;
	}
	rv_time begin = rt_virtual_now;
	REC_UNTIL(&r, buf_len(&r.data) == (size_t)n);
	ck_assert_int_eq(rt_virtual_now, begin); /* not by looking again later */
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	return 0;
}

RT_VIRTUAL_TEST(descriptors_after_much_plain_data_delay_once)
{
	struct rec r;
	size_t n = 0;
	int fd, null;
	rv_time begin;

	rec_init(&r);
	fd = rec_open(&r);
	for (int i = 0; i < 100; i++) {
		put(fd, "plain");
		n += 5;
		REC_UNTIL(&r, buf_len(&r.data) == n);
	}
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 20; i++) {
		begin = rt_virtual_now;
		ck_assert_int_eq(rv_send_fds(fd, &null, 1, "fd", 2), 0);
		put(fd, "no fd");
		n += 7;
		REC_UNTIL(&r, buf_len(&r.data) == n);
		if (i == 0) /* found by looking again: from then on it is known */
			ck_assert_int_le(rt_virtual_now, begin + RV_SEC(2));
		else
			ck_assert_int_eq(rt_virtual_now, begin);
	}
	close_safe(null);
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	return 0;
}

RT_TEST(more_than_one_read_of_data_comes_whole)
{
	struct rec r;
	size_t total = 0, n = 1 << 20;
	char *out = malloc(n);
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	for (size_t i = 0; i < n; i++)
		out[i] = (char)(i * 31 + i / 977);
	ck_assert_int_eq(rv_send_all(fd, out, n), 0);
	REC_UNTIL(&r, (total = buf_len(&r.data)) >= n);
	ck_assert_mem_eq(buf_head(&r.data), out, n);
	free(out);
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	return 0;
}

RT_TEST(b184_failing_data_received_fails_the_connection)
{
	struct rec r;
	char c;
	int fd;

	rt_catch_reports();
	rec_init(&r);
	r.data_result = -EPROTO;
	fd = rec_open(&r);
	put(fd, "nonsense");
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "mdlD");
	ck_assert_int_eq(r.err, -EPROTO);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq(rt_reported.err, -EPROTO);
	ck_assert_int_eq((int)rv_recv(fd, &c, 1, 0), 0);
	close_safe(fd);
	rec_deinit(&r);
	return 0;
}

static int refuse_eof(rv_protocol *p)
{
	rec_note(rec_of(p), 'e', NULL);
	return -EBADMSG;
}

RT_TEST(b184_so_do_the_other_callbacks)
{
	static const rv_protocol_ops eof_ops = {
		REC_OPS_BUT_EOF, .eof_received = refuse_eof};
	static const rv_protocol_ops *const ops[] = {&rec_buffered_ops, &eof_ops};

	rt_catch_reports();
	for (unsigned i = 0; i < 2; i++) {
		struct rec r;
		int fd;

		rec_init(&r);
		r.protocol.ops = ops[i];
		r.mem_cap = sizeof(r.mem);
		r.data_result = i ? 0 : -EPROTO;
		fd = rec_open(&r);
		put(fd, "x");
		if (i)
			ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
		REC_UNTIL(&r, rec_is_lost(&r));
		ck_assert_str_eq(r.trace, i ? "mdelD" : "mdlD");
		ck_assert_int_eq(r.err, i ? -EBADMSG : -EPROTO);
		ck_assert_uint_eq(rt_reported.n, i + 1);
		close_safe(fd);
		rec_deinit(&r);
	}
	return 0;
}

RT_TEST(b185_get_buffer_without_room_fails_the_connection)
{
	struct rec r;
	int fd;

	rt_catch_reports();
	rec_init(&r);
	r.protocol.ops = &rec_buffered_ops;
	r.mem_cap = 0;
	fd = rec_open(&r);
	put(fd, "x");
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_int_eq(r.err, -ENOBUFS);
	ck_assert_uint_eq(rt_reported.n, 1);
	close_safe(fd);
	rec_deinit(&r);
	return 0;
}

RT_TEST(buffered_protocol_gets_data_in_its_own_memory)
{
	struct rec r;
	int fd;

	rec_init(&r);
	r.protocol.ops = &rec_buffered_ops;
	r.mem_cap = 4;
	fd = rec_open(&r);
	put(fd, "0123456789");
	REC_UNTIL(&r, buf_len(&r.data) == 10);
	ck_assert_mem_eq(buf_head(&r.data), "0123456789", 10);
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	return 0;
}

static void hand_over(struct rec *r)
{
	struct rec *other = r->arg;

	other->transport = r->transport;
	rv_transport_set_protocol(r->transport, &other->protocol);
}

RT_TEST(b185_protocol_is_switched_while_data_is_waiting)
{
	struct rec a, b;
	int fd;

	rec_init(&a);
	rec_init(&b);
	a.protocol.ops = &rec_buffered_ops;
	a.mem_cap = 4;
	a.on_data = hand_over;
	a.arg = &b;
	fd = rec_open(&a);
	put(fd, "headbody");
	REC_UNTIL(&b, buf_len(&b.data) == 4);
	ck_assert_str_eq(a.trace, "md");
	ck_assert_mem_eq(buf_head(&b.data), "body", 4);
	close_safe(fd);
	REC_UNTIL(&b, rec_is_lost(&b));
	ck_assert_str_eq(b.trace, "delD");
	ck_assert_str_eq(a.trace, "md");
	rec_deinit(&a);
	rec_deinit(&b);
	return 0;
}

static void close_now(struct rec *r)
{
	rv_transport_close(r->transport);
	ck_assert(rv_transport_is_closing(r->transport));
}

static void abort_now(struct rec *r)
{
	rv_transport_abort(r->transport);
	rv_transport_abort(r->transport);
	rv_transport_close(r->transport);
}

RT_TEST(b179_close_and_abort_are_allowed_in_every_callback)
{
	static void (*const ends[])(struct rec * r) = {close_now, abort_now};

	for (size_t where = 0; where < 4; where++) {
		for (size_t how = 0; how < 2; how++) {
			struct rec r;
			int fd;

			rec_init(&r);
			r.on_made = where == 0 ? ends[how] : NULL;
			r.on_data = where == 1 ? ends[how] : NULL;
			r.on_eof = where == 2 ? ends[how] : NULL;
			r.on_lost = where == 3 ? ends[how] : NULL;
			r.eof_result = 1;
			fd = rec_open(&r);
			put(fd, "x");
			shutdown(fd, SHUT_WR);
			if (where == 3)
				REC_UNTIL(&r, strchr(r.trace, 'e'));
			if (where == 3)
				rv_transport_close(r.transport);
			REC_UNTIL(&r, rec_is_lost(&r));
			net_settle();
			ck_assert_str_eq(r.trace, where == 0   ? "mlD"
						  : where == 1 ? "mdlD"
							       : "mdelD");
			ck_assert_int_eq(r.err, 0);
			rec_deinit(&r);
			close_safe(fd);
		}
	}
	return 0;
}

RT_TEST(b179_connection_lost_comes_in_a_later_round)
{
	struct rec r;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	rv_transport_abort(r.transport);
	ck_assert_str_eq(r.trace, "m");
	ck_assert_int_eq(rv_yield(), 0);
	ck_assert_str_eq(r.trace, "mlD");
	rec_deinit(&r);
	close_safe(fd);
	return 0;
}

RT_TEST(b183_eof_kept_open_can_still_write)
{
	struct rec r;
	char b[16];
	int fd;

	rec_init(&r);
	r.eof_result = 1;
	fd = rec_open(&r);
	shutdown(fd, SHUT_WR);
	REC_UNTIL(&r, strchr(r.trace, 'e'));
	net_settle();
	ck_assert_int_eq(rv_transport_write(r.transport, "answer", 6), 0);
	ck_assert_uint_eq(drain_fd(fd, b, 6), 6);
	ck_assert_str_eq(r.trace, "me");
	rv_transport_close(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(fd);
	return 0;
}

RT_TEST(b172_peer_that_goes_after_its_eof_is_noticed)
{
	struct rec r;
	int fd;

	rec_init(&r);
	r.eof_result = 1;
	fd = rec_open(&r);
	shutdown(fd, SHUT_WR);
	REC_UNTIL(&r, strchr(r.trace, 'e'));
	net_settle();
	ck_assert(!rec_is_lost(&r));
	close_safe(fd); /* and we have nothing to write */
	REC_UNTIL(&r, rec_is_lost(&r));
	ck_assert_str_eq(r.trace, "melD"); /* its end is told once */
	ck_assert_int_eq(r.err, 0);
	rec_deinit(&r);
	return 0;
}

static int note_cancel(void *arg)
{
	int r = rv_sleep(RV_SEC(60));

	rt_add(r == -ECANCELED ? "cancelled" : "other");
	return r;
}

RT_TEST(task_of_a_connection_is_cancelled_with_it)
{
	struct rec r;
	rv_transport *t;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	t = rv_transport_ref(r.transport);
	ck_assert_ptr_nonnull(rv_transport_spawn(t, note_cancel, NULL));
	ck_assert_ptr_nonnull(rv_transport_spawn(t, note_cancel, NULL));
	rt_settle(2);
	close_safe(fd);
	REC_UNTIL(&r, rec_is_lost(&r));
	rt_settle(2);
	ck_assert_str_eq(rt_trace, "cancelled cancelled");
	ck_assert_ptr_null(rv_transport_spawn(t, note_cancel, NULL));
	ck_assert_int_eq(errno, RV_ESHUTDOWN);
	rv_transport_unref(t);
	rec_deinit(&r);
	return 0;
}

RT_TEST(b181_calls_on_a_lost_transport_do_nothing)
{
	struct rec r;
	rv_transport *t;
	int fd;

	rt_catch_reports();
	rec_init(&r);
	fd = rec_open(&r);
	t = rv_transport_ref(r.transport);
	rv_transport_abort(t);
	REC_UNTIL(&r, rec_is_lost(&r));
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(rv_transport_write(t, "x", 1), 0);
	ck_assert_int_eq(rv_transport_write_eof(t), 0);
	rv_transport_pause_reading(t);
	rv_transport_resume_reading(t);
	rv_transport_close(t);
	rv_transport_abort(t);
	ck_assert_int_eq(rv_transport_set_watermarks(t, 0, 0), 0);
	ck_assert_ptr_null(rv_transport_info(t, RV_INFO_FD, NULL));
	ck_assert_uint_eq(rt_reported.n, 1); /* that writing goes on */
	ck_assert_str_eq(r.trace, "mlD");
	rv_transport_unref(t);
	rec_deinit(&r);
	close_safe(fd);
	return 0;
}

RT_TEST(t05_info_has_descriptor_and_peer)
{
	struct rec r;
	const struct rv_peer *peer;
	size_t n;
	int fd;

	rec_init(&r);
	fd = rec_open(&r);
	peer = rv_transport_info(r.transport, RV_INFO_PEER, &n);
	ck_assert_ptr_nonnull(peer);
	ck_assert_uint_eq(n, sizeof(*peer));
	ck_assert_int_eq(peer->pid, getpid());
	ck_assert_uint_eq(peer->uid, getuid());
	ck_assert_int_ge(
		*(const int *)rv_transport_info(r.transport, RV_INFO_FD, &n), 0);
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);
	close_safe(fd);
	return 0;
}

static void on_fd(int fd, unsigned ev, void *arg)
{
}

RT_TEST(b031_descriptor_of_a_transport_cannot_be_watched)
{
	rv_watch *w;
	struct rec r;
	int fd, own, got[1];
	size_t n = 1, nb = 1;
	char b;

	rec_init(&r);
	fd = rec_open(&r);
	own = *(const int *)rv_transport_info(r.transport, RV_INFO_FD, NULL);
	ck_assert_int_eq(
		rv_fd_watch(rv_loop_current(), own, RV_READ, on_fd, NULL, &w), -EBUSY);
	ck_assert_int_eq(rv_wait_fd(own, RV_READ), -EBUSY);
	/* also not where nothing has to be waited for: what comes is the transport's */
	put(fd, "x");
	ck_assert_int_eq(rv_wait_fd(own, RV_READ | RV_WRITE), -EBUSY);
	ck_assert_int_eq((int)rv_recv(own, &b, 1, 0), -EBUSY);
	ck_assert_int_eq(rv_send_all(own, "x", 1), -EBUSY);
	ck_assert_int_eq(rv_accept(own, NULL, NULL), -EBUSY);
	ck_assert_int_eq(rv_send_fds(own, &fd, 1, "x", 1), -EBUSY);
	ck_assert_int_eq(rv_recv_fds(own, got, &n, &b, &nb), -EBUSY);
	REC_UNTIL(&r, buf_len(&r.data) == 1);
	rv_transport_abort(r.transport);
	REC_UNTIL(&r, rec_is_lost(&r));
	rec_deinit(&r);

	/* nor the other way round */
	ck_assert_int_eq(
		rv_fd_watch(rv_loop_current(), fd, RV_READ, on_fd, NULL, &w), 0);
	rec_init(&r);
	ck_assert_int_eq(rv_net_open_fd(fd, &r.protocol, NULL), -EBUSY);
	ck_assert(rv_fd_unwatch(w));
	close_safe(fd);
	return 0;
}

RT_TEST(what_is_no_stream_socket_is_refused)
{
	struct rec r;
	int fds[2];

	rec_init(&r);
	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(rv_net_open_fd(fds[0], &r.protocol, NULL), -ENOTSOCK);
	close_safe(fds[0]);
	close_safe(fds[1]);
	ck_assert_int_eq(rv_net_open_fd(-1, &r.protocol, NULL), -EBADF);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(rv_net_open_fd(fds[0], &r.protocol, NULL), -EINVAL);
	close_safe(fds[0]);
	close_safe(fds[1]);
	ck_assert_str_eq(r.trace, "");
	return 0;
}

static struct rec left_open;

static int leave_open(void *arg)
{
	rt_catch_reports();
	*(int *)arg = rec_open(&left_open);
	return 0;
}

START_TEST(transport_open_when_the_loop_closes_is_reported_and_lost)
{
	char c;
	int fd;

	rt_reset();
	rec_init(&left_open);
	ck_assert_int_eq(rv_run(leave_open, &fd, NULL), 0);
	ck_assert_str_eq(left_open.trace, "mlD");
	ck_assert_int_eq(left_open.err, -RV_ELOOPCLOSED);
	ck_assert_uint_eq(rt_reported.n, 1);
	ck_assert_int_eq((int)recv(fd, &c, 1, 0), 0);
	close_safe(fd);
	rec_deinit(&left_open);
}
END_TEST

UNIT_MAIN("transport", b172_callbacks_come_in_order_and_the_end_once,
	b173_pause_in_connection_made_holds, end_while_paused_is_told_after_resume,
	t01_data_and_end_in_one_edge_are_both_told,
	data_and_reset_in_one_edge_are_both_told, descriptors_in_the_data_stop_nothing,
	descriptors_after_much_plain_data_delay_once,
	more_than_one_read_of_data_comes_whole,
	b184_failing_data_received_fails_the_connection, b184_so_do_the_other_callbacks,
	b185_get_buffer_without_room_fails_the_connection,
	buffered_protocol_gets_data_in_its_own_memory,
	b185_protocol_is_switched_while_data_is_waiting,
	b179_close_and_abort_are_allowed_in_every_callback,
	b179_connection_lost_comes_in_a_later_round, b183_eof_kept_open_can_still_write,
	b172_peer_that_goes_after_its_eof_is_noticed,
	task_of_a_connection_is_cancelled_with_it,
	b181_calls_on_a_lost_transport_do_nothing, t05_info_has_descriptor_and_peer,
	b031_descriptor_of_a_transport_cannot_be_watched,
	what_is_no_stream_socket_is_refused,
	transport_open_when_the_loop_closes_is_reported_and_lost)
