/* The wire format: what is written is read, and nothing else is. */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "spawn/wire.h"

static struct spawn_request full_request(void)
{
	static const struct spawn_rlimit limits[] = {
		{7, 100, 200}, {1, RLIM_INFINITY, 1}};
	static const uint32_t groups[] = {1, 4000000000U, 3};
	static char *argv[] = {(char *)"prog", (char *)"", (char *)"\xff\xfe", NULL};
	static char *env[] = {(char *)"A=1", (char *)"no-equals-sign", NULL};

	return (struct spawn_request){
		.token = {UINT64_MAX, UINT32_MAX, UINT64_MAX - 1},
		.argv = argv,
		.env = env,
		.cwd = "/a/\xff",
		.stdin_kind = SPAWN_STDIO_PATH,
		.stdin_path = "/in",
		.stdout_kind = SPAWN_STDIO_FD,
		.stdout_fd = 5,
		.stderr_kind = SPAWN_STDIO_PATH,
		.stderr_path = "/err",
		.stderr_fd = -1,
		.umask = 0777,
		.nice = -20,
		.rlimits = limits,
		.n_rlimits = 2,
		.uid = 4000000000U,
		.gid = 12,
		.groups = groups,
		.n_groups = 3,
		.set_groups = true,
		.start_timeout = 1,
		.kill_grace = RV_FOREVER,
		.kill_signal = 64,
		.leftovers = SPAWN_LEFTOVERS_WAIT,
		.cgroup = "/sys/fs/cgroup/x",
		.gate = UINT64_MAX,
		.gate_slots = 4000000000U,
		.ahead = true,
	};
}

/* the start record of the request, with its blob inside */
static void encode_full(struct buf *b, const struct spawn_request *req)
{
	struct wire_blob blob;
	char data[256];

	ck_assert_int_eq(wire_blob_measure(&blob, req->argv, req->env), 0);
	ck_assert_uint_le(blob.len, sizeof(data));
	wire_blob_fill(data, req->argv, req->env);
	ck_assert_int_gt(wire_encode_start(b, req, &blob, data), 0);
}

static int decode(const char *p, size_t n, struct wire_start *ret)
{
	struct wire_reader packet = {(const uint8_t *)p, n, false};
	struct wire_record rec;
	int r;

	r = wire_next(&packet, &rec);
	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	if (rec.type != WIRE_START)
		return -RV_EPROTOCOL;
	return wire_decode_start(&rec.body, rec.n_fds, ret);
}

START_TEST(start_is_read_as_it_was_written)
{
	struct spawn_request q = full_request(), *p;
	static struct wire_start ws;
	struct buf b = BUF_NULL;

	encode_full(&b, &q);
	ck_assert_int_eq(wire_packet_check(buf_head(&b), buf_len(&b), 1), 0);
	ck_assert_int_eq(decode(buf_head(&b), buf_len(&b), &ws), 0);
	p = &ws.req;
	ck_assert(spawn_token_equal(&p->token, &q.token));
	ck_assert_str_eq(p->cwd, q.cwd);
	ck_assert_str_eq(p->stdin_path, q.stdin_path);
	ck_assert_ptr_null(p->stdout_path);
	ck_assert_str_eq(p->stderr_path, q.stderr_path);
	ck_assert_str_eq(p->cgroup, q.cgroup);
	ck_assert_int_eq(p->stdout_kind, SPAWN_STDIO_FD);
	ck_assert_uint_eq(p->umask, 0777);
	ck_assert_int_eq(p->nice, -20);
	ck_assert_uint_eq(p->uid, 4000000000U);
	ck_assert_uint_eq(p->gid, 12);
	ck_assert_uint_eq(p->n_groups, 3);
	ck_assert_uint_eq(p->groups[1], 4000000000U);
	ck_assert(p->set_groups);
	ck_assert(p->gate == UINT64_MAX);
	ck_assert_uint_eq(p->gate_slots, 4000000000U);
	ck_assert(p->ahead);
	ck_assert_uint_eq(p->n_rlimits, 2);
	ck_assert_uint_eq(p->rlimits[1].soft, RLIM_INFINITY);
	ck_assert_int_eq(p->start_timeout, 1);
	ck_assert_int_eq(p->kill_grace, RV_FOREVER);
	ck_assert_int_eq(p->kill_signal, 64);
	ck_assert_int_eq(p->leftovers, SPAWN_LEFTOVERS_WAIT);
	ck_assert_uint_eq(ws.blob.argc, 3);
	ck_assert_uint_eq(ws.blob.envc, 2);
	ck_assert_int_eq(memcmp(ws.blob.data, "prog\0\0\xff\xfe\0A=1\0no-equals-sign",
				 ws.blob.len),
		0);
	buf_deinit(&b);
}
END_TEST

