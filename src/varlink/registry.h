/*
 * The interfaces of a service: their definitions, and what handles each method.
 *
 * Filled once at start, then only read: from any thread, without locks.
 * org.varlink.service is in it from the beginning and answered without a handler.
 */
#ifndef VARLINK_REGISTRY_H
#define VARLINK_REGISTRY_H

#include <jansson.h>

#include "base/buf.h"
#include "varlink/idl.h"

enum vl_method_flags {
	VL_METHOD_MORE_REQUIRED = 1 << 0, /* without "more": ExpectedMore */
};

/* What it really is only the program knows; it casts it back. */
typedef void (*vl_handler_fn)(void);

struct vl_method {
	const char *name; /* without the interface's: "Ping" */
	vl_handler_fn handler;
	unsigned flags; /* enum vl_method_flags */
	int id;         /* the program's own */
};

struct vl_registry_info {
	const char *vendor, *product, *version, *url; /* kept by pointer */
};

struct vl_registry;

/* Where a method name leads. */
struct vl_route {
	char *name;                     /* in full: "io.reeve.Daemon.Ping" */
	const struct vl_member *member; /* its types */
	const struct vl_method
		*method; /* NULL: defined but not implemented, or builtin */
	/* Answers by itself: appends the reply's parameters to out, or -ENOENT and the
	 * fault, whose path is the interface that is not there; NULL for all but
	 * org.varlink.service */
	int (*builtin)(const struct vl_registry *reg, const json_t *params,
		struct buf *out, struct vl_fault *fault);
};

int vl_registry_new(struct vl_registry **ret, const struct vl_registry_info *info);
struct vl_registry *vl_registry_free(struct vl_registry *reg); /* NULL is fine */

/**
 * Add an interface.
 *
 * @text     its definition; kept by pointer (it is part of the program)
 * @methods  one for each implemented method, kept by pointer; methods of the definition
 *           that are not there answer MethodNotImplemented
 * @error    set on -EINVAL; may be NULL
 *
 * Returns 0; -EINVAL the text is wrong; -EEXIST the interface is there already; -ENOENT
 * a method of the table is not in the definition; -ENOMEM. On errors nothing was added.
 */
int vl_registry_add(struct vl_registry *reg, const char *text,
	const struct vl_method *methods, size_t n_methods, struct vl_idl_error *error);

/* by the full name of the method; NULL when there is none */
const struct vl_route *vl_registry_route(
	const struct vl_registry *reg, const char *name);
/* by name, NULL when there is none; valid as long as the registry */
const struct vl_idl *vl_registry_interface(
	const struct vl_registry *reg, const char *name);
const char *vl_registry_text(const struct vl_registry *reg, const char *name);

/**
 * Does a reply fit what its interface promises? For tests and debugging.
 *
 * @error   NULL: params are those of a reply to the route's method; else the full name
 * of an error, which must be one of the route's interface or org.varlink.service
 *
 * Returns 0, or -EINVAL with the fault.
 */
int vl_registry_check_reply(const struct vl_registry *reg, const struct vl_route *route,
	const char *error, const json_t *params, struct vl_fault *fault);

/* in the order in which they were added, NULL behind the last */
const char *vl_registry_name(const struct vl_registry *reg, size_t i);
const struct vl_registry_info *vl_registry_info(const struct vl_registry *reg);
/* an empty object as long as the registry lives: no references are taken to it */
const json_t *vl_registry_empty(const struct vl_registry *reg);

#endif
