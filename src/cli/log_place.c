#include "config.h"

#include "cli/log_place.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/macro.h"
#include "cli/json.h"

void log_place_begin_run(struct log_place *p, int64_t run)
{
	p->at_run = run;
	for (int i = 0; i < LOG_STREAMS; i++)
		p->next[i] = -1;
}

/* Where the page leaves us, and what of it is new. */
static void move(struct log_place *p, struct log_chunk *chunk)
{
	int s = chunk->stream;
	int64_t ahead;

	if (chunk->run != p->at_run)
		log_place_begin_run(p, chunk->run);
	ahead = p->next[s] - chunk->offset;
	if (p->resumed_run > 0 && p->next[s] >= 0 && chunk->n > 0) {
		chunk->cut = (size_t)MIN((int64_t)chunk->n, MAX(ahead, INT64_C(0)));
		/* what was lost on the way to where we were, we have */
		chunk->lost = MIN(chunk->lost, MAX(-ahead, INT64_C(0)));
	}
	if (chunk->n > 0)
		p->next[s] = MAX(p->next[s], chunk->offset + (int64_t)chunk->n);
}

int log_place_take(struct log_place *p, struct log_chunk *ret, const json_t *page)
{
	const json_t *b64 = json_object_get(page, "data_b64");
	const char *stream = json_str(page, "stream");
	struct log_chunk chunk = {.run = json_int(page, "run", 0),
		.stream = STREQ(stream, "stderr") ? LOG_STDERR : LOG_STDOUT,
		.split = !STREQ(stream, "all"),
		.offset = json_int(page, "offset", 0),
		.lost = json_int(page, "lost_bytes", 0)};
	void *data = NULL;
	int r;

	if (json_is_string(b64)) {
		r = base64_decode(&data, &chunk.n, json_string_value(b64),
			json_string_length(b64));
		if (r < 0)
			return r;
	}
	chunk.data = data;
	p->is_split = chunk.split;
	move(p, &chunk);
	*ret = chunk;
	return 0;
}

int64_t log_place_offset(const struct log_place *p, bool only_new)
{
	const int64_t *next = p->next;

	if (!p->is_split)
		return next[LOG_STDOUT];
	if (only_new && (next[LOG_STDOUT] < 0 || next[LOG_STDERR] < 0))
		return MAX(next[LOG_STDOUT], next[LOG_STDERR]);
	return MIN(next[LOG_STDOUT], next[LOG_STDERR]);
}

int log_place_params(
	const struct log_place *p, json_t **ret, const json_t *params, json_t *select)
{
	_cleanup_json_ json_t *copy = json_deep_copy(params);
	int64_t from = -1;
	int r;

	if (!copy || !select)
		return -ENOMEM;
	r = json_put(copy, "select", json_incref(select));
	if (r == 0 && p->resumed_run > 0) {
		from = log_place_offset(p, json_int(params, "lines", -1) == 0);
		json_object_del(copy, "lines");
		r = json_put(copy, "run", json_integer(p->resumed_run));
	}
	if (r == 0 && from > 0)
		r = json_put(copy, "offset", json_integer(from));
	if (r == 0)
		*ret = TAKE_PTR(copy);
	return r;
}

json_t *log_chunk_json(const struct log_chunk *chunk, const json_t *page)
{
	_cleanup_json_ json_t *copy = json_copy((json_t *)page);
	_cleanup_free_ char *text = NULL;
	size_t n = chunk->n - chunk->cut;

	if (!copy || chunk->cut == 0)
		return TAKE_PTR(copy);
	text = malloc(base64_encoded_len(n) + 1);
	if (!text)
		return NULL;
	base64_encode(text, chunk->data + chunk->cut, n);
	if (json_put(copy, "data_b64", json_string(text)) < 0 ||
		json_put(copy, "lost_bytes", json_integer(chunk->lost)) < 0 ||
		json_put(copy, "offset",
			json_integer(chunk->offset + (int64_t)chunk->cut)) < 0)
		return NULL;
	return TAKE_PTR(copy);
}
