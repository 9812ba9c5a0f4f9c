/*
 * Wire format between reeved and the spawner, and of the exits file.
 *
 * A packet (one SOCK_SEQPACKET message, at most SPAWN_MESSAGE_MAX bytes) is a sequence
 * of records: u32 length of the whole record, u16 type, u16 number of descriptors,
 * payload. Descriptors of a packet belong to its records in order. Integers are
 * little-endian and written one by one; a string is u16 length, its bytes (no NUL among
 * them) and a NUL. Decoders are strict: a record must be used up to its last byte. What
 * the peer sends is never trusted; a fault is -RV_EPROTOCOL and costs the peer its
 * connection.
 *
 * Pure: bytes in, bytes out. Nothing here owns or touches a descriptor, except that
 * wire_blob_check looks at one.
 */
#ifndef SPAWN_WIRE_H
#define SPAWN_WIRE_H

#include "base/buf.h"
#include "spawn/spawn.h"

#define WIRE_VERSION    5
#define WIRE_HEADER_LEN 8
#define WIRE_PACKET_FDS 128 /* descriptors in one packet; the kernel's limit is 253 */
#define WIRE_INLINE_MAX (24 << 10) /* a longer argv + environment goes into a memfd */
#define WIRE_START_FDS  3          /* memfd, stdout, stderr */
#define WIRE_RUN_FDS    2          /* pidfd, and the end of its stdin to write to */

enum wire_type {
	/* reeved to spawner */
	WIRE_CLIENT_HELLO = 1, /* must come first */
	WIRE_START,
	WIRE_SIGNAL,
	WIRE_STOP,
	WIRE_KILL,
	WIRE_PAUSE,
	WIRE_RESUME,
	WIRE_QUERY,
	WIRE_ACK,
	WIRE_RECALL,
	WIRE_CLOSE_STDIN,
	WIRE_KEEP_NOTIFY, /* with the socket that runs say things of themselves to */
	WIRE_SET_SAID,
	/* spawner to reeved */
	WIRE_HELLO = 64,
	WIRE_RUN,
	WIRE_TABLE_END,
	WIRE_RESULT,
	WIRE_ORPHAN,
	WIRE_NOTIFY, /* behind the hello: the socket that was kept */
	WIRE_SAID,   /* behind the row of its run, where it has said something */
};

/* why a WIRE_RUN is sent */
enum wire_run_reason {
	WIRE_RUN_TABLE,
	WIRE_RUN_STARTED,
	WIRE_RUN_FAILED,
	WIRE_RUN_EXITED,
	WIRE_RUN_QUERY,
	WIRE_RUN_READY,
};

/* -- writing ------------------------------------------------------------------------
 */

/* One record being appended to a buffer. The first error sticks; wire_end tells it. */
struct wire_writer {
	struct buf *b;
	size_t start; /* where the record begins, relative to the buffer's head */
	int error;
};

void wire_begin(
	struct wire_writer *w, struct buf *b, enum wire_type type, uint16_t n_fds);
void wire_put(struct wire_writer *w, uint64_t v, size_t n_bytes); /* 1 to 8 */
void wire_put_bytes(struct wire_writer *w, const void *p, size_t n);
void wire_put_str(struct wire_writer *w, const char *s); /* NULL is written as "" */
/* Length of the record, or the error; then the buffer is as before wire_begin.
 * -EMSGSIZE: it does not fit into a packet. */
int wire_end(struct wire_writer *w);

/* -- reading ------------------------------------------------------------------------
 */

struct wire_reader {
	const uint8_t *p;
	size_t left;
	bool bad; /* something was missing or malformed; what was got since is 0 */
};

struct wire_record {
	uint16_t type;
	uint16_t n_fds;
	struct wire_reader body;
};

/* Framing of a whole packet: lengths add up, and so do descriptors. 0, -RV_EPROTOCOL.
 */
int wire_packet_check(const void *p, size_t n, size_t n_fds);
/* Next record of a packet: 1, 0 at its end, -RV_EPROTOCOL. */
int wire_next(struct wire_reader *packet, struct wire_record *ret);
uint64_t wire_get(struct wire_reader *r, size_t n_bytes);
const void *wire_get_bytes(struct wire_reader *r, size_t n);
/* points into the packet, NUL-terminated; "" when bad. max: longest that is accepted */
const char *wire_get_str(struct wire_reader *r, size_t max);
/* 0 when everything was there and nothing is left over, else -RV_EPROTOCOL */
int wire_done(const struct wire_reader *r);

