#include "config/config_service_deps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/parse.h"
#include "base/strv.h"
#include "config/config_section.h"

enum { RING_TEXT_MAX = 600 };

/* of one service: those that it comes after, by place among the services */
struct node {
	size_t *v;
	size_t n, n_max;
	size_t n_open; /* of these, those that are not in order yet */
	bool is_in_order; /* it can be started, and nothing that it comes after is in a ring */
	bool was_met; /* on the way along a ring */
	const struct config_named *group;
};

struct graph {
	struct config *c;
	struct config_errors *errors;
	const struct config_names *services;
	struct hashmap *by_name; /* of struct config_named, the services */
	struct node *nodes;      /* as services->v */
};

static void graph_deinit(struct graph *g)
{
	for (size_t i = 0; g->nodes && i < g->services->n; i++)
		free(g->nodes[i].v);
	free(g->nodes);
	hashmap_free(g->by_name);
}

static int graph_init(struct graph *g)
{
	int r = hashmap_new(&g->by_name, HASHMAP_STRING);

	g->nodes = r >= 0 ? calloc(g->services->n + 1, sizeof(*g->nodes)) : NULL;
	if (!g->nodes)
		return -ENOMEM;
	for (size_t i = 0; i < g->services->n && r >= 0; i++)
		r = hashmap_put(g->by_name, g->services->v[i].name, &g->services->v[i]);
	return r;
}

/* to comes after from */
static int add_edge(struct graph *g, size_t to, size_t from)
{
	struct node *node = &g->nodes[to];

	if (node->n == node->n_max) {
		size_t n_max = node->n_max ? 2 * node->n_max : 8;
		size_t *v = reallocarray(node->v, n_max, sizeof(*v));

		if (!v)
			return -ENOMEM;
		node->v = v;
		node->n_max = n_max;
	}
	node->v[node->n++] = from;
	return 0;
}

/* NULL, told, where there is none */
static const struct config_named *find_service(const struct graph *g,
	const struct config_look *l, enum config_key k, const char *name)
{
	const struct config_named *s = hashmap_get(g->by_name, name);
	_cleanup_free_ const char **names = NULL;
	const char *nearest;
	char text[256];

	if (s)
		return s;
	if (k != CONFIG_GROUP_SERVICES &&
		config_find(g->c, CONFIG_SECTION_GROUP, name)) {
		snprintf(text, sizeof(text),
			"'%s' is a group: here its services are named", name);
		config_look_error(
			l, &l->s->key_origin[k], config_key_info[k].key, text);
		return NULL;
	}
	names = calloc(g->services->n + 1, sizeof(*names));
	for (size_t i = 0; names && i < g->services->n; i++)
		names[i] = g->services->v[i].name;
	nearest = names ? str_nearest(name, names, g->services->n) : NULL;
	snprintf(text, sizeof(text),
		nearest ? "there is no [service %s], did you mean '%s'?"
			: "there is no [service %s]%s",
		name, nearest ? nearest : "");
	config_look_error(l, &l->s->key_origin[k], config_key_info[k].key, text);
	return NULL;
}

/* There are not too many: files append to lists. */
static bool check_length(const struct config_look *l, enum config_key k)
{
	char text[64];

	if ((int64_t)strv_len(l->s->v[k].strv) <= config_key_info[k].max)
		return true;
	snprintf(text, sizeof(text), "more than %" PRId64 " names",
		config_key_info[k].max);
	config_look_error(l, &l->s->key_origin[k], config_key_info[k].key, text);
	return false;
}

static int add_list(
	struct graph *g, const struct config_look *l, size_t at, enum config_key k)
{
	int r = 0;

	if (!check_length(l, k))
		return 0;
	STRV_FOREACH(name, l->s->v[k].strv) {
		const struct config_named *on = find_service(g, l, k, *name);

		if (on == l->s)
			config_look_error(l, &l->s->key_origin[k],
				config_key_info[k].key,
				"a service cannot wait for itself");
		else if (on && r >= 0)
			r = add_edge(g, at, (size_t)(on - g->services->v));
	}
	return r;
}

