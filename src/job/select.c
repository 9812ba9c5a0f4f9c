#include "job/select.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/strv.h"
#include "job/asks.h"
#include "job/value_priv.h"

void job_select_deinit(struct job_select *sel)
{
	free(sel->ids);
	strv_free(sel->pools);
	strv_free(sel->labels);
	free(sel->name_glob);
	free(sel->schedule);
	free(sel->service);
	*sel = (struct job_select){0};
}

static int id_parse(uint64_t *ret, const char *text, size_t n)
{
	char digits[24];

	/* parse_u64 may take more forms of a number than an id has */
	if (n == 0 || n >= sizeof(digits) || strspn(text, "0123456789") < n)
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return parse_u64(ret, digits, 1, UINT64_MAX);
}

int job_id_range_parse(struct job_id_range *ret, const char *text, char **err)
{
	const char *dash = strchr(text, '-');
	struct job_id_range range;
	int r;

	if (err)
		*err = NULL;
	r = id_parse(&range.first, text, dash ? (size_t)(dash - text) : strlen(text));
	range.last = range.first;
	if (r >= 0 && dash)
		r = id_parse(&range.last, dash + 1, strlen(dash + 1));
	if (r < 0)
		return job_err(err, -EINVAL,
			"not an id or a range of ids such as 3-9: %s", QUOTED(text));
	if (range.first > range.last)
		return job_err(
			err, -EINVAL, "range ends before it begins: %s", QUOTED(text));
	*ret = range;
	return 0;
}

int job_select_add_ids(struct job_select *sel, struct job_id_range range)
{
	INVARIANT(range.first > 0 && range.first <= range.last);
	/* grows at every power of two */
	if ((sel->n_ids & (sel->n_ids - 1)) == 0) {
		size_t n_max = sel->n_ids ? sel->n_ids * 2 : 1;
		struct job_id_range *ids = reallocarray(sel->ids, n_max, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		sel->ids = ids;
	}
	sel->ids[sel->n_ids++] = range;
	return 0;
}

static int range_compare(const void *a, const void *b)
{
	uint64_t x = ((const struct job_id_range *)a)->first;
	uint64_t y = ((const struct job_id_range *)b)->first;

	return (x > y) - (x < y);
}

void job_select_prepare(struct job_select *sel)
{
	size_t n = 0;

	if (sel->n_ids == 0)
		return;
	qsort(sel->ids, sel->n_ids, sizeof(*sel->ids), range_compare);
	for (size_t i = 1; i < sel->n_ids; i++) {
		struct job_id_range *last = &sel->ids[n];

		/* neighbours too: the CLI sends ranges, and ids come one by one */
		if (sel->ids[i].first - 1 <= last->last)
			last->last = MAX(last->last, sel->ids[i].last);
		else
			sel->ids[++n] = sel->ids[i];
	}
	/* the allocation may stay larger than job_select_add_ids believes: it then only
	 * reallocates earlier than needed */
	sel->n_ids = n + 1;
}

bool job_select_is_empty(const struct job_select *sel)
{
	return sel->n_ids == 0 && !sel->all && !sel->states && !sel->results &&
	       !sel->pools && !sel->labels && !sel->name_glob && !sel->schedule &&
	       !sel->service && !sel->since_usec;
}

static int range_find(const void *key, const void *element)
{
	uint64_t id = *(const uint64_t *)key;
	const struct job_id_range *range = element;

	if (id < range->first)
		return -1;
	return id > range->last;
}

static bool has_all_labels(char *const *labels, char *const *wanted)
{
	STRV_FOREACH(w, wanted) {
		bool found = false;

		STRV_FOREACH(l, labels)
			found = found || STREQ(*l, *w);
		if (!found)
			return false;
	}
	return true;
}

static bool has_a_pool(const char *pools, char *const *wanted)
{
	STRV_FOREACH(w, wanted)
		if (job_pools_has(pools, *w))
			return true;
	return false;
}

bool job_select_matches(const struct job_select *sel, const struct job_facts *facts)
{
	if (job_select_is_empty(sel))
		return false;
	/* the cheap and the telling ones first: this runs over a million jobs */
	if (!sel->any_uid && facts->uid != sel->uid)
		return false;
	if (sel->states && !(sel->states >> facts->state & 1))
		return false;
	/* an unfinished job has the result of its last run, not one of its own */
	if (sel->results &&
		(facts->state != JOB_FINISHED || !(sel->results >> facts->result & 1)))
		return false;
	if (sel->since_usec && facts->submitted_usec < sel->since_usec &&
		facts->finished_usec < sel->since_usec)
		return false;
	if (sel->n_ids && !bsearch(&facts->id, sel->ids, sel->n_ids, sizeof(*sel->ids),
				  range_find))
		return false;
	if ((sel->no_schedule && facts->schedule) ||
		(sel->no_service && facts->service))
		return false;
	if (sel->no_callbacks && facts->callback)
		return false;
	if (sel->schedule &&
		!(facts->schedule && STREQ(facts->schedule, sel->schedule)))
		return false;
	if (sel->service && !(facts->service && STREQ(facts->service, sel->service)))
		return false;
	if (sel->pools && !has_a_pool(facts->pools, sel->pools))
		return false;
	if (sel->labels && !has_all_labels(facts->labels, sel->labels))
		return false;
	return !sel->name_glob ||
	       (facts->name && fnmatch(sel->name_glob, facts->name, 0) == 0);
}

bool job_name_prefers(const struct job_facts *a, const struct job_facts *b)
{
	bool a_finished = a->state == JOB_FINISHED,
	     b_finished = b->state == JOB_FINISHED;

	if (a_finished != b_finished)
		return b_finished;
	return a->id > b->id;
}