START_TEST(start_with_a_pipe_as_stdin_is_read_as_it_was_written)
{
	struct spawn_request q = full_request();
	static struct wire_start ws;
	struct buf b = BUF_NULL;

	q.stdin_kind = SPAWN_STDIO_PIPE;
	q.stdin_path = NULL;
	encode_full(&b, &q);
	ck_assert_int_eq(decode(buf_head(&b), buf_len(&b), &ws), 0);
	ck_assert_int_eq(ws.req.stdin_kind, SPAWN_STDIO_PIPE);
	ck_assert_ptr_null(ws.req.stdin_path);
	buf_deinit(&b);
}
END_TEST

START_TEST(start_cut_anywhere_is_refused)
{
	struct spawn_request q = full_request();
	static struct wire_start ws;
	struct buf b = BUF_NULL;

	encode_full(&b, &q);
	for (size_t n = 0; n < buf_len(&b); n++) {
		/* an exact copy, so that the sanitizer sees a byte too far */
		_cleanup_free_ char *cut = malloc(n ? n : 1);

		memcpy(cut, buf_head(&b), n);
		ck_assert_int_lt(decode(cut, n, &ws), 0);
		if (n < 8)
			continue;
		/* and with a length that says so */
		cut[0] = (char)n;
		cut[1] = (char)(n >> 8);
		ck_assert_int_eq(decode(cut, n, &ws), -RV_EPROTOCOL);
	}
	buf_deinit(&b);
}
END_TEST

START_TEST(start_with_any_byte_changed_is_read_or_refused)
{
	struct spawn_request q = full_request();
	static struct wire_start ws;
	struct buf b = BUF_NULL;
	int n_refused = 0;

	encode_full(&b, &q);
	for (size_t i = 0; i < buf_len(&b); i++) {
		_cleanup_free_ char *copy = malloc(buf_len(&b));

		for (int v = 0; v < 256; v += 17) {
			memcpy(copy, buf_head(&b), buf_len(&b));
			copy[i] = (char)v;
			n_refused += decode(copy, buf_len(&b), &ws) < 0;
		}
	}
	ck_assert_int_gt(n_refused, 100);
	buf_deinit(&b);
}
END_TEST

START_TEST(start_with_trailing_bytes_is_refused)
{
	struct spawn_request q = full_request();
	static struct wire_start ws;
	struct buf b = BUF_NULL;

	encode_full(&b, &q);
	buf_append_byte(&b, 0);
	buf_head(&b)[0]++; /* the length has room: it is below 255 */
	ck_assert_int_eq(decode(buf_head(&b), buf_len(&b), &ws), -RV_EPROTOCOL);
	buf_deinit(&b);
}
END_TEST

START_TEST(start_with_wrong_number_of_descriptors_is_refused)
{
	struct spawn_request q = full_request();
	static struct wire_start ws;
	struct buf b = BUF_NULL;

	encode_full(&b, &q);
	for (char n = 0; n < 5; n++) {
		buf_head(&b)[6] = n;
		ck_assert_int_eq(decode(buf_head(&b), buf_len(&b), &ws),
			n == 1 ? 0 : -RV_EPROTOCOL);
	}
	buf_deinit(&b);
}
END_TEST

START_TEST(request_out_of_range_is_not_encoded)
{
	static const struct wire_blob blob = {2, 1, 0, NULL};
	struct spawn_request q;
	struct buf b = BUF_NULL;

#define EXPECT_EINVAL(change)                                                     \
	do {                                                                      \
		q = full_request();                                               \
		change;                                                           \
		ck_assert_int_eq(wire_encode_start(&b, &q, &blob, "x"), -EINVAL); \
		ck_assert_uint_eq(buf_len(&b), 0);                                \
	} while (0)
	EXPECT_EINVAL(q.umask = 01000);
	EXPECT_EINVAL(q.nice = 20);
	EXPECT_EINVAL(q.kill_signal = 0);
	EXPECT_EINVAL(q.kill_signal = 65);
	EXPECT_EINVAL(q.start_timeout = 0);
	EXPECT_EINVAL(q.kill_grace = -1);
	EXPECT_EINVAL(q.cwd = "relative");
	EXPECT_EINVAL(q.stdin_path = NULL);
	EXPECT_EINVAL(q.stdin_kind = SPAWN_STDIO_FD);
	EXPECT_EINVAL(q.stdin_kind = SPAWN_STDIO_PIPE); /* with a path */
	EXPECT_EINVAL(q.stdout_kind = SPAWN_STDIO_PIPE);
	EXPECT_EINVAL(q.stderr_kind = SPAWN_STDIO_PIPE);
	EXPECT_EINVAL(q.stdout_kind = SPAWN_STDIO_STDOUT);
	EXPECT_EINVAL(q.n_rlimits = SPAWN_RLIMITS_MAX + 1);
	EXPECT_EINVAL(q.n_groups = SPAWN_GROUPS_MAX + 1);
	EXPECT_EINVAL(q.gate = 0); /* nothing to wait at */
	buf_deinit(&b);
}
END_TEST