/* ---- groups ------------------------------------------------------------------------------- */

/* "'a' is given twice", "'a' is in [group g] already" */
static void tell_member(const struct config_look *l, const char *service,
	const struct config_named *group)
{
	char text[256];

	if (group == l->s)
		snprintf(text, sizeof(text), "'%s' is given twice", service);
	else
		snprintf(text, sizeof(text), "'%s' is in [group %s] already", service,
			group->name);
	config_look_error(
		l, &l->s->key_origin[CONFIG_GROUP_SERVICES], "services", text);
}

/* that of a service which hands what it cannot do to a group that never would */
static void check_escalation(const struct graph *g, const struct config_look *l,
	const struct config_named *service)
{
	struct config_look of_service = {
		g->c, service, g->errors, CONFIG_SECTION_SERVICE};
	char text[256];

	if (service->v[CONFIG_GIVE_UP].num != CONFIG_GIVE_UP_ESCALATE ||
		l->s->v[CONFIG_GROUP_BURST].num > 0)
		return;
	snprintf(text, sizeof(text),
		"escalate goes to [group %s], which is never given up without "
		"restart-burst",
		l->s->name);
	config_look_error(
		&of_service, &service->key_origin[CONFIG_GIVE_UP], "give-up", text);
}

/* each comes after those before it in the list */
static int add_group(struct graph *g, const struct config_look *l)
{
	char *const *names = l->s->v[CONFIG_GROUP_SERVICES].strv;
	size_t n_before = 0, before[100];
	int r = 0;

	if (hashmap_get(g->by_name, l->s->name))
		config_look_error(
			l, &l->s->origin, "name", "there is a service of that name");
	/* names that could not be read were told */
	if (strv_len(names) == 0 &&
		!(l->s->key_origin[CONFIG_GROUP_SERVICES].file && l->errors->n > 0))
		config_look_error(l, &l->s->key_origin[CONFIG_GROUP_SERVICES],
			"services", "missing: which services?");
	if (!check_length(l, CONFIG_GROUP_SERVICES))
		return 0;
	STRV_FOREACH(name, names) {
		const struct config_named *s =
			find_service(g, l, CONFIG_GROUP_SERVICES, *name);
		size_t at = s ? (size_t)(s - g->services->v) : 0;

		if (!s)
			continue;
		if (g->nodes[at].group) {
			tell_member(l, s->name, g->nodes[at].group);
			continue;
		}
		g->nodes[at].group = l->s;
		check_escalation(g, l, s);
		for (size_t i = 0; i < n_before && r >= 0; i++)
			r = add_edge(g, at, before[i]);
		if (n_before < ARRAY_LEN(before))
			before[n_before++] = at;
	}
	return r;
}

/* ---- rings -------------------------------------------------------------------------------- */

/* What can be brought into an order is; how much is not. */
static size_t sort_out(struct graph *g)
{
	size_t n = g->services->n, left = 0;
	bool more = true;

	while (more) {
		more = false;
		left = 0;
		for (size_t i = 0; i < n; i++) {
			struct node *node = &g->nodes[i];

			if (node->is_in_order)
				continue;
			while (node->n_open > 0 &&
				g->nodes[node->v[node->n_open - 1]].is_in_order)
				node->n_open--;
			if (node->n_open > 0)
				left++;
			else
				node->is_in_order = more = true;
		}
	}
	return left;
}

/* the next one on the way along a ring: it comes after that */
static size_t next_of(const struct graph *g, size_t at)
{
	return g->nodes[at].v[g->nodes[at].n_open - 1];
}

/* where the ring is that one leads to which is not in order; it may be no part of it */
static size_t find_ring(struct graph *g, size_t at)
{
	for (size_t i = 0; i < g->services->n; i++)
		g->nodes[i].was_met = false;
	while (!g->nodes[at].was_met) {
		g->nodes[at].was_met = true;
		at = next_of(g, at);
	}
	return at;
}

