/* The files of the time zone database: TZif, RFC 8536. Version 1 has times of 32 bits; later
 * ones repeat the data with 64 and add a rule for the years behind the last change. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/zone_priv.h"

#define HEADER_SIZE 44

struct header {
	char version;
	size_t n_isut, n_isstd, n_leaps, n_times, n_types, n_chars;
};

struct input {
	const uint8_t *p;
	size_t left;
};

/* n bytes, or NULL */
static const uint8_t *take(struct input *in, size_t n)
{
	const uint8_t *p = in->p;

	if (in->left < n)
		return NULL;
	in->p += n;
	in->left -= n;
	return p;
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t get_time(const uint8_t *p, size_t time_size)
{
	if (time_size == 4)
		return (int32_t)get_u32(p);
	return (int64_t)((uint64_t)get_u32(p) << 32 | get_u32(p + 4));
}

static int take_header(struct header *ret, struct input *in)
{
	const uint8_t *p = take(in, HEADER_SIZE);

	if (!p || memcmp(p, "TZif", 4) != 0)
		return -RV_ECORRUPT;
	*ret = (struct header){
		.version = (char)p[4],
		.n_isut = get_u32(p + 20),
		.n_isstd = get_u32(p + 24),
		.n_leaps = get_u32(p + 28),
		.n_times = get_u32(p + 32),
		.n_types = get_u32(p + 36),
		.n_chars = get_u32(p + 40),
	};
	/* numbers that cannot be, before sizes are made of them */
	if (ret->n_times > ZONE_CHANGES_MAX || ret->n_types < 1 || ret->n_types > 256 ||
		ret->n_chars < 1 || ret->n_chars > 4096 || ret->n_leaps > 4096 ||
		ret->n_isut > ret->n_types || ret->n_isstd > ret->n_types)
		return -RV_ECORRUPT;
	return 0;
}

static size_t data_size(const struct header *h, size_t time_size)
{
	return h->n_times * (time_size + 1) + h->n_types * 6 + h->n_chars +
	       h->n_leaps * (time_size + 4) + h->n_isstd + h->n_isut;
}

static int read_types(
	struct zone *z, const struct header *h, const uint8_t *types, const char *chars)
{
	z->types = calloc(h->n_types, sizeof(*z->types));
	if (!z->types)
		return -ENOMEM;
	z->n_types = h->n_types;
	for (size_t i = 0; i < h->n_types; i++) {
		const uint8_t *p = types + i * 6;
		struct zone_type *t = &z->types[i];
		size_t at = p[5], n;

		t->offset = (int32_t)get_u32(p);
		t->is_dst = p[4];
		if (p[4] > 1 || at >= h->n_chars || t->offset <= -ZONE_OFFSET_MAX ||
			t->offset >= ZONE_OFFSET_MAX)
			return -RV_ECORRUPT;
		n = strnlen(chars + at, h->n_chars - at);
		if (n == h->n_chars - at)
			return -RV_ECORRUPT;
		n = MIN(n, sizeof(t->abbrev) - 1);
		memcpy(t->abbrev, chars + at, n);
	}
	return 0;
}

static int read_changes(struct zone *z, const struct header *h, const uint8_t *times,
	const uint8_t *indices, size_t time_size)
{
	if (h->n_times == 0)
		return 0;
	z->changes = calloc(h->n_times, sizeof(*z->changes));
	if (!z->changes)
		return -ENOMEM;
	for (size_t i = 0; i < h->n_times; i++) {
		struct zone_change *c = &z->changes[i];

		c->sec = get_time(times + i * time_size, time_size);
		c->type = indices[i];
		if (c->type >= h->n_types || (i > 0 && c->sec <= c[-1].sec))
			return -RV_ECORRUPT;
	}
	z->n_changes = h->n_times;
	return 0;
}

static int read_data(
	struct zone *z, struct input *in, const struct header *h, size_t time_size)
{
	const uint8_t *p = take(in, data_size(h, time_size));
	const uint8_t *indices, *types;
	int r;

	if (!p)
		return -RV_ECORRUPT;
	if (h->n_leaps > 0)
		return -ENOTSUP;
	indices = p + h->n_times * time_size;
	types = indices + h->n_times;
	r = read_types(z, h, types, (const char *)types + h->n_types * 6);
	return r < 0 ? r : read_changes(z, h, p, indices, time_size);
}

/* between two line ends; empty where no rule is known */
static int read_footer(struct zone *z, struct input *in)
{
	const uint8_t *begin = take(in, 1), *end;

	if (!begin || *begin != '\n')
		return -RV_ECORRUPT;
	begin++;
	end = in->left > 0 ? memchr(begin, '\n', in->left) : NULL;
	if (!end)
		return -RV_ECORRUPT;
	if (end == begin)
		return 0;
	if (zone_rule_parse(&z->rule, (const char *)begin, (size_t)(end - begin)) < 0)
		return -RV_ECORRUPT;
	z->has_rule = true;
	return 0;
}

int zone_parse(struct zone **ret, const char *name, const void *data, size_t size)
{
	_cleanup_(zone_unrefp) struct zone *z = zone_new(name);
	struct input in = {data, size};
	struct header h;
	int r;

	if (!z)
		return -ENOMEM;
	r = take_header(&h, &in);
	if (r >= 0 && h.version == '\0') {
		r = read_data(z, &in, &h, 4);
	} else if (r >= 0) {
		if (!take(&in, data_size(&h, 4)))
			return -RV_ECORRUPT;
		r = take_header(&h, &in);
		if (r >= 0)
			r = read_data(z, &in, &h, 8);
		if (r >= 0)
			r = read_footer(z, &in);
	}
	if (r < 0)
		return r;
	*ret = TAKE_PTR(z);
	return 0;
}
