#include "config.h"

#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/zone_priv.h"

struct zone *zone_new(const char *name)
{
	struct zone *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->n_refs = 1;
	z->name = strdup(name);
	return z->name ? z : zone_unref(z);
}

struct zone *zone_ref(struct zone *z)
{
	__atomic_add_fetch(&z->n_refs, 1, __ATOMIC_RELAXED);
	return z;
}

struct zone *zone_unref(struct zone *z)
{
	if (!z || __atomic_sub_fetch(&z->n_refs, 1, __ATOMIC_ACQ_REL) > 0)
		return NULL;
	free(z->name);
	free(z->types);
	free(z->changes);
	free(z);
	return NULL;
}

const char *zone_name(const struct zone *z)
{
	return z->name;
}

int zone_from_rule(struct zone **ret, const char *rule)
{
	_cleanup_(zone_unrefp) struct zone *z = zone_new(rule);

	if (!z)
		return -ENOMEM;
	if (zone_rule_parse(&z->rule, rule, strlen(rule)) < 0)
		return -EINVAL;
	z->has_rule = true;
	*ret = TAKE_PTR(z);
	return 0;
}

static int zone_utc(struct zone **ret)
{
	int r = zone_from_rule(ret, "UTC0");

	if (r == 0)
		(*ret)->name[3] = '\0';
	return r;
}

/* no dots at all: nothing leads out of the directory */
static bool name_is_safe(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > ZONE_NAME_MAX || name[0] == '/' || name[n - 1] == '/' ||
		strstr(name, "//"))
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789+-_/") == n;
}

static int load_file(struct zone **ret, const char *name, const char *path)
{
	_cleanup_(buf_deinitp) struct buf data = BUF_NULL;
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r;

	/* a FIFO would keep us waiting, a directory is no zone ("Europe") */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	r = fd_read_to_end(&data, fd, ZONE_FILE_MAX);
	return r < 0 ? r : zone_parse(ret, name, buf_head(&data), buf_len(&data));
}

int zone_load(struct zone **ret, const char *name)
{
	char path[sizeof(ZONE_DIR) + 1 + ZONE_NAME_MAX];

	if (!name_is_safe(name))
		return -EINVAL;
	if (strcasecmp(name, "UTC") == 0)
		return zone_utc(ret);
	snprintf(path, sizeof(path), "%s/%s", ZONE_DIR, name);
	return load_file(ret, name, path);
}