START_TEST(request_too_large_for_a_packet_is_emsgsize)
{
	static uint32_t groups[SPAWN_GROUPS_MAX];
	struct spawn_request q = full_request();
	struct wire_blob blob = {64 << 10, 1, 0, NULL};
	_cleanup_free_ char *data = calloc(1, 64 << 10);
	struct buf b = BUF_NULL;

	q.groups = groups;
	q.n_groups = SPAWN_GROUPS_MAX;
	ck_assert_int_eq(wire_encode_start(&b, &q, &blob, data), -EMSGSIZE);
	ck_assert_uint_eq(buf_len(&b), 0);
	buf_deinit(&b);
}
END_TEST

START_TEST(blob_must_be_exactly_its_strings)
{
	struct wire_blob blob = {6, 2, 1, NULL};

	ck_assert_int_eq(wire_blob_check("a\0b\0c\0", &blob), 0);
	blob.argc = 1;
	ck_assert_int_eq(wire_blob_check("a\0b\0c\0", &blob), -RV_EPROTOCOL);
	blob.argc = UINT32_MAX;
	blob.envc = 4; /* would be 3 if the sum wrapped */
	ck_assert_int_eq(wire_blob_check("a\0b\0c\0", &blob), -RV_EPROTOCOL);
	blob = (struct wire_blob){5, 2, 1, NULL};
	ck_assert_int_eq(wire_blob_check("a\0b\0c", &blob), -RV_EPROTOCOL);
}
END_TEST

START_TEST(blob_without_argv_or_too_large_is_refused)
{
	char *none[] = {NULL};
	char *huge[] = {NULL, NULL};
	_cleanup_free_ char *text = malloc(SPAWN_BLOB_MAX + 1);
	struct wire_blob blob;

	ck_assert_int_eq(wire_blob_measure(&blob, none, NULL), -EINVAL);
	ck_assert_int_eq(wire_blob_measure(&blob, NULL, NULL), -EINVAL);
	memset(text, 'x', SPAWN_BLOB_MAX);
	text[SPAWN_BLOB_MAX] = '\0';
	huge[0] = text;
	ck_assert_int_eq(wire_blob_measure(&blob, huge, NULL), -E2BIG);
	text[SPAWN_BLOB_MAX - 1] = '\0'; /* with its NUL exactly the limit */
	ck_assert_int_eq(wire_blob_measure(&blob, huge, NULL), 0);
}
END_TEST

START_TEST(memfd_must_be_sealed_and_of_the_length)
{
	struct wire_blob blob = {2, 1, 0, NULL};
	_cleanup_close_ int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_close_ int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(fd_write_all(fd, "x", 2), 0);
	ck_assert_int_eq(wire_blob_check_memfd(fd, &blob), -RV_EPROTOCOL);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	ck_assert_int_eq(wire_blob_check_memfd(fd, &blob), -RV_EPROTOCOL);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), 0);
	ck_assert_int_eq(wire_blob_check_memfd(fd, &blob), 0);
	blob.len = 3;
	ck_assert_int_eq(wire_blob_check_memfd(fd, &blob), -RV_EPROTOCOL);
	ck_assert_int_eq(wire_blob_check_memfd(file, &blob), -RV_EPROTOCOL);
}
END_TEST

static struct spawn_run_info some_run(void)
{
	return (struct spawn_run_info){
		.token = {1, 2, 3},
		.state = SPAWN_RUN_EXITED,
		.flags = SPAWN_RUN_SURVIVORS,
		.pid = 4,
		.start_time = UINT64_MAX,
		.started_boot = 5,
		.ended_boot = 6,
		.started_usec = 7,
		.ended_usec = -8,
		.status = 9,
		.leftovers = 10,
		.usage = {11, 12, 13, 14, 15, 16, 17, 18, 19},
		.error = 20,
		.step = SPAWN_STEP_EXEC,
	};
}

