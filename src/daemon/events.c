#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "daemon/events.h"

struct events {
	const struct clock *clock;
	struct event *v; /* event n is at n % max */
	size_t max;
	uint64_t oldest, next;
	int64_t begin_usec;
	int64_t gone_usec; /* time of the newest that was given up; 0: none was */
	rv_event arrival;
};

int events_new(struct events **ret, const struct clock *clock, size_t max)
{
	struct events *ev = calloc(1, sizeof(*ev));

	INVARIANT(max > 0);
	if (!ev)
		return -ENOMEM;
	/* not touched before it is used: an idle daemon does not pay for it */
	ev->v = calloc(max, sizeof(*ev->v));
	if (!ev->v) {
		free(ev);
		return -ENOMEM;
	}
	ev->clock = clock;
	ev->max = max;
	ev->oldest = ev->next = 1;
	ev->begin_usec = clock_wall_usec(clock);
	rv_event_init(&ev->arrival);
	*ret = ev;
	return 0;
}

static struct event *slot(const struct events *ev, uint64_t number)
{
	return &ev->v[number % ev->max];
}

static void give_up_oldest(struct events *ev)
{
	struct event *e = slot(ev, ev->oldest++);

	ev->gone_usec = e->time_usec;
	free(TAKE_PTR(e->texts));
}

struct events *events_free(struct events *ev)
{
	if (!ev)
		return NULL;
	while (ev->oldest < ev->next)
		give_up_oldest(ev);
	free(ev->v);
	free(ev);
	return NULL;
}

int events_set_max(struct events *ev, size_t max)
{
	struct event *v;

	INVARIANT(max > 0);
	if (max == ev->max)
		return 0;
	v = calloc(max, sizeof(*v));
	if (!v)
		return -ENOMEM;
	while (ev->next - ev->oldest > max)
		give_up_oldest(ev);
	for (uint64_t n = ev->oldest; n < ev->next; n++)
		v[n % max] = *slot(ev, n);
	free(ev->v);
	ev->v = v;
	ev->max = max;
	return 0;
}

static char *put_text(char *to, const char *text, size_t n)
{
	if (n)
		memcpy(to, text, n);
	to[n] = '\0';
	return to + n + 1;
}

/* pools: of the job; NULL where it is the default */
static void note_texts(struct event *e, const struct job *j, const char *reason)
{
	const char *name = NULL, *labels = NULL, *pools = NULL;
	size_t n_name = 0, n_labels = 0, n_pools = 0, n_reason;
	char *p;

	(void)job_spec_peek_str(&name, &n_name, j->spec, j->spec_len, JOB_FIELD_NAME);
	(void)job_spec_peek_str(
		&labels, &n_labels, j->spec, j->spec_len, JOB_FIELD_LABEL);
	(void)job_spec_peek_str(&pools, &n_pools, j->spec, j->spec_len, JOB_FIELD_POOL);
	n_reason = reason ? strlen(reason) : 0;
	if (n_name + n_labels + n_pools + n_reason == 0)
		return;
	if (n_pools == 0) {
		pools = job_field_info[JOB_FIELD_POOL].default_text;
		n_pools = strlen(pools);
	}
	p = e->texts = malloc(n_pools + n_name + n_reason + 3 + n_labels);
	if (!p)
		return;
	p = put_text(p, pools, n_pools);
	p = put_text(p, name, n_name);
	p = put_text(p, reason, n_reason);
	if (n_labels)
		memcpy(p, labels, n_labels);
	e->labels_len = (uint32_t)n_labels;
}

static void note(struct events *ev, const struct job *j, int from, int to,
	enum event_ready ready, const char *reason)
{
	struct event *e;

	if (ev->next - ev->oldest == ev->max)
		give_up_oldest(ev);
	e = slot(ev, ev->next);
	*e = (struct event){
		.time_usec = clock_wall_usec(ev->clock),
		.job = j->id,
		.uid = j->uid,
		.n_runs = j->n_runs,
		.exit_code = j->state == JOB_FINISHED ? j->exit_code : -1,
		.signal = j->state == JOB_FINISHED ? j->signal : 0,
		.from = (int8_t)from,
		.to = (int8_t)to,
		.result = j->state == JOB_FINISHED ? j->result : JOB_RESULT_NONE,
		.callback_dropped =
			to == JOB_FINISHED && j->flags & STORE_JOB_CALLBACK_DROPPED,
		.ready = (uint8_t)ready,
	};
	note_texts(e, j, reason);
	ev->next++;
	rv_event_set(&ev->arrival);
	rv_event_clear(&ev->arrival);
}

void events_note(struct events *ev, const struct job *j, int from, int to)
{
	note(ev, j, from, to, EVENT_READY_AS_BEFORE, j->reason);
}

void events_note_ready(
	struct events *ev, const struct job *j, bool ready, const char *why)
{
	note(ev, j, j->state, j->state, ready ? EVENT_IS_READY : EVENT_IS_UNREADY, why);
}

uint64_t events_next(const struct events *ev)
{
	return ev->next;
}

uint64_t events_oldest(const struct events *ev)
{
	return ev->oldest;
}

const struct event *events_at(const struct events *ev, uint64_t number)
{
	INVARIANT(number >= ev->oldest && number < ev->next);
	return slot(ev, number);
}

void event_texts_get(const struct event *e, struct event_texts *ret)
{
	const char *p = e->texts;

	if (!p) {
		*ret = (struct event_texts){
			.pools = job_field_info[JOB_FIELD_POOL].default_text};
		return;
	}
	ret->pools = p;
	p += strlen(p) + 1;
	ret->name = *p ? p : NULL;
	p += strlen(p) + 1;
	ret->reason = *p ? p : NULL;
	ret->labels = p + strlen(p) + 1;
}

uint64_t events_since(const struct events *ev, int64_t usec, uint64_t *ret_lost)
{
	uint64_t n = ev->oldest;

	*ret_lost = ev->gone_usec && ev->gone_usec >= usec ? ev->oldest - 1 : 0;
	/* in order: a clock that was set back puts later events before earlier ones */
	while (n < ev->next && slot(ev, n)->time_usec < usec)
		n++;
	return n;
}

int64_t events_begin_usec(const struct events *ev)
{
	return ev->begin_usec;
}

rv_event *events_arrival(struct events *ev)
{
	return &ev->arrival;
}