/* the name of what /etc/localtime is a link to, else "localtime" */
static void name_of_local(char *ret, size_t size)
{
	char target[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	const char *name = NULL;

	if (n > 0) {
		target[n] = '\0';
		name = strstr(target, "/zoneinfo/");
	}
	snprintf(ret, size, "%s",
		name && strlen(name) < size ? name + strlen("/zoneinfo/")
					    : "localtime");
}

static int load_from_env(struct zone **ret, const char *tz)
{
	int r;

	if (*tz == ':')
		tz++;
	if (*tz == '\0')
		return zone_utc(ret);
	if (*tz == '/')
		return load_file(ret, tz, tz);
	r = zone_load(ret, tz);
	if (r < 0 && r != -ENOMEM)
		r = zone_from_rule(ret, tz);
	return r;
}

int zone_load_local(struct zone **ret)
{
	const char *tz = getenv("TZ");
	char name[ZONE_NAME_MAX + 1];
	int r;

	if (tz) {
		r = load_from_env(ret, tz);
	} else {
		name_of_local(name, sizeof(name));
		r = load_file(ret, name, "/etc/localtime");
	}
	return r == 0 || r == -ENOMEM ? r : zone_utc(ret);
}

/* changes that are at or before sec */
static size_t n_changes_until(const struct zone *z, int64_t sec)
{
	size_t low = 0, high = z->n_changes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->changes[mid].sec <= sec)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void zone_span_at(struct zone_span *ret, const struct zone *z, int64_t sec)
{
	size_t n = n_changes_until(z, sec);
	int64_t begin = n > 0 ? z->changes[n - 1].sec : INT64_MIN;
	const struct zone_type *t;

	if (n == z->n_changes && z->has_rule) {
		zone_rule_span_at(ret, &z->rule, sec, begin);
		return;
	}
	t = &z->types[n > 0 ? z->changes[n - 1].type : 0];
	*ret = (struct zone_span){
		.begin = begin,
		.end = n < z->n_changes ? z->changes[n].sec : INT64_MAX,
		.offset = t->offset,
		.is_dst = t->is_dst,
		.abbrev = t->abbrev,
	};
}

const char *zone_abbrev(const struct zone *z, bool is_dst)
{
	if (z->has_rule && !is_dst)
		return z->rule.std.abbrev;
	if (z->has_rule && z->rule.has_dst)
		return z->rule.dst.abbrev;
	for (size_t i = z->n_changes; i > 0; i--) {
		const struct zone_type *t = &z->types[z->changes[i - 1].type];

		if (t->is_dst == is_dst)
			return t->abbrev;
	}
	return !z->has_rule && z->types[0].is_dst == is_dst ? z->types[0].abbrev : NULL;
}

bool zone_has_abbrev(const struct zone *z, const char *word, bool *ret_is_dst)
{
	for (int is_dst = 0; is_dst <= 1; is_dst++) {
		const char *abbrev = zone_abbrev(z, is_dst);

		if (abbrev && strcasecmp(abbrev, word) == 0) {
			*ret_is_dst = is_dst;
			return true;
		}
	}
	return false;
}

int64_t zone_to_wall(const struct zone *z, int64_t usec)
{
	struct zone_span span;

	zone_span_at(&span, z, floor_div(usec, USEC_PER_SEC));
	return usec + span.offset * USEC_PER_SEC;
}

int64_t zone_from_wall(const struct zone *z, int64_t wall_usec)
{
	int64_t wall = floor_div(wall_usec, USEC_PER_SEC), sec;
	int32_t before;
	struct zone_span span;

	/* nothing that shows this time lies earlier */
	zone_span_at(&span, z, wall - ZONE_OFFSET_MAX);
	before = span.offset;
	for (;;) {
		sec = wall - span.offset;
		if (sec < span.begin) /* skipped: as if clocks had not been changed */
			return wall_usec - before * USEC_PER_SEC;
		if (sec < span.end || span.end == INT64_MAX)
			return wall_usec - span.offset * USEC_PER_SEC;
		before = span.offset;
		zone_span_at(&span, z, span.end);
	}
}

void zone_cache_deinit(struct zone_cache *cache)
{
	for (size_t i = 0; i < cache->n; i++)
		zone_unref(cache->zones[i]);
	free(cache->zones);
	*cache = (struct zone_cache)ZONE_CACHE_NULL;
}

static int cache_grow(struct zone_cache *cache)
{
	size_t n_max = cache->n_max > 0 ? cache->n_max * 2 : 4;
	struct zone **zones;

	if (cache->n < cache->n_max)
		return 0;
	zones = reallocarray(cache->zones, n_max, sizeof(struct zone *));
	if (!zones)
		return -ENOMEM;
	cache->zones = zones;
	cache->n_max = n_max;
	return 0;
}

int zone_get(struct zone **ret, struct zone_cache *cache, const char *name)
{
	size_t low = 0, high = cache ? cache->n : 0;
	struct zone *z;
	int r;

	while (low < high) { /* sorted by name */
		size_t mid = low + (high - low) / 2;
		int diff = strcmp(cache->zones[mid]->name, name);

		if (diff == 0) {
			*ret = zone_ref(cache->zones[mid]);
			return 0;
		}
		if (diff < 0)
			low = mid + 1;
		else
			high = mid;
	}
	r = zone_load(&z, name);
	if (r < 0)
		return r;
	*ret = z;
	/* "utc" is "UTC": sorted by what it is asked for no more, so left out */
	if (!cache || cache->n >= ZONE_CACHE_MAX || !STREQ(z->name, name))
		return 0;
	if (cache_grow(cache) < 0)
		return 0; /* without keeping it */
	memmove(cache->zones + low + 1, cache->zones + low,
		(cache->n - low) * sizeof(struct zone *));
	cache->zones[low] = zone_ref(z);
	cache->n++;
	return 0;
}