START_TEST(run_is_read_as_it_was_written)
{
	struct spawn_run_info in = some_run(), out;
	enum wire_run_reason reason;
	struct wire_record rec;
	struct wire_reader packet;
	struct buf b = BUF_NULL;

	memset(&out, 0, sizeof(out));
	ck_assert_int_gt(wire_encode_run(&b, WIRE_RUN_QUERY, &in, 0), 0);
	packet =
		(struct wire_reader){(const uint8_t *)buf_head(&b), buf_len(&b), false};
	ck_assert_int_eq(wire_next(&packet, &rec), 1);
	ck_assert_int_eq(wire_decode_run(&rec.body, &reason, &out), 0);
	ck_assert_int_eq(reason, WIRE_RUN_QUERY);
	ck_assert(spawn_token_equal(&in.token, &out.token));
	ck_assert_int_eq(out.state, in.state);
	ck_assert_uint_eq(out.flags, in.flags);
	ck_assert_int_eq(out.pid, 4);
	ck_assert_uint_eq(out.start_time, UINT64_MAX);
	ck_assert_int_eq(out.ended_usec, -8);
	ck_assert_int_eq(out.status, 9);
	ck_assert_uint_eq(out.leftovers, 10);
	ck_assert_int_eq(memcmp(&in.usage, &out.usage, sizeof(in.usage)), 0);
	ck_assert_int_eq(out.error, 20);
	ck_assert_int_eq(out.step, SPAWN_STEP_EXEC);
	buf_deinit(&b);
}
END_TEST

START_TEST(run_cut_anywhere_is_refused)
{
	struct spawn_run_info in = some_run(), out;
	enum wire_run_reason reason;
	struct buf b = BUF_NULL;

	ck_assert_int_gt(wire_encode_run(&b, WIRE_RUN_TABLE, &in, 0), 0);
	for (size_t n = 0; n < buf_len(&b) - WIRE_HEADER_LEN; n++) {
		struct wire_reader r = {
			(const uint8_t *)buf_head(&b) + WIRE_HEADER_LEN, n, false};

		ck_assert_int_eq(wire_decode_run(&r, &reason, &out), -RV_EPROTOCOL);
	}
	buf_deinit(&b);
}
END_TEST

START_TEST(op_is_read_as_it_was_written_and_checked)
{
	struct wire_op in = {WIRE_STOP, 77, {1, 2, 3}, 15, true, RV_SEC(3)}, out;
	struct wire_record rec;
	struct wire_reader packet;
	struct buf b = BUF_NULL;

	ck_assert_int_gt(wire_encode_op(&b, &in), 0);
	packet =
		(struct wire_reader){(const uint8_t *)buf_head(&b), buf_len(&b), false};
	ck_assert_int_eq(wire_next(&packet, &rec), 1);
	ck_assert_int_eq(wire_decode_op(&rec.body, WIRE_STOP, &out), 0);
	ck_assert_uint_eq(out.seq, 77);
	ck_assert_int_eq(out.signal, 15);
	ck_assert(out.main_only);
	ck_assert_int_eq(out.grace, RV_SEC(3));

	for (int bad = 0; bad < 3; bad++) {
		struct wire_op op = in;

		op.signal = bad == 0 ? 0 : bad == 1 ? 65 : 15;
		op.grace = bad == 2 ? -1 : 0;
		buf_clear(&b);
		ck_assert_int_gt(wire_encode_op(&b, &op), 0);
		packet = (struct wire_reader){
			(const uint8_t *)buf_head(&b), buf_len(&b), false};
		ck_assert_int_eq(wire_next(&packet, &rec), 1);
		ck_assert_int_eq(
			wire_decode_op(&rec.body, WIRE_STOP, &out), -RV_EPROTOCOL);
	}
	buf_deinit(&b);
}
END_TEST

