#include "config.h"

#include "varlink/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/invariant.h"
#include "varlink/builtin.h"
#include "varlink/std_error.h"

struct interface {
	struct vl_idl *idl;
	const char *text;
	struct vl_route *routes;
	size_t n_routes;
};

struct vl_registry {
	struct vl_registry_info info;
	struct interface **interfaces;
	size_t n_interfaces;
	struct hashmap
		*routes; /* full name -> struct vl_route, owned by its interface */
	json_t *empty;
};

static struct interface *interface_free(struct interface *in)
{
	if (!in)
		return NULL;
	for (size_t i = 0; i < in->n_routes; i++)
		free(in->routes[i].name);
	free(in->routes);
	vl_idl_free(in->idl);
	free(in);
	return NULL;
}

DEFINE_CLEANUP(struct interface *, interface_free)

struct vl_registry *vl_registry_free(struct vl_registry *reg)
{
	if (!reg)
		return NULL;
	hashmap_free(reg->routes);
	for (size_t i = 0; i < reg->n_interfaces; i++)
		interface_free(reg->interfaces[i]);
	free(reg->interfaces);
	json_decref(reg->empty);
	free(reg);
	return NULL;
}

DEFINE_CLEANUP(struct vl_registry *, vl_registry_free)

int vl_registry_new(struct vl_registry **ret, const struct vl_registry_info *info)
{
	_cleanup_(vl_registry_freep) struct vl_registry *reg = NULL;
	int r;

	INVARIANT(ret && info);
	reg = calloc(1, sizeof(*reg));
	if (!reg)
		return -ENOMEM;
	reg->info = *info;
	reg->empty = json_object();
	if (!reg->empty)
		return -ENOMEM;
	r = hashmap_new(&reg->routes, HASHMAP_STRING);
	if (r < 0)
		return r;
	r = vl_registry_add(reg, org_varlink_service_varlink, NULL, 0, NULL);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(reg);
	return 0;
}

static const struct vl_method *find_method(
	const struct vl_method *methods, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (STREQ(methods[i].name, name))
			return &methods[i];
	return NULL;
}

/* A route for every method of the definition. */
static int make_routes(
	struct interface *in, const struct vl_method *methods, size_t n_methods)
{
	bool is_service = STREQ(in->idl->name, VL_SERVICE);

	for (size_t i = 0; i < n_methods; i++)
		if (!vl_idl_member(in->idl, VL_MEMBER_METHOD, methods[i].name))
			return -ENOENT;
	in->routes = calloc(in->idl->n_members, sizeof(*in->routes));
	if (!in->routes)
		return -ENOMEM;
	for (size_t i = 0; i < in->idl->n_members; i++) {
		const struct vl_member *m = &in->idl->members[i];
		struct vl_route *route = &in->routes[in->n_routes];

		if (m->kind != VL_MEMBER_METHOD)
			continue;
		if (asprintf(&route->name, "%s.%s", in->idl->name, m->name) < 0) {
			route->name = NULL;
			return -ENOMEM;
		}
		in->n_routes++;
		route->member = m;
		route->method = find_method(methods, n_methods, m->name);
		if (is_service)
			vl_builtin_bind(route);
	}
	return 0;
}

static int enter_routes(struct vl_registry *reg, struct interface *in)
{
	for (size_t i = 0; i < in->n_routes; i++) {
		int r = hashmap_put(reg->routes, in->routes[i].name, &in->routes[i]);

		if (r < 0) {
			while (i-- > 0)
				hashmap_remove(reg->routes, in->routes[i].name);
			return r;
		}
	}
	return 0;
}

int vl_registry_add(struct vl_registry *reg, const char *text,
	const struct vl_method *methods, size_t n_methods, struct vl_idl_error *error)
{
	_cleanup_(interface_freep) struct interface *in = NULL;
	struct interface **list;
	int r;

	INVARIANT(reg && text && (methods || n_methods == 0));
	in = calloc(1, sizeof(*in));
	if (!in)
		return -ENOMEM;
	in->text = text;
	r = vl_idl_parse(&in->idl, error, text, strlen(text));
	if (r < 0)
		return r;
	if (vl_registry_interface(reg, in->idl->name))
		return -EEXIST;
	r = make_routes(in, methods, n_methods);
	if (r < 0)
		return r;
	list = reallocarray(
		reg->interfaces, reg->n_interfaces + 1, sizeof(struct interface *));
	if (!list)
		return -ENOMEM;
	reg->interfaces = list;
	r = enter_routes(reg, in);
	if (r < 0)
		return r;
	list[reg->n_interfaces++] = TAKE_PTR(in);
	return 0;
}

const struct vl_route *vl_registry_route(
	const struct vl_registry *reg, const char *name)
{
	return hashmap_get(reg->routes, name);
}

static const struct interface *find_n(
	const struct vl_registry *reg, const char *name, size_t n)
{
	for (size_t i = 0; i < reg->n_interfaces; i++) {
		const char *it = reg->interfaces[i]->idl->name;

		if (strlen(it) == n && memcmp(it, name, n) == 0)
			return reg->interfaces[i];
	}
	return NULL;
}

static const struct interface *find(const struct vl_registry *reg, const char *name)
{
	return find_n(reg, name, strlen(name));
}

const struct vl_idl *vl_registry_interface(
	const struct vl_registry *reg, const char *name)
{
	const struct interface *in = find(reg, name);

	return in ? in->idl : NULL;
}

const char *vl_registry_text(const struct vl_registry *reg, const char *name)
{
	const struct interface *in = find(reg, name);

	return in ? in->text : NULL;
}

static const struct vl_member *find_error(
	const struct vl_registry *reg, const struct vl_route *route, const char *error)
{
	size_t n_method = (size_t)(strrchr(route->name, '.') - route->name);
	const char *dot = strrchr(error, '.');
	const struct interface *in;
	size_t n;

	if (!dot)
		return NULL;
	n = (size_t)(dot - error);
	if ((n != n_method || memcmp(error, route->name, n) != 0) &&
		(n != strlen(VL_SERVICE) || memcmp(error, VL_SERVICE, n) != 0))
		return NULL;
	in = find_n(reg, error, n);
	return in ? vl_idl_member(in->idl, VL_MEMBER_ERROR, dot + 1) : NULL;
}

int vl_registry_check_reply(const struct vl_registry *reg, const struct vl_route *route,
	const char *error, const json_t *params, struct vl_fault *fault)
{
	const struct vl_member *m;

	if (!error)
		return vl_check(&route->member->outputs, params, fault);
	m = find_error(reg, route, error);
	if (!m) {
		vl_fault_set(fault, error, "no error of this interface");
		return -EINVAL;
	}
	return vl_check(&m->type, params, fault);
}

const char *vl_registry_name(const struct vl_registry *reg, size_t i)
{
	return i < reg->n_interfaces ? reg->interfaces[i]->idl->name : NULL;
}

const struct vl_registry_info *vl_registry_info(const struct vl_registry *reg)
{
	return &reg->info;
}

const json_t *vl_registry_empty(const struct vl_registry *reg)
{
	return reg->empty;
}
