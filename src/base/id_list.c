#include "config.h"

#include "base/id_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { N_MIN = 4 };

int id_list_add(struct id_list *l, uint64_t id)
{
	if (l->n == l->n_max) {
		size_t n_max = l->n_max ? 2 * l->n_max : N_MIN;
		uint64_t *v = reallocarray(l->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		l->v = v;
		l->n_max = n_max;
	}
	l->v[l->n++] = id;
	return 0;
}

bool id_list_remove(struct id_list *l, uint64_t id)
{
	size_t i = 0;

	while (i < l->n && l->v[i] != id)
		i++;
	if (i == l->n)
		return false;
	l->n--;
	memmove(&l->v[i], &l->v[i + 1], (l->n - i) * sizeof(*l->v));
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void id_list_sort(struct id_list *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

void id_list_deinit(struct id_list *l)
{
	free(l->v);
	*l = (struct id_list){0};
}
