/* Framing, integers and the small records. wire_start.c has the big one. */
#include "config.h"

#include "spawn/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"

static void encode_le(uint8_t *out, uint64_t v, size_t n_bytes)
{
	for (size_t i = 0; i < n_bytes; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

void wire_begin(
	struct wire_writer *w, struct buf *b, enum wire_type type, uint16_t n_fds)
{
	*w = (struct wire_writer){.b = b, .start = buf_len(b)};
	wire_put(w, 0, 4); /* the length, set by wire_end */
	wire_put(w, type, 2);
	wire_put(w, n_fds, 2);
}

void wire_put_bytes(struct wire_writer *w, const void *p, size_t n)
{
	if (w->error == 0 && n > 0)
		w->error = buf_append(w->b, p, n);
}

void wire_put(struct wire_writer *w, uint64_t v, size_t n_bytes)
{
	uint8_t bytes[8];

	INVARIANT(n_bytes >= 1 && n_bytes <= sizeof(bytes));
	encode_le(bytes, v, n_bytes);
	wire_put_bytes(w, bytes, n_bytes);
}

void wire_put_str(struct wire_writer *w, const char *s)
{
	size_t n = s ? strlen(s) : 0;

	if (n > UINT16_MAX) {
		w->error = w->error ? w->error : -EMSGSIZE;
		return;
	}
	wire_put(w, n, 2);
	wire_put_bytes(w, s ? s : "", n + 1);
}

int wire_end(struct wire_writer *w)
{
	size_t len = buf_len(w->b) - w->start;

	if (w->error == 0 && len > SPAWN_MESSAGE_MAX)
		w->error = -EMSGSIZE;
	if (w->error < 0) {
		w->b->end -= len;
		return w->error;
	}
	encode_le((uint8_t *)buf_head(w->b) + w->start, len, 4);
	return (int)len;
}

const void *wire_get_bytes(struct wire_reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint64_t wire_get(struct wire_reader *r, size_t n_bytes)
{
	const uint8_t *p = wire_get_bytes(r, n_bytes);
	uint64_t v = 0;

	if (!p)
		return 0;
	for (size_t i = 0; i < n_bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

const char *wire_get_str(struct wire_reader *r, size_t max)
{
	size_t n = wire_get(r, 2);
	const char *s = wire_get_bytes(r, n + 1);

	if (!s)
		return "";
	if (n > max || s[n] != '\0' || memchr(s, 0, n)) {
		r->bad = true;
		return "";
	}
	return s;
}

int wire_done(const struct wire_reader *r)
{
	return r->bad || r->left > 0 ? -RV_EPROTOCOL : 0;
}

int wire_next(struct wire_reader *packet, struct wire_record *ret)
{
	uint64_t len;

	if (packet->left == 0)
		return 0;
	len = wire_get(packet, 4);
	ret->type = (uint16_t)wire_get(packet, 2);
	ret->n_fds = (uint16_t)wire_get(packet, 2);
	if (packet->bad || len < WIRE_HEADER_LEN ||
		len - WIRE_HEADER_LEN > packet->left)
		return -RV_EPROTOCOL;
	ret->body = (struct wire_reader){packet->p, len - WIRE_HEADER_LEN, false};
	packet->p += ret->body.left;
	packet->left -= ret->body.left;
	return 1;
}

int wire_packet_check(const void *p, size_t n, size_t n_fds)
{
	struct wire_reader packet = {p, n, false};
	struct wire_record rec;
	size_t n_found = 0;
	int r;

	if (n == 0 || n > SPAWN_MESSAGE_MAX)
		return -RV_EPROTOCOL;
	while ((r = wire_next(&packet, &rec)) > 0)
		n_found += rec.n_fds;
	if (r < 0)
		return r;
	return n_found == n_fds ? 0 : -RV_EPROTOCOL;
}

void wire_put_token(struct wire_writer *w, const struct spawn_token *t)
{
	wire_put(w, t->job_id, 8);
	wire_put(w, t->run_no, 4);
	wire_put(w, t->epoch, 8);
}

void wire_get_token(struct wire_reader *r, struct spawn_token *ret)
{
	ret->job_id = wire_get(r, 8);
	ret->run_no = (uint32_t)wire_get(r, 4);
	ret->epoch = wire_get(r, 8);
}

int wire_encode_run(struct buf *b, enum wire_run_reason reason,
	const struct spawn_run_info *info, uint16_t n_fds)
{
	const struct spawn_usage *u = &info->usage;
	const int64_t usage[] = {u->utime_usec, u->stime_usec, u->maxrss_kib, u->minflt,
		u->majflt, u->inblock, u->oublock, u->nvcsw, u->nivcsw};
	struct wire_writer w;

	wire_begin(&w, b, WIRE_RUN, n_fds);
	wire_put(&w, reason, 1);
	wire_put_token(&w, &info->token);
	wire_put(&w, info->state, 1);
	wire_put(&w, info->flags, 4);
	wire_put(&w, (uint32_t)info->pid, 4);
	wire_put(&w, info->start_time, 8);
	wire_put(&w, (uint64_t)info->started_boot, 8);
	wire_put(&w, (uint64_t)info->ended_boot, 8);
	wire_put(&w, (uint64_t)info->started_usec, 8);
	wire_put(&w, (uint64_t)info->ended_usec, 8);
	wire_put(&w, (uint32_t)info->status, 4);
	wire_put(&w, info->leftovers, 4);
	for (size_t i = 0; i < ARRAY_LEN(usage); i++)
		wire_put(&w, (uint64_t)usage[i], 8);
	wire_put(&w, (uint32_t)info->error, 4);
	wire_put(&w, info->step, 2);
	return wire_end(&w);
}

int wire_decode_run(struct wire_reader *r, enum wire_run_reason *ret_reason,
	struct spawn_run_info *ret)
{
	struct spawn_run_info info = {0};
	struct spawn_usage *u = &info.usage;
	int64_t *const usage[] = {&u->utime_usec, &u->stime_usec, &u->maxrss_kib,
		&u->minflt, &u->majflt, &u->inblock, &u->oublock, &u->nvcsw,
		&u->nivcsw};
	uint64_t reason = wire_get(r, 1), state;

	wire_get_token(r, &info.token);
	state = wire_get(r, 1);
	info.flags = (uint32_t)wire_get(r, 4);
	info.pid = (int32_t)wire_get(r, 4);
	info.start_time = wire_get(r, 8);
	info.started_boot = (rv_time)wire_get(r, 8);
	info.ended_boot = (rv_time)wire_get(r, 8);
	info.started_usec = (int64_t)wire_get(r, 8);
	info.ended_usec = (int64_t)wire_get(r, 8);
	info.status = (int32_t)wire_get(r, 4);
	info.leftovers = (uint32_t)wire_get(r, 4);
	for (size_t i = 0; i < ARRAY_LEN(usage); i++)
		*usage[i] = (int64_t)wire_get(r, 8);
	info.error = (int32_t)wire_get(r, 4);
	/* a step this build does not know keeps its number: it is only shown */
	info.step = (enum spawn_step)wire_get(r, 2);
	if (reason > WIRE_RUN_READY || state > SPAWN_RUN_FAILED || info.pid < 0)
		return -RV_EPROTOCOL;
	info.state = (enum spawn_run_state)state;
	*ret_reason = (enum wire_run_reason)reason;
	*ret = info;
	return wire_done(r);
}

int wire_encode_hello(struct buf *b, const struct wire_hello *h)
{
	struct wire_writer w;

	wire_begin(&w, b, WIRE_HELLO, 0);
	wire_put(&w, h->version, 4);
	wire_put_bytes(&w, h->instance, SPAWN_ID_LEN);
	wire_put_bytes(&w, h->boot_id, SPAWN_ID_LEN);
	wire_put(&w, (uint32_t)h->pid, 4);
	return wire_end(&w);
}

static void get_id(struct wire_reader *r, char out[SPAWN_ID_LEN + 1])
{
	const char *p = wire_get_bytes(r, SPAWN_ID_LEN);

	out[0] = '\0';
	if (!p)
		return;
	for (size_t i = 0; i < SPAWN_ID_LEN; i++)
		if (!strchr("0123456789abcdef", p[i]) || p[i] == '\0')
			r->bad = true;
	memcpy(out, p, SPAWN_ID_LEN);
	out[SPAWN_ID_LEN] = '\0';
}

int wire_decode_hello(struct wire_reader *r, struct wire_hello *ret)
{
	struct wire_hello h = {0};

	h.version = (uint32_t)wire_get(r, 4);
	get_id(r, h.instance);
	get_id(r, h.boot_id);
	h.pid = (int32_t)wire_get(r, 4);
	if (h.pid <= 0)
		return -RV_EPROTOCOL;
	*ret = h;
	return wire_done(r);
}

int wire_encode_op(struct buf *b, const struct wire_op *op)
{
	struct wire_writer w;

	wire_begin(&w, b, op->type, 0);
	wire_put(&w, op->seq, 4);
	wire_put_token(&w, &op->token);
	if (op->type == WIRE_SIGNAL || op->type == WIRE_STOP) {
		wire_put(&w, op->signal, 1);
		wire_put(&w, op->main_only, 1);
	}
	if (op->type == WIRE_STOP)
		wire_put(&w, (uint64_t)op->grace, 8);
	return wire_end(&w);
}

int wire_decode_op(struct wire_reader *r, enum wire_type type, struct wire_op *ret)
{
	struct wire_op op = {.type = type};
	uint64_t main_only = 0;

	op.seq = (uint32_t)wire_get(r, 4);
	wire_get_token(r, &op.token);
	if (type == WIRE_SIGNAL || type == WIRE_STOP) {
		op.signal = (uint8_t)wire_get(r, 1);
		main_only = wire_get(r, 1);
		if (op.signal < 1 || op.signal > 64)
			return -RV_EPROTOCOL;
	}
	if (type == WIRE_STOP)
		op.grace = (rv_time)wire_get(r, 8);
	if (main_only > 1 || op.grace < 0)
		return -RV_EPROTOCOL;
	op.main_only = main_only;
	*ret = op;
	return wire_done(r);
}

int wire_encode_said(struct buf *b, enum wire_type type, const struct spawn_token *t,
	const char *text)
{
	struct wire_writer w;

	if (strlen(text) > SPAWN_SAID_MAX)
		return -EINVAL;
	wire_begin(&w, b, type, 0);
	wire_put_token(&w, t);
	wire_put_str(&w, text);
	return wire_end(&w);
}

int wire_decode_said(
	struct wire_reader *r, struct spawn_token *ret, const char **ret_text)
{
	wire_get_token(r, ret);
	*ret_text = wire_get_str(r, SPAWN_SAID_MAX);
	return wire_done(r);
}

int wire_encode_result(struct buf *b, const struct wire_result *res)
{
	struct wire_writer w;

	wire_begin(&w, b, WIRE_RESULT, 0);
	wire_put(&w, res->seq, 4);
	wire_put_token(&w, &res->token);
	wire_put(&w, (uint32_t)res->error, 4);
	return wire_end(&w);
}

int wire_decode_result(struct wire_reader *r, struct wire_result *ret)
{
	ret->seq = (uint32_t)wire_get(r, 4);
	wire_get_token(r, &ret->token);
	ret->error = (int32_t)wire_get(r, 4);
	return wire_done(r);
}

int wire_encode_orphan(struct buf *b, const struct spawn_orphan *o)
{
	struct wire_writer w;

	wire_begin(&w, b, WIRE_ORPHAN, 0);
	wire_put(&w, (uint32_t)o->pid, 4);
	wire_put(&w, o->start_time, 8);
	wire_put_token(&w, &o->token);
	wire_put_str(&w, o->comm);
	return wire_end(&w);
}

int wire_decode_orphan(struct wire_reader *r, struct spawn_orphan *ret)
{
	struct spawn_orphan o = {0};

	o.pid = (int32_t)wire_get(r, 4);
	o.start_time = wire_get(r, 8);
	wire_get_token(r, &o.token);
	snprintf(o.comm, sizeof(o.comm), "%s", wire_get_str(r, sizeof(o.comm) - 1));
	*ret = o;
	return wire_done(r);
}
