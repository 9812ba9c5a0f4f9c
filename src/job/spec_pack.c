/*
 * The stored form of a spec. Numbers are zigzag varints, texts their bytes, lists their
 * elements each ended by NUL. Only what is set is stored: a job that gives a command
 * and a name takes a few bytes more than those.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "job/spec.h"
#include "job/value_priv.h"

#define VARINT_MAX 10

static size_t varint_put(char *out, uint64_t n)
{
	size_t len = 0;

	for (; n >= 0x80; n >>= 7)
		out[len++] = (char)(n | 0x80);
	out[len++] = (char)n;
	return len;
}

static int varint_append(struct buf *out, uint64_t n)
{
	char bytes[VARINT_MAX];

	return buf_append(out, bytes, varint_put(bytes, n));
}

struct reader {
	const unsigned char *p, *end;
};

static int varint_get(uint64_t *ret, struct reader *rd)
{
	uint64_t n = 0;

	for (unsigned shift = 0; rd->p < rd->end && shift < 64; shift += 7) {
		unsigned char c = *rd->p++;

		if (shift == 63 && c > 1)
			break;
		n |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*ret = n;
			return 0;
		}
	}
	return -RV_ECORRUPT;
}

static uint64_t zigzag(int64_t n)
{
	return ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t n)
{
	return (int64_t)((n >> 1) ^ (n & 1 ? UINT64_MAX : 0));
}

static int pack_strv(struct buf *out, char *const *v)
{
	size_t n = 0;
	int r;

	STRV_FOREACH(s, v)
		n += strlen(*s) + 1;
	r = varint_append(out, n);
	STRV_FOREACH(s, v) {
		if (r < 0)
			return r;
		r = buf_append(out, *s, strlen(*s) + 1);
	}
	return r;
}

static int pack_field(struct buf *out, enum job_field f, const union job_value *v)
{
	char num[VARINT_MAX];
	size_t n;
	int r;

	r = varint_append(out, job_field_info[f].tag);
	if (r < 0)
		return r;
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM:
		n = varint_put(num, zigzag(v->num));
		r = varint_append(out, n);
		return r < 0 ? r : buf_append(out, num, n);
	case JOB_SHAPE_STR:
		n = strlen(v->str);
		r = varint_append(out, n);
		return r < 0 ? r : buf_append(out, v->str, n);
	default: return pack_strv(out, v->strv);
	}
}

int job_spec_pack(void **ret, size_t *ret_len, const struct job_spec *s)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;
	size_t n;
	char *p;

	for (uint64_t todo = s->set; todo; todo &= todo - 1) {
		enum job_field f = (enum job_field)__builtin_ctzll(todo);
		int r = pack_field(&out, f, &s->v[f]);

		if (r < 0)
			return r;
	}
	/* exact: what a buffer keeps in reserve would be kept a million times */
	n = buf_len(&out);
	p = malloc(n ? n : 1);
	if (!p)
		return -ENOMEM;
	memcpy(p, buf_head(&out), n);
	*ret = p;
	*ret_len = n;
	return 0;
}

/* The head of the next field. 1, 0 at the end, -RV_ECORRUPT. Tags rise, so that a field
 * is there once and in one place. */
static int next_field(uint64_t *ret_tag, struct reader *ret_body, struct reader *rd,
	uint64_t last_tag)
{
	uint64_t tag, len;

	if (rd->p == rd->end)
		return 0;
	if (varint_get(&tag, rd) < 0 || varint_get(&len, rd) < 0 || tag <= last_tag ||
		len > (uint64_t)(rd->end - rd->p))
		return -RV_ECORRUPT;
	*ret_tag = tag;
	*ret_body = (struct reader){rd->p, rd->p + len};
	rd->p += len;
	return 1;
}

