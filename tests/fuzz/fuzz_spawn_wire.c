/*
 * Any bytes as a packet between reeved and its spawner, in both directions. A packet whose
 * framing is good is read record by record with the decoder of its type; what an operation,
 * a result, a hello or a run decodes to is encoded and decoded again.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "spawn/wire.h"
#include "tests/fuzz/fuzz.h"

enum { N_FDS_MAX = 4 };

/* the one record that was just encoded */
static struct wire_reader body_of(const struct buf *b)
{
	struct wire_reader packet = {
		.p = (const uint8_t *)buf_head(b), .left = buf_len(b)};
	struct wire_record rec;

	INVARIANT(wire_next(&packet, &rec) == 1);
	return rec.body;
}

static void try_said(struct wire_reader r)
{
	struct buf b = BUF_NULL;
	struct spawn_token t;
	const char *text;

	if (wire_decode_said(&r, &t, &text) == 0) {
		INVARIANT(strlen(text) <= SPAWN_SAID_MAX);
		INVARIANT(wire_encode_said(&b, WIRE_SAID, &t, text) > 0);
	}
	buf_deinit(&b);
}

static void try_op(struct wire_reader r, enum wire_type type)
{
	struct buf b = BUF_NULL;
	struct wire_op op, again;

	if (wire_decode_op(&r, type, &op) == 0) {
		INVARIANT(wire_encode_op(&b, &op) >= 0);
		r = body_of(&b);
		INVARIANT(wire_decode_op(&r, type, &again) == 0);
		INVARIANT(op.seq == again.seq && op.signal == again.signal &&
			  op.grace == again.grace &&
			  op.token.job_id == again.token.job_id);
	}
	buf_deinit(&b);
}

static void try_result(struct wire_reader r)
{
	struct buf b = BUF_NULL;
	struct wire_result res, again;

	if (wire_decode_result(&r, &res) == 0) {
		INVARIANT(wire_encode_result(&b, &res) >= 0);
		r = body_of(&b);
		INVARIANT(wire_decode_result(&r, &again) == 0);
		INVARIANT(res.seq == again.seq && res.error == again.error);
	}
	buf_deinit(&b);
}

static void try_hello(struct wire_reader r)
{
	struct buf b = BUF_NULL;
	struct wire_hello hello, again;

	if (wire_decode_hello(&r, &hello) == 0) {
		INVARIANT(strlen(hello.instance) <= SPAWN_ID_LEN);
		INVARIANT(wire_encode_hello(&b, &hello) >= 0);
		r = body_of(&b);
		INVARIANT(wire_decode_hello(&r, &again) == 0);
		INVARIANT(hello.version == again.version && hello.pid == again.pid);
	}
	buf_deinit(&b);
}

static void try_others(const struct wire_record *rec)
{
	struct wire_reader r = rec->body;
	struct spawn_run_info info;
	struct spawn_orphan orphan;
	enum wire_run_reason reason;
	struct wire_start start;

	(void)wire_decode_run(&r, &reason, &info);
	r = rec->body;
	if (wire_decode_orphan(&r, &orphan) == 0)
		INVARIANT(memchr(orphan.comm, '\0', sizeof(orphan.comm)));
	r = rec->body;
	if (wire_decode_start(&r, rec->n_fds, &start) == 0 && start.blob.data)
		(void)wire_blob_check(start.blob.data, &start.blob);
}

static void read_packet(const uint8_t *data, size_t size, size_t n_fds)
{
	struct wire_reader packet = {.p = data, .left = size};
	struct wire_record rec;
	size_t fds = 0;
	int r;

	if (wire_packet_check(data, size, n_fds) < 0)
		return;
	while ((r = wire_next(&packet, &rec)) > 0) {
		fds += rec.n_fds;
		try_said(rec.body);
		for (int type = WIRE_SIGNAL; type <= WIRE_CLOSE_STDIN; type++)
			try_op(rec.body, (enum wire_type)type);
		try_result(rec.body);
		try_hello(rec.body);
		try_others(&rec);
	}
	/* the framing was found good, and its descriptors all belong to a record */
	INVARIANT(r == 0 && fds == n_fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t n_fds = 0; n_fds <= N_FDS_MAX; n_fds++)
		read_packet(data, size, n_fds);
	return 0;
}
