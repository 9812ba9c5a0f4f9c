/* What libraries keep with a loop: few, so a list. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "runtime/debug_priv.h"
#include "runtime/loop_priv.h"

struct attachment {
	struct attachment *next;
	const void *key;
	void *val;
	rv_dtor dtor; /* NULL */
};

int rv_loop_attach(rv_loop *l, const void *key, void *val, rv_dtor d)
{
	struct attachment *a;

	if (WRONG_THREAD(l))
		return -RV_EWRONGLOOP;
	if (!val)
		return -EINVAL;
	if (l->closed)
		return -RV_ELOOPCLOSED;
	if (rv_loop_attached(l, key))
		return -EEXIST;
	a = malloc(sizeof(*a));
	if (!a)
		return -ENOMEM;
	*a = (struct attachment){l->attached, key, val, d};
	l->attached = a;
	return 0;
}

void *rv_loop_attached(const rv_loop *l, const void *key)
{
	const struct attachment *a;

	if (WRONG_THREAD(l))
		return NULL;
	a = l->attached;
	while (a && a->key != key)
		a = a->next;
	return a ? a->val : NULL;
}

void attached_close(rv_loop *l)
{
	struct attachment *a;

	/* one at a time: a destructor may still use what was there before its own */
	while ((a = l->attached)) {
		l->attached = a->next;
		if (a->dtor)
			a->dtor(a->val);
		free(a);
	}
}