static bool names(const struct config_named *s, enum config_key k, const char *name)
{
	STRV_FOREACH(e, s->v[k].strv)
		if (STREQ(*e, name))
			return true;
	return false;
}

/* the key of it that makes it wait for the next one; that of its group, where none does */
static enum config_key why(const struct graph *g, size_t at)
{
	const struct config_named *v = g->services->v;
	const char *next = v[next_of(g, at)].name;

	if (names(&v[at], CONFIG_REQUIRES, next))
		return CONFIG_REQUIRES;
	return names(&v[at], CONFIG_AFTER, next) ? CONFIG_AFTER : CONFIG_GROUP_SERVICES;
}

/* "a, b, a", cut where it is too long */
static void describe_ring(const struct graph *g, size_t first, char *buf, size_t size)
{
	const struct config_named *v = g->services->v, *group = NULL;
	size_t used = (size_t)snprintf(buf, size, "it waits for itself: ");
	size_t at = first;

	do {
		if (why(g, at) == CONFIG_GROUP_SERVICES)
			group = g->nodes[at].group;
		if (used < size)
			used += (size_t)snprintf(
				buf + used, size - used, "%s, ", v[at].name);
		at = next_of(g, at);
	} while (at != first);
	if (used < size)
		used += (size_t)snprintf(buf + used, size - used, "%s", v[first].name);
	if (used < size && group)
		used += (size_t)snprintf(buf + used, size - used,
			"; in [group %s] each waits for those before it", group->name);
	if (used >= size)
		memcpy(buf + size - 4, "...", 4);
}

/* Told at the first of the ring, as the file has them; the ring is open there then. */
static void tell_ring(struct graph *g, size_t at)
{
	char text[RING_TEXT_MAX];
	size_t first = at;
	struct config_look l = {g->c, NULL, g->errors, CONFIG_SECTION_SERVICE};
	enum config_key k;

	for (size_t i = next_of(g, at); i != at; i = next_of(g, i))
		first = MIN(first, i);
	describe_ring(g, first, text, sizeof(text));
	k = why(g, first);
	l.s = &g->services->v[first];
	if (k == CONFIG_GROUP_SERVICES) {
		l.s = g->nodes[first].group;
		l.section = CONFIG_SECTION_GROUP;
	}
	config_look_error(&l, &l.s->key_origin[k], config_key_info[k].key, text);
	g->nodes[first].n_open--;
}

static void check_rings(struct graph *g)
{
	for (size_t i = 0; i < g->services->n; i++)
		g->nodes[i].n_open = g->nodes[i].n;
	while (sort_out(g) > 0) {
		size_t at = 0;

		while (g->nodes[at].is_in_order)
			at++;
		tell_ring(g, find_ring(g, at));
	}
}

void config_check_service_deps(struct config *c, struct config_errors *errors)
{
	const struct config_names *groups = &c->named[CONFIG_SECTION_GROUP];
	struct graph g = {.c = c,
		.errors = errors,
		.services = &c->named[CONFIG_SECTION_SERVICE]};
	int r = graph_init(&g);

	for (size_t i = 0; i < g.services->n && r >= 0; i++) {
		struct config_look l = {
			c, &g.services->v[i], errors, CONFIG_SECTION_SERVICE};

		r = add_list(&g, &l, i, CONFIG_REQUIRES);
		if (r >= 0)
			r = add_list(&g, &l, i, CONFIG_AFTER);
	}
	for (size_t i = 0; i < groups->n && r >= 0; i++) {
		struct config_look l = {c, &groups->v[i], errors, CONFIG_SECTION_GROUP};

		r = add_group(&g, &l);
	}
	if (r >= 0)
		check_rings(&g);
	else
		errors->no_memory = true;
	graph_deinit(&g);
}
