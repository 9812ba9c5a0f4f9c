/* A set of futures to wait for. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/invariant.h"
#include "runtime/wait_priv.h"

static void member_done(struct wait_member *m)
{
	struct wait_set *s = m->set;
	int r = future_peek(m->future);

	s->n_left--;
	link_append(&s->done, &m->by_time);
	if (r < 0 && s->first_error == 0)
		s->first_error = r;
	if (r < 0 && r != -ECANCELED)
		s->has_failed = true;
}

/* The waiter hears of one thing only: the loop may poll before the task runs again, and
 * what is left armed would find it awake. */
static void set_wake(struct wait_set *s, int result)
{
	rv_timer_stop(&s->timer);
	waiter_wake(TAKE_PTR(s->waiter), result);
}

static void on_done(struct future_watch *w)
{
	struct wait_member *m = CONTAINER_OF(w, struct wait_member, watch);
	struct wait_set *s = m->set;

	member_done(m);
	if (s->waiter && s->is_enough(s))
		set_wake(s, 0);
}

static void set_timed_out(void *arg)
{
	set_wake(arg, -ETIMEDOUT);
}

int wait_set_init(struct wait_set *s, rv_future *const *fs, size_t n,
	const struct rv_task *self, bool (*is_enough)(const struct wait_set *s))
{
	int r;

	for (size_t i = 0; i < n; i++) {
		r = future_check_await(fs[i], self);
		if (r < 0)
			return r;
	}
	s->members = n <= WAIT_SET_INLINE ? s->few : calloc(n, sizeof(*s->members));
	if (!s->members)
		return -ENOMEM;
	s->n = s->n_left = n;
	s->first_error = 0;
	s->has_failed = false;
	s->waiter = NULL;
	s->is_enough = is_enough;
	rv_timer_init(&s->timer, self->loop, set_timed_out, s);
	s->timer.inline_fn = true;
	link_init(&s->done);
	for (size_t i = 0; i < n; i++) {
		struct wait_member *m = &s->members[i];

		*m = (struct wait_member){
			.watch.fn = on_done, .set = s, .future = rv_future_ref(fs[i])};
		if (rv_future_done(fs[i]))
			member_done(m);
		else
			future_watch(fs[i], &m->watch);
	}
	return 0;
}

void wait_set_deinit(struct wait_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		future_unwatch(&s->members[i].watch);
		rv_future_unref(s->members[i].future);
	}
	if (s->members != s->few)
		free(s->members);
	s->members = NULL;
	s->n = 0;
}

bool wait_set_is_over(const struct wait_set *s)
{
	return s->n_left == 0;
}

rv_time wait_deadline(const rv_loop *l, rv_time timeout)
{
	rv_time until;

	if (timeout == RV_FOREVER ||
		__builtin_add_overflow(loop_monotonic(l), timeout, &until))
		return timeout > 0 ? RV_FOREVER : INT64_MIN;
	return until;
}

static void set_cancelled(struct waiter *w)
{
	set_wake(w->data, -ECANCELED);
}

int wait_set_wait(
	struct wait_set *s, struct rv_task *self, rv_time until, const char *site)
{
	struct waiter w = {.data = s};

	if (s->is_enough(s))
		return 0;
	if (until <= loop_monotonic(self->loop))
		return -ETIMEDOUT;
	if (until != RV_FOREVER)
		rv_timer_start(&s->timer, until);
	s->waiter = &w;
	return task_wait_on_cancel(self, &w, set_cancelled, site, s);
}

void wait_set_wait_shielded(struct wait_set *s, struct rv_task *self, const char *site)
{
	struct waiter w = {0};
	int r;

	s->is_enough = wait_set_is_over;
	if (s->n_left == 0)
		return;
	s->waiter = &w;
	r = task_wait_shielded(self, &w, site, s);
	INVARIANT(r == 0 && s->n_left == 0);
}
