#include "config.h"

#include "cli/select.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/json.h"
#include "cli/text.h"
#include "cli/time.h"
#include "job/state.h"

/* what `reeve ls -q | reeve rm -` may bring: a million ids are 16 MB here */
#define IDS_MAX   1000000
#define NAMES_MAX 1000
#define WORD_MAX  256

static int refuse(char **err, const char *what, const char *text)
{
	char shown[96];

	*err = text_printf(
		"%s: '%s'", what, str_escape(shown, sizeof(shown), text, strlen(text)));
	return -EINVAL;
}

static int add_name(struct selection *s, const char *name, char **err)
{
	STRV_FOREACH(n, s->names)
		if (STREQ(*n, name))
			return 0;
	if (strv_len(s->names) >= NAMES_MAX) {
		*err = text_printf("more than %d names", NAMES_MAX);
		return -EINVAL;
	}
	return strv_append(&s->names, name);
}

int selection_add(struct selection *s, const char *text, char **err)
{
	struct job_id_range range;
	int r;

	if (name_is_valid(text))
		return add_name(s, text, err);
	r = job_id_range_parse(&range, text, err);
	if (r < 0)
		return r;
	if (s->ids.n_ids >= IDS_MAX) {
		*err = text_printf("more than %d ids", IDS_MAX);
		return -EINVAL;
	}
	return job_select_add_ids(&s->ids, range);
}

static int read_stdin(struct selection *s, FILE *in, char **err)
{
	char word[WORD_MAX + 1];
	int r;

	/* a word that is cut at WORD_MAX is too long for a name and refused as such */
	while (fscanf(in, "%256s", word) == 1) {
		r = selection_add(s, word, err);
		if (r < 0)
			return r;
	}
	if (!ferror(in))
		return 0;
	*err = text_printf("cannot read ids from standard input: %s", strerror(errno));
	return -EIO;
}

void selection_finish(struct selection *s)
{
	job_select_prepare(&s->ids);
}

static int check_word(int option, const char *value, char **err)
{
	switch (option) {
	case OPT_POOL:
		/* those of reeved's own begin with a dot: .services */
		return name_is_valid(value + (value[0] == '.'))
			       ? 0
			       : refuse(err, "not a name", value);
	case OPT_SCHEDULE:
	case OPT_LABEL:
		return name_is_valid(value) ? 0 : refuse(err, "not a name", value);
	case OPT_STATE:
		return job_state_by_name(value) >= 0
			       ? 0
			       : refuse(err, "unknown state", value);
	case OPT_RESULT:
		return job_result_by_name(value) > JOB_RESULT_NONE
			       ? 0
			       : refuse(err, "unknown result", value);
	default:
		if (utf8_is_valid(value, strlen(value)))
			return 0;
		return refuse(err, "not UTF-8", value);
	}
}

static int add_filter(
	struct selection *s, const struct option_hit *h, int64_t now_usec, char **err)
{
	json_t *f = s->filters;
	int64_t since;
	int r;

	if (h->value) {
		r = check_word(h->id, h->value, err);
		if (r < 0)
			return r;
	}
	switch (h->id) {
	case OPT_ALL: return json_put(f, "all", json_true());
	case OPT_FAILED: return json_put(f, "failed", json_true());
	case OPT_POOL: return json_put(f, "pool", json_string(h->value));
	case OPT_SCHEDULE: return json_put(f, "schedule", json_string(h->value));
	case OPT_NAME: return json_put(f, "name_glob", json_string(h->value));
	case OPT_USER: return json_put(f, "user", json_string(h->value));
	case OPT_STATE: return json_put_append(f, "states", json_string(h->value));
	case OPT_RESULT: return json_put_append(f, "results", json_string(h->value));
	case OPT_LABEL: return json_put_append(f, "labels", json_string(h->value));
	case OPT_SINCE:
		r = time_parse_since(&since, h->value, now_usec, err);
		if (r < 0)
			return r;
		return json_put(f, "since_usec", json_integer(since));
	default: return 0; /* an option of the verb itself */
	}
}

