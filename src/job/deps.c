#include "job/deps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/invariant.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "job/spec.h"

const enum job_field dep_field[DEP_KIND_N] = {
	[DEP_AFTER] = JOB_FIELD_AFTER,
	[DEP_AFTER_ANY] = JOB_FIELD_AFTER_ANY,
	[DEP_AFTER_FAILURE] = JOB_FIELD_AFTER_FAILURE,
};

/* ---- elements as text --------------------------------------------------------------- */

enum { PART_MAX = 65 }; /* of a label with its '@' */

int dep_ref_next(struct dep_ref *ret, const char **at)
{
	char part[PART_MAX + 1];
	size_t n;

	if (!*at)
		return 0;
	n = strcspn(*at, "|");
	if (n == 0 || n > PART_MAX)
		return -EINVAL;
	memcpy(part, *at, n);
	part[n] = '\0';
	*at = (*at)[n] ? *at + n + 1 : NULL;
	if (parse_u64(&ret->number, part, 1, INT64_MAX) >= 0) {
		ret->kind = DEP_REF_ID;
		return 1;
	}
	if (part[0] == '#') {
		ret->kind = DEP_REF_INDEX;
		return parse_u64(&ret->number, part + 1, 0, INT32_MAX) < 0 ? -EINVAL
									   : 1;
	}
	ret->kind = part[0] == '@' ? DEP_REF_LABEL : DEP_REF_NAME;
	if (!name_is_valid(part + (part[0] == '@')))
		return -EINVAL;
	memcpy(ret->name, part + (part[0] == '@'), n + (part[0] != '@'));
	return 1;
}

unsigned dep_list_kinds(char *const *list)
{
	unsigned kinds = 0;

	STRV_FOREACH(element, list) {
		const char *at = *element;
		struct dep_ref ref;

		while (dep_ref_next(&ref, &at) > 0)
			kinds |= 1u << ref.kind;
	}
	return kinds;
}

bool dep_element_is_valid(const char *element)
{
	struct dep_ref ref;
	int r;

	while ((r = dep_ref_next(&ref, &element)) > 0)
		;
	return r == 0;
}

/* ---- lists of a packed spec --------------------------------------------------------- */

void deps_walk_init(struct deps_walk *w, const void *spec, size_t spec_len)
{
	*w = (struct deps_walk){.spec = spec, .spec_len = spec_len, .kind = -1};
}

int deps_walk_next(
	struct deps_walk *w, enum dep_kind *ret_kind, const char **ret_element)
{
	while (w->at == w->end) {
		const char *p;
		size_t n;

		if (++w->kind == DEP_KIND_N) {
			w->kind--;
			return 0;
		}
		/* the stored form of a list: its elements, each ended by NUL */
		if (job_spec_peek_str(
			    &p, &n, w->spec, w->spec_len, dep_field[w->kind]) <= 0 ||
			n == 0 || p[n - 1] != '\0')
			continue;
		w->at = p;
		w->end = p + n;
	}
	*ret_kind = (enum dep_kind)w->kind;
	*ret_element = w->at;
	w->at += strlen(w->at) + 1;
	return 1;
}

/* The next id of an element; *at is NULL when that was the last. */
static bool next_id(uint64_t *ret, const char **at)
{
	uint64_t id = 0;
	const char *p = *at;

	for (; *p >= '0' && *p <= '9'; p++)
		id = id * 10 + (uint64_t)(*p - '0');
	if (*p && *p != '|')
		id = 0;
	p += strcspn(p, "|");
	*at = *p ? p + 1 : NULL;
	*ret = id;
	return id > 0;
}

int deps_walk_next_id(struct deps_walk *w, const char **at, uint64_t *ret)
{
	enum dep_kind kind;

	for (;;) {
		if (!*at && deps_walk_next(w, &kind, at) <= 0)
			return 0;
		if (next_id(ret, at))
			return 1;
	}
}

bool deps_are_given(const void *spec, size_t spec_len)
{
	enum dep_kind kind;
	const char *element;
	struct deps_walk w;

	deps_walk_init(&w, spec, spec_len);
	return deps_walk_next(&w, &kind, &element) > 0;
}

/* ---- judgement ---------------------------------------------------------------------- */

static bool satisfies(enum dep_kind kind, enum job_result result)
{
	switch (kind) {
	case DEP_AFTER: return result == JOB_RESULT_SUCCEEDED;
	case DEP_AFTER_FAILURE:
		return result == JOB_RESULT_FAILED || result == JOB_RESULT_TIMEOUT;
	case DEP_AFTER_ANY: return true;
	case DEP_KIND_N: break;
	}
	INVARIANT(!"an unknown condition");
	return false;
}

enum dep_state dep_judge(enum dep_kind kind, const struct dep_job *j)
{
	if (j->state != JOB_FINISHED)
		return DEP_OPEN;
	if (satisfies(kind, j->result))
		return DEP_MET;
	return j->result == JOB_RESULT_LOST && j->shut_down ? DEP_OPEN : DEP_IMPOSSIBLE;
}

enum dep_state dep_judge_element(
	enum dep_kind kind, const char *element, deps_look_fn look, void *arg)
{
	enum dep_state best = DEP_IMPOSSIBLE;
	const char *at = element;
	struct dep_job j;
	uint64_t id;

	while (at && best != DEP_MET) {
		enum dep_state s;

		if (!next_id(&id, &at))
			continue;
		s = look(id, &j, arg) ? dep_judge(kind, &j) : DEP_MET;
		best = MIN(best, s);
	}
	return best;
}

void deps_judge(struct deps_verdict *ret, const void *spec, size_t spec_len,
	deps_look_fn look, void *arg)
{
	struct deps_walk w;
	enum dep_kind kind;
	const char *element;

	ret->state = DEP_MET;
	deps_walk_init(&w, spec, spec_len);
	while (deps_walk_next(&w, &kind, &element) > 0) {
		enum dep_state s = dep_judge_element(kind, element, look, arg);

		ret->state = MAX(ret->state, s);
		if (s != DEP_IMPOSSIBLE)
			continue;
		ret->kind = kind;
		ret->element = element;
		return;
	}
}

const char *dep_end_phrase(enum job_result result)
{
	switch (result) {
	case JOB_RESULT_SUCCEEDED: return "succeeded";
	case JOB_RESULT_FAILED: return "failed";
	case JOB_RESULT_TIMEOUT: return "ran into its time limit";
	case JOB_RESULT_CANCELLED: return "was cancelled";
	case JOB_RESULT_SKIPPED: return "was skipped";
	case JOB_RESULT_LOST: return "was lost";
	case JOB_RESULT_NONE:
	case JOB_RESULT_N: break;
	}
	return "ended";
}
