#include "config.h"

#include "cli/batch_calls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/spec_json.h"
#include "cli/submit.h"
#include "cli/text.h"
#include "job/deps.h"

struct batch_call *batch_call_free(struct batch_call *call)
{
	if (!call)
		return NULL;
	list_remove(&call->link);
	list_remove(&call->sent);
	json_decref(call->params);
	json_decref(call->ids);
	free(call->line_no);
	free(call);
	return NULL;
}
DEFINE_CLEANUP(struct batch_call *, batch_call_free)

/* jobs and line_no: taken, also on failure. NULL when out of memory */
static struct batch_call *call_new(
	struct batch *b, json_t *jobs, uint64_t *line_no, size_t n_jobs)
{
	_cleanup_free_ char *key = text_printf("%s-%" PRIu64, b->key, b->n_calls);
	_cleanup_(batch_call_freep) struct batch_call *call = calloc(1, sizeof(*call));

	if (!key || !call) {
		json_decref(jobs);
		free(line_no);
		return NULL;
	}
	call->line_no = line_no;
	call->n_jobs = n_jobs;
	call->params = submit_params(jobs, b->caller, key);
	if (!call->params)
		return NULL;
	b->n_calls++;
	b->n++;
	return TAKE_PTR(call);
}

struct batch_call *batch_first_call(const struct batch *b)
{
	return list_is_empty(&b->calls)
		       ? NULL
		       : LIST_ENTRY(list_first(&b->calls), struct batch_call, link);
}

static int bad_line(struct batch *b, int code)
{
	b->bad_code = code;
	return -EINVAL;
}

static int too_long(struct batch *b, uint64_t line_no)
{
	free(b->bad_line);
	b->bad_line = text_printf("%s %" PRIu64
				  ": longer than a call can be (message-max = %zu)",
		b->src->what, line_no, b->limits.message_max);
	return b->bad_line ? bad_line(b, CLI_EXIT_REFUSED) : -ENOMEM;
}

/* A place for n jobs in front of those in b->ahead. */
static int make_room(struct batch *b, size_t n)
{
	struct ahead *v;

	if (n > b->ahead_first) {
		v = calloc(n + b->n_ahead, sizeof(*v));
		if (!v)
			return -ENOMEM;
		if (b->n_ahead > 0)
			memcpy(v + n, b->ahead + b->ahead_first,
				b->n_ahead * sizeof(*v));
		free(b->ahead);
		b->ahead = v;
		b->ahead_first = n;
	}
	b->ahead_first -= n;
	b->n_ahead += n;
	return 0;
}

json_t *batch_take_ahead(struct batch *b)
{
	b->n_ahead--;
	return TAKE_PTR(b->ahead[b->ahead_first++].job);
}

/* It waits for jobs by their names or labels, which the daemon has to know. */
static bool has_names(const struct job_spec *s)
{
	unsigned kinds = 0;

	for (int k = 0; k < DEP_KIND_N; k++)
		kinds |= dep_list_kinds(s->v[dep_field[k]].strv);
	return kinds & (1u << DEP_REF_NAME | 1u << DEP_REF_LABEL);
}

/* The next line's job into b->ahead, where none is. 1, 0 at the end, -EINVAL with
 * b->bad_line, others */
static int read_ahead(struct batch *b)
{
	_cleanup_(job_spec_deinit) struct job_spec s;
	json_t *job;
	int r;

	if (b->bad_line)
		return -EINVAL;
	r = b->src->next(b->src, &s, b->defaults, &b->bad_line);
	if (r == -EMSGSIZE)
		return too_long(b, b->src->no);
	if (r == -EINVAL)
		return bad_line(b, CLI_EXIT_USAGE);
	if (r <= 0)
		return r;
	job = spec_to_json(&s);
	if (!job || make_room(b, 1) < 0) {
		json_decref(job);
		return -ENOMEM;
	}
	b->ahead[b->ahead_first] = (struct ahead){job, b->src->no, has_names(&s)};
	return 1;
}

/* The next job that is to be sent is b->ahead's first, and fits into a call; results as
 * read_ahead. *ret_bytes: what it takes there */