int selection_read(struct selection *ret, const struct options *o, FILE *in,
	int64_t now_usec, char **err)
{
	bool stdin_read = false;
	int r;

	INVARIANT(ret && o && in && err);
	*ret = (struct selection)SELECTION_NULL;
	ret->filters = json_object();
	if (!ret->filters)
		return -ENOMEM;
	for (size_t i = 0; i < o->n_hits; i++) {
		r = add_filter(ret, &o->hits[i], now_usec, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < o->n_args; i++) {
		ret->listed = true;
		if (!STREQ(o->args[i], "-")) {
			r = selection_add(ret, o->args[i], err);
		} else if (!stdin_read) {
			stdin_read = true;
			r = read_stdin(ret, in, err);
		} else {
			r = 0;
		}
		if (r < 0)
			return r;
	}
	selection_finish(ret);
	return 0;
}

void selection_deinit(struct selection *s)
{
	job_select_deinit(&s->ids);
	strv_free(s->names);
	json_decref(s->filters);
	*s = (struct selection)SELECTION_NULL;
}

bool selection_is_absent(const struct selection *s)
{
	return !s->listed && json_object_size(s->filters) == 0;
}

bool selection_is_empty(const struct selection *s)
{
	return s->listed && s->ids.n_ids == 0 && strv_len(s->names) == 0;
}

bool selection_is_single(const struct selection *s)
{
	size_t n_names = strv_len(s->names);

	if (s->ids.n_ids + n_names != 1)
		return false;
	if (json_object_size(s->filters) >
		(json_object_get(s->filters, "user") != NULL))
		return false;
	return n_names == 1 || s->ids.ids[0].first == s->ids.ids[0].last;
}

static size_t ranges_max(const struct selection *s)
{
	return s->ranges_max ? s->ranges_max : SELECTION_RANGES_MIN;
}

static size_t names_max(const struct selection *s)
{
	return ranges_max(s) / 4;
}

bool selection_is_long(const struct selection *s)
{
	return s->ids.n_ids > SELECTION_RANGES_MIN ||
	       strv_len(s->names) > SELECTION_RANGES_MIN / 4;
}

void selection_fit(struct selection *s, size_t message_max)
{
	/* {"first":N,"last":N}, with N below 2^63, and a quarter of "NAME", */
	size_t n = (message_max - MIN(message_max, (size_t)2048)) / (57 + 67 / 4 + 1);

	s->ranges_max =
		MAX((size_t)SELECTION_RANGES_MIN, MIN(n, (size_t)SELECTION_RANGES_MAX));
}

static size_t n_parts(size_t n, size_t n_max)
{
	return (n + n_max - 1) / n_max;
}

size_t selection_n_chunks(const struct selection *s)
{
	size_t n_ranges = n_parts(s->ids.n_ids, ranges_max(s));
	size_t n_names = n_parts(strv_len(s->names), names_max(s));
	size_t n = MAX(n_ranges, n_names);

	return selection_is_empty(s) ? 0 : MAX(n, (size_t)1);
}

static int put_ids(json_t *sel, const struct selection *s, size_t first, size_t end)
{
	int r = 0;

	for (size_t i = first; i < end && r == 0; i++)
		r = json_put_append(sel, "ids",
			json_pack("{s:I, s:I}", "first",
				(json_int_t)s->ids.ids[i].first, "last",
				(json_int_t)s->ids.ids[i].last));
	return r;
}

json_t *selection_json(const struct selection *s, size_t chunk)
{
	_cleanup_json_ json_t *sel = json_deep_copy(s->filters);
	size_t first = chunk * ranges_max(s), name = chunk * names_max(s);
	size_t names_end = MIN(strv_len(s->names), name + names_max(s));

	if (!sel ||
		put_ids(sel, s, first, MIN(s->ids.n_ids, first + ranges_max(s))) < 0)
		return NULL;
	for (; name < names_end; name++)
		if (json_put_append(sel, "names", json_string(s->names[name])) < 0)
			return NULL;
	return TAKE_PTR(sel);
}

json_t *selection_of_id(int64_t id)
{
	return json_pack("{s:[{s:I, s:I}], s:s}", "ids", "first", (json_int_t)id,
		"last", (json_int_t)id, "user", "*");
}