START_TEST(packet_framing_must_add_up)
{
	static const char one[] = "\x08\0\0\0\x01\0\x02\0";

	ck_assert_int_eq(wire_packet_check(one, 8, 2), 0);
	ck_assert_int_eq(wire_packet_check(one, 8, 1), -RV_EPROTOCOL);
	ck_assert_int_eq(wire_packet_check(one, 8, 3), -RV_EPROTOCOL);
	ck_assert_int_eq(wire_packet_check(one, 7, 2), -RV_EPROTOCOL);
	ck_assert_int_eq(wire_packet_check(one, 0, 0), -RV_EPROTOCOL);
	ck_assert_int_eq(
		wire_packet_check("\x07\0\0\0\x01\0\0\0", 8, 0), -RV_EPROTOCOL);
	ck_assert_int_eq(
		wire_packet_check("\x09\0\0\0\x01\0\0\0", 8, 0), -RV_EPROTOCOL);
	ck_assert_int_eq(
		wire_packet_check("\xff\xff\xff\xff\x01\0\0\0", 8, 0), -RV_EPROTOCOL);
	ck_assert_int_eq(wire_packet_check("\0\0\0\0\0\0\0\0", 8, 0), -RV_EPROTOCOL);
}
END_TEST

START_TEST(string_with_nul_inside_or_without_one_after_it_is_bad)
{
	struct wire_reader r = {(const uint8_t *)"\x03\0a\0b\0", 6, false};

	ck_assert_str_eq(wire_get_str(&r, 10), "");
	ck_assert(r.bad);
	r = (struct wire_reader){(const uint8_t *)"\x02\0abc", 5, false};
	ck_assert_str_eq(wire_get_str(&r, 10), "");
	ck_assert(r.bad);
	r = (struct wire_reader){(const uint8_t *)"\x02\0ab", 5, false};
	ck_assert_str_eq(wire_get_str(&r, 2), "ab");
	ck_assert_int_eq(wire_done(&r), 0);
	r = (struct wire_reader){(const uint8_t *)"\x02\0ab", 5, false};
	ck_assert_str_eq(wire_get_str(&r, 1), "");
	ck_assert(r.bad);
}
END_TEST

START_TEST(mark_is_read_as_it_was_written_and_checked)
{
	static const char id[] = "0123456789abcdef0123456789abcdef";
	struct spawn_token in = {UINT64_MAX, UINT32_MAX, 0}, out;
	char mark[SPAWN_MARK_MAX], instance[SPAWN_ID_LEN + 1];

	ck_assert_str_eq(spawn_mark_format(mark, &in, id),
		"18446744073709551615.4294967295.0.0123456789abcdef0123456789abcdef");
	ck_assert_int_eq(spawn_mark_parse(&out, instance, mark), 0);
	ck_assert(spawn_token_equal(&in, &out));
	ck_assert_str_eq(instance, id);
	ck_assert_int_eq(spawn_mark_parse(&out, NULL, "1.2.3"), -EINVAL);
	ck_assert_int_eq(spawn_mark_parse(&out, NULL, "1.2.3."), -EINVAL);
	ck_assert_int_eq(spawn_mark_parse(&out, NULL,
				 "1.4294967296.3.0123456789abcdef0123456789abcdef"),
		-EINVAL);
	ck_assert_int_eq(
		spawn_mark_parse(&out, NULL, "-1.2.3.0123456789abcdef0123456789abcdef"),
		-EINVAL);
	ck_assert_int_eq(
		spawn_mark_parse(&out, NULL,
			"18446744073709551616.2.3.0123456789abcdef0123456789abcdef"),
		-EINVAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("wire");
	TCase *tc = tcase_create("wire");
	SRunner *sr;
	int n_failed;

	tcase_add_test(tc, start_is_read_as_it_was_written);
	tcase_add_test(tc, start_with_a_pipe_as_stdin_is_read_as_it_was_written);
	tcase_add_test(tc, start_cut_anywhere_is_refused);
	tcase_add_test(tc, start_with_any_byte_changed_is_read_or_refused);
	tcase_add_test(tc, start_with_trailing_bytes_is_refused);
	tcase_add_test(tc, start_with_wrong_number_of_descriptors_is_refused);
	tcase_add_test(tc, request_out_of_range_is_not_encoded);
	tcase_add_test(tc, request_too_large_for_a_packet_is_emsgsize);
	tcase_add_test(tc, blob_must_be_exactly_its_strings);
	tcase_add_test(tc, blob_without_argv_or_too_large_is_refused);
	tcase_add_test(tc, memfd_must_be_sealed_and_of_the_length);
	tcase_add_test(tc, run_is_read_as_it_was_written);
	tcase_add_test(tc, run_cut_anywhere_is_refused);
	tcase_add_test(tc, op_is_read_as_it_was_written_and_checked);
	tcase_add_test(tc, packet_framing_must_add_up);
	tcase_add_test(tc, string_with_nul_inside_or_without_one_after_it_is_bad);
	tcase_add_test(tc, mark_is_read_as_it_was_written_and_checked);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	n_failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
