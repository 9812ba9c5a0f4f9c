/* Shielding: a future that shows another's result, and whose cancelling stays its own. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/macro.h"
#include "runtime/debug_priv.h"
#include "runtime/future_priv.h"

struct shield {
	struct future_watch watch;
	rv_future *inner, *outer; /* references */
};

static void shield_free(struct future_watch *w)
{
	struct shield *s = CONTAINER_OF(w, struct shield, watch);

	s->outer->shielded = NULL;
	rv_future_unref(s->outer);
	rv_future_unref(s->inner);
	free(s);
}

/* what outer shows is inner's, which stays for that */
static void show(rv_future *outer, rv_future *inner)
{
	future_ignore_error(inner);
	if (outer->done) /* cancelled; who did that does not want to know */
		return;
	outer->source = rv_future_ref(inner);
	future_complete(outer, inner->result);
}

static void shield_told(struct future_watch *w)
{
	struct shield *s = CONTAINER_OF(w, struct shield, watch);

	show(s->outer, s->inner);
	shield_free(w);
}

int rv_future_shield(rv_future *f, rv_future **ret)
{
	rv_future *outer;
	struct shield *s;
	int r;

	if (WRONG_THREAD(f->loop))
		return -RV_EWRONGLOOP;
	if (!f->loop)
		return -RV_ELOOPCLOSED;
	r = rv_future_new(&outer, f->loop);
	if (r < 0)
		return r;
	if (f->done) {
		show(outer, f);
		*ret = outer;
		return 0;
	}
	s = malloc(sizeof(*s));
	if (!s) {
		rv_future_unref(outer);
		return -ENOMEM;
	}
	*s = (struct shield){.watch = {.fn = shield_told, .closed = shield_free},
		.inner = rv_future_ref(f),
		.outer = rv_future_ref(outer)};
	outer->shielded = f;
	future_watch(f, &s->watch);
	*ret = outer;
	return 0;
}
