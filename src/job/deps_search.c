/* Cycles among what waits for one another; see deps.h. */
#include <errno.h>
#include <stdlib.h>

#include "base/hashmap.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "job/deps.h"

/* A node that was met, and while its edges are looked at on the way that led there. */
struct step {
	uint64_t node;
	bool entered;
};

struct deps_search {
	deps_edges_fn edges;
	void *arg;
	struct hashmap *colors; /* node -> &on_the_way or &done */
	struct step *stack;
	size_t n, n_max;
	uint64_t *cycle;
	size_t n_cycle;
};

static char on_the_way, done;

int deps_search_new(struct deps_search **ret, deps_edges_fn edges, void *arg)
{
	struct deps_search *s = calloc(1, sizeof(*s));
	int r;

	INVARIANT(ret && edges);
	if (!s)
		return -ENOMEM;
	s->edges = edges;
	s->arg = arg;
	r = hashmap_new(&s->colors, HASHMAP_U64);
	if (r < 0) {
		free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct deps_search *deps_search_free(struct deps_search *s)
{
	if (!s)
		return NULL;
	hashmap_free(s->colors);
	free(s->stack);
	free(s->cycle);
	free(s);
	return NULL;
}

static int push(struct deps_search *s, uint64_t node)
{
	if (s->n == s->n_max) {
		size_t n = s->n_max ? 2 * s->n_max : 16;
		struct step *v = reallocarray(s->stack, n, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->stack = v;
		s->n_max = n;
	}
	s->stack[s->n++] = (struct step){.node = node};
	return 0;
}

/* it leads back to a node on the way: from that one on the way is the cycle */
static int close_cycle(struct deps_search *s, uint64_t to)
{
	size_t first = s->n;

	s->cycle = calloc(s->n, sizeof(*s->cycle));
	if (!s->cycle)
		return -ENOMEM;
	do {
		INVARIANT(first > 0);
		first--;
	} while (!s->stack[first].entered || s->stack[first].node != to);
	for (size_t i = first; i < s->n; i++)
		if (s->stack[i].entered)
			s->cycle[s->n_cycle++] = s->stack[i].node;
	return 0;
}

int deps_search_edge(struct deps_search *s, uint64_t to)
{
	const void *color = hashmap_get_u64(s->colors, to);

	if (s->n_cycle || color == &done)
		return 0;
	return color ? close_cycle(s, to) : push(s, to);
}

int deps_search_from(struct deps_search *s, uint64_t node)
{
	return hashmap_get_u64(s->colors, node) ? 0 : push(s, node);
}

int deps_search_step(struct deps_search *s, size_t n_nodes)
{
	int r;

	for (; s->n && !s->n_cycle; n_nodes--) {
		struct step *top = &s->stack[s->n - 1];
		uint64_t node = top->node;

		if (n_nodes == 0)
			return -EAGAIN;
		if (top->entered || hashmap_get_u64(s->colors, node)) {
			/* all behind it was seen; or it was met twice, and once gone
			 * through */
			if (top->entered) {
				hashmap_remove_u64(s->colors, node);
				r = hashmap_put_u64(s->colors, node, &done);
				if (r < 0)
					return r;
			}
			s->n--;
			continue;
		}
		top->entered = true;
		r = hashmap_put_u64(s->colors, node, &on_the_way);
		if (r >= 0)
			r = s->edges(s, node, s->arg);
		if (r < 0)
			return r;
	}
	return s->n_cycle > 0;
}

const uint64_t *deps_search_cycle(const struct deps_search *s, size_t *ret_n)
{
	*ret_n = s->n_cycle;
	return s->cycle;
}