static int look_ahead(struct batch *b, size_t *ret_bytes)
{
	const struct ahead *next;
	int r;

	for (;;) {
		r = b->n_ahead > 0 ? 1 : read_ahead(b);
		if (r <= 0)
			return r;
		if (b->n_skip == 0)
			break;
		json_decref(batch_take_ahead(b));
		b->n_skip--;
	}
	next = &b->ahead[b->ahead_first];
	*ret_bytes = submit_json_bytes(next->job) + 1;
	return *ret_bytes <= b->jobs_max_bytes ? 1 : too_long(b, next->line_no);
}

bool batch_is_ready(const struct batch *b)
{
	return b->n_ahead > b->n_skip || !b->src->is_ready || b->src->is_ready(b->src);
}

int batch_make_call(struct batch *b)
{
	size_t n_max = MIN((size_t)SUBMIT_JOBS_MAX, b->limits.submit_max);
	_cleanup_free_ uint64_t *line_no = calloc(n_max, sizeof(*line_no));
	_cleanup_json_ json_t *jobs = json_array();
	size_t bytes_max = MIN(SUBMIT_BYTES_MAX, b->jobs_max_bytes);
	size_t bytes = 0, n = 0, job_bytes;
	bool names = false;
	struct batch_call *call;
	int r;

	if (!line_no || !jobs)
		return -ENOMEM;
	while (n < n_max) {
		if (n > 0 && !batch_is_ready(b))
			break; /* these need not wait for what may come late */
		r = look_ahead(b, &job_bytes);
		if (r < 0)
			return r;
		if (r == 0 || (n > 0 && bytes + job_bytes > bytes_max))
			break;
		bytes += job_bytes;
		names |= b->ahead[b->ahead_first].has_names;
		line_no[n++] = b->ahead[b->ahead_first].line_no;
		if (json_array_append_new(jobs, batch_take_ahead(b)) < 0)
			return -ENOMEM;
	}
	if (n == 0)
		return 0;
	call = call_new(b, TAKE_PTR(jobs), TAKE_PTR(line_no), n);
	if (!call)
		return -ENOMEM;
	call->has_names = names;
	list_append(&b->calls, &call->link);
	return 1;
}

int batch_put_back(struct batch *b, const struct batch_call *call, size_t n_done)
{
	const json_t *jobs = json_object_get(call->params, "jobs");
	size_t n = call->n_jobs - n_done;

	if (b->enough)
		return 0;
	if (make_room(b, n) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		b->ahead[b->ahead_first + i] =
			(struct ahead){json_incref(json_array_get(jobs, n_done + i)),
				call->line_no[n_done + i], call->has_names};
	b->at_end = false;
	return 0;
}

/* The jobs from n on into a call of their own, after this one. 0, -ENOMEM */
static int split_call(struct batch *b, struct batch_call *call, size_t n)
{
	const json_t *jobs = json_object_get(call->params, "jobs");
	size_t n_rest = call->n_jobs - n;
	uint64_t *line_no = calloc(n_rest, sizeof(*line_no));
	json_t *rest = json_array();
	struct batch_call *next;
	int r = line_no && rest ? 0 : -ENOMEM;

	for (size_t i = 0; i < n_rest && r == 0; i++) {
		line_no[i] = call->line_no[n + i];
		r = json_array_append(rest, json_array_get(jobs, n + i));
	}
	if (r < 0) {
		free(line_no);
		json_decref(rest);
		return -ENOMEM;
	}
	next = call_new(b, rest, line_no, n_rest);
	if (!next)
		return -ENOMEM;
	next->has_names = call->has_names;
	list_prepend(&call->link, &next->link);
	return 0;
}

int batch_cut_call(struct batch *b, struct batch_call *call, size_t n_max)
{
	int r;

	b->limits.submit_max = n_max;
	while (call->n_jobs > n_max) {
		json_t *jobs = json_object_get(call->params, "jobs");

		/* with a key that was given the answer to this call decides on the next
		 */
		r = b->key_is_given ? batch_put_back(b, call, n_max)
				    : split_call(b, call, n_max);
		if (r < 0)
			return r;
		call->n_jobs = n_max;
		while (json_array_size(jobs) > n_max)
			json_array_remove(jobs, json_array_size(jobs) - 1);
		if (!b->key_is_given)
			call = LIST_ENTRY(call->link.next, struct batch_call, link);
	}
	return 0;
}