static int unpack_num(int64_t *ret, enum job_field f, struct reader *body)
{
	const char *const *words = job_type_words(job_field_info[f].type);
	uint64_t raw, n_words = 0;

	if (varint_get(&raw, body) < 0 || body->p != body->end)
		return -RV_ECORRUPT;
	while (words && words[n_words])
		n_words++;
	/* indexes of tables: must be right whatever the disk says */
	if (words && (unzigzag(raw) < 0 || (uint64_t)unzigzag(raw) >= n_words))
		return -RV_ECORRUPT;
	*ret = unzigzag(raw);
	return 0;
}

static int unpack_str(char **ret, const struct reader *body)
{
	size_t n = (size_t)(body->end - body->p);
	char *s;

	if (memchr(body->p, '\0', n))
		return -RV_ECORRUPT;
	s = malloc(n + 1);
	if (!s)
		return -ENOMEM;
	memcpy(s, body->p, n);
	s[n] = '\0';
	*ret = s;
	return 0;
}

static int unpack_strv(char ***ret, const struct reader *body)
{
	_cleanup_(strv_freep) char **v = NULL;
	size_t n = 0;

	if (body->p == body->end) {
		*ret = NULL;
		return 0;
	}
	if (body->end[-1] != '\0')
		return -RV_ECORRUPT;
	for (const unsigned char *p = body->p; p < body->end; p++)
		n += *p == '\0';
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	n = 0;
	for (const char *p = (const char *)body->p; p < (const char *)body->end; n++) {
		size_t len = strlen(p) + 1;

		v[n] = malloc(len);
		if (!v[n])
			return -ENOMEM;
		memcpy(v[n], p, len);
		p += len;
	}
	*ret = TAKE_PTR(v);
	return 0;
}

static int unpack_field(struct job_spec *s, uint64_t tag, struct reader *body)
{
	int f = tag <= UINT32_MAX ? job_field_by_tag((unsigned)tag) : -ENOENT;
	union job_value v;
	int r;

	if (f < 0)
		return -RV_EVERSION;
	switch (job_type_shape(job_field_info[f].type)) {
	case JOB_SHAPE_NUM: r = unpack_num(&v.num, (enum job_field)f, body); break;
	case JOB_SHAPE_STR: r = unpack_str(&v.str, body); break;
	default: r = unpack_strv(&v.strv, body); break;
	}
	if (r < 0)
		return r;
	s->v[f] = v;
	s->set |= UINT64_C(1) << f;
	return 0;
}

int job_spec_unpack(struct job_spec *ret, const void *p, size_t n)
{
	struct reader rd = {p, (const unsigned char *)p + n}, body;
	struct job_spec s;
	uint64_t tag = 0;
	int r;

	job_spec_init(&s);
	while ((r = next_field(&tag, &body, &rd, tag)) > 0) {
		r = unpack_field(&s, tag, &body);
		if (r < 0)
			break;
	}
	if (r < 0)
		job_spec_deinit(&s);
	else
		*ret = s;
	return r;
}

static int peek(struct reader *ret_body, const void *p, size_t n, enum job_field f)
{
	struct reader rd = {p, (const unsigned char *)p + n};
	uint64_t tag = 0;
	int r;

	while ((r = next_field(&tag, ret_body, &rd, tag)) > 0) {
		if (tag == job_field_info[f].tag)
			return 1;
		if (tag > job_field_info[f].tag)
			return 0;
	}
	return r;
}

int job_spec_peek_str(
	const char **ret, size_t *ret_len, const void *p, size_t n, enum job_field f)
{
	struct reader body;
	int r = peek(&body, p, n, f);

	if (r > 0) {
		*ret = (const char *)body.p;
		*ret_len = (size_t)(body.end - body.p);
	}
	return r;
}

int job_spec_peek_num(int64_t *ret, const void *p, size_t n, enum job_field f)
{
	struct reader body;
	int r = peek(&body, p, n, f);

	if (r > 0 && unpack_num(ret, f, &body) < 0)
		return -RV_ECORRUPT;
	return r;
}