/* -- records ------------------------------------------------------------------------
 */

void wire_put_token(struct wire_writer *w, const struct spawn_token *t);
void wire_get_token(struct wire_reader *r, struct spawn_token *ret);

/* With a row of the table, or the news of a start, come descriptors: the pidfd, unless the
 * process has ended; then, where flags has SPAWN_RUN_STDIN, the end of the pipe. */
int wire_encode_run(struct buf *b, enum wire_run_reason reason,
	const struct spawn_run_info *info, uint16_t n_fds);
int wire_decode_run(struct wire_reader *r, enum wire_run_reason *ret_reason,
	struct spawn_run_info *ret);

struct wire_hello {
	uint32_t version;
	char instance[SPAWN_ID_LEN + 1]; /* of the spawner; another after each start */
	char boot_id[SPAWN_ID_LEN + 1];
	int32_t pid;
};
int wire_encode_hello(struct buf *b, const struct wire_hello *h);
int wire_decode_hello(struct wire_reader *r, struct wire_hello *ret);

/* Requests about a run that exists: WIRE_SIGNAL to WIRE_CLOSE_STDIN. */
struct wire_op {
	enum wire_type type;
	uint32_t seq; /* comes back in the result; ACK has no result */
	struct spawn_token token;
	uint8_t signal; /* SIGNAL, STOP: 1 to 64 */
	bool main_only; /* SIGNAL, STOP: the main process alone, not its group */
	rv_time grace;  /* STOP: ns until SIGKILL, >= 0 */
};
int wire_encode_op(struct buf *b, const struct wire_op *op);
int wire_decode_op(struct wire_reader *r, enum wire_type type, struct wire_op *ret);

/* SET_SAID and SAID: what a run says of itself, lines of sd_notify(3), at most
 * SPAWN_SAID_MAX bytes; text points into the packet */
int wire_encode_said(struct buf *b, enum wire_type type, const struct spawn_token *t,
	const char *text);
int wire_decode_said(
	struct wire_reader *r, struct spawn_token *ret, const char **ret_text);

struct wire_result {
	uint32_t seq;
	struct spawn_token token;
	int32_t error; /* 0 or a positive errno */
};
int wire_encode_result(struct buf *b, const struct wire_result *res);
int wire_decode_result(struct wire_reader *r, struct wire_result *ret);

/* A process that some run left behind and that the spawner adopted. */
struct spawn_orphan {
	int32_t pid;
	uint64_t start_time;
	struct spawn_token token; /* all 0 when nothing tells whose it was */
	char comm[16];
};
int wire_encode_orphan(struct buf *b, const struct spawn_orphan *o);
int wire_decode_orphan(struct wire_reader *r, struct spawn_orphan *ret);

/* Where argv and environment of a start are: NUL-terminated strings one after another.
 */
struct wire_blob {
	uint32_t len, argc, envc;
	const char *data; /* inline, in the packet; NULL: in the record's first
			     descriptor */
};

/* A decoded start; its strings point into the packet. */
struct wire_start {
	struct spawn_request req; /* argv and env unset; descriptors -1 */
	struct wire_blob blob;
	struct spawn_rlimit rlimits[SPAWN_RLIMITS_MAX];
	uint32_t groups[SPAWN_GROUPS_MAX];
};

/* Measure argv and env. 0, -EINVAL (no argv[0]), -E2BIG (over the protocol's limits).
 */
int wire_blob_measure(struct wire_blob *ret, char *const *argv, char *const *env);
/* Write the strings; out has blob->len bytes. */
void wire_blob_fill(char *out, char *const *argv, char *const *env);
/* len bytes must be exactly argc + envc strings. 0, -RV_EPROTOCOL */
int wire_blob_check(const char *data, const struct wire_blob *blob);
/* A memfd that can neither change nor shrink any more and has exactly the length that
 * the blob says: 0, -RV_EPROTOCOL, -errno. */
int wire_blob_check_memfd(int fd, const struct wire_blob *blob);

/* Everything of the request that the blob does not hold; data is what blob_fill made,
 * or NULL when it travels in a memfd. -EINVAL: a value is outside its range. */
int wire_encode_start(struct buf *b, const struct spawn_request *req,
	const struct wire_blob *blob, const char *data);
int wire_decode_start(struct wire_reader *r, uint16_t n_fds, struct wire_start *ret);

#endif
