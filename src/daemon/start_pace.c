#include "config.h"

#include "daemon/start_pace.h"

#include "base/macro.h"

/* A start takes some milliseconds, and a commit. */
static const rv_time counts_for = RV_MS(100);

static struct start_place *oldest(const struct start_pace *p)
{
	struct list *node = list_first(&p->going);

	return node ? LIST_ENTRY(node, struct start_place, link) : NULL;
}

static void drop(struct start_pace *p, struct start_place *place)
{
	list_remove(&place->link);
	if (p->n-- == p->max)
		p->room(p->arg);
}

static void some_are_late(void *arg)
{
	struct start_pace *p = arg;
	struct start_place *first;

	while ((first = oldest(p)) && first->until <= rv_loop_now(p->loop))
		drop(p, first);
	if (first)
		rv_timer_start(&p->timer, first->until);
}

void start_pace_init(struct start_pace *p, rv_loop *loop, unsigned max,
	void (*room)(void *arg), void *arg)
{
	*p = (struct start_pace){.loop = loop, .max = max, .room = room, .arg = arg};
	list_init(&p->going);
	rv_timer_init(&p->timer, loop, some_are_late, p);
}

static void no_room(void *arg)
{
	(void)arg;
}

void start_pace_deinit(struct start_pace *p)
{
	p->room = no_room;
	while (oldest(p))
		drop(p, oldest(p));
	rv_timer_stop(&p->timer);
}

bool start_pace_has_room(const struct start_pace *p)
{
	return p->n < p->max;
}

void start_pace_begin(struct start_pace *p, struct start_place *place)
{
	place->until = rv_loop_now(p->loop) + counts_for;
	if (p->n++ == 0)
		rv_timer_start(&p->timer, place->until);
	list_append(&p->going, &place->link);
}

void start_pace_end(struct start_pace *p, struct start_place *place)
{
	if (!list_is_linked(&place->link))
		return;
	drop(p, place);
	if (p->n == 0)
		rv_timer_stop(&p->timer);
}
