/*
 * Varlink interface definitions as values, and JSON checked against them.
 *
 * The whole of the language: interface, type, method, error; bool int float string
 * object, structs, enums, []T, [string]T, ?T, named types; also "any", which systemd's
 * interfaces use. Comments right above an interface, member or field are kept as its
 * doc.
 *
 * A parsed interface is never changed: any thread may read and check with it.
 */
#ifndef VARLINK_IDL_H
#define VARLINK_IDL_H

#include <jansson.h>

#include "reeve/base.h"
#include "varlink/fault.h"

/* bytes of an interface, types inside each other, members or fields or values of one
 * thing */
#define VL_IDL_TEXT_MAX  (256 * 1024)
#define VL_IDL_DEPTH_MAX 32
#define VL_IDL_ITEMS_MAX 4096

enum vl_kind {
	VL_BOOL,
	VL_INT,
	VL_FLOAT,
	VL_STRING,
	VL_OBJECT, /* any object */
	VL_ANY,    /* any value but null */
	VL_STRUCT,
	VL_ENUM,
	VL_ARRAY,
	VL_MAP,
	VL_NAMED,
};

struct vl_type {
	enum vl_kind kind;
	bool nullable;
	struct vl_type *element;     /* ARRAY, MAP */
	struct vl_field *fields;     /* STRUCT, in the order of the text */
	size_t *by_name;             /* STRUCT: places in fields, ordered by name */
	char **values;               /* ENUM: NULL-terminated */
	size_t n;                    /* fields or values */
	char *name;                  /* NAMED */
	const struct vl_type *named; /* NAMED: what it stands for, not owned */
	unsigned line, column;       /* NAMED: where, for errors */
};

struct vl_field {
	char *name;
	char *doc; /* or NULL */
	struct vl_type type;
};

enum vl_member_kind { VL_MEMBER_TYPE, VL_MEMBER_METHOD, VL_MEMBER_ERROR };

struct vl_member {
	enum vl_member_kind kind;
	char *name;
	char *doc;              /* or NULL */
	struct vl_type type;    /* the type; a method's input; an error's parameters */
	struct vl_type outputs; /* a method's output */
};

struct vl_idl {
	char *name;
	char *doc; /* or NULL */
	struct vl_member *members;
	size_t n_members;
};

struct vl_idl_error {
	unsigned line, column; /* from 1; columns are bytes */
	char text[128];        /* "expected ':' after field name" */
};

/**
 * Parse an interface.
 *
 * @error  set on -EINVAL; may be NULL
 *
 * Returns 0, -EINVAL, -ENOMEM.
 */
int vl_idl_parse(
	struct vl_idl **ret, struct vl_idl_error *error, const char *text, size_t len);
struct vl_idl *vl_idl_free(struct vl_idl *idl); /* takes NULL, returns NULL */

/* by its name without the interface's, NULL when there is none of that kind */
const struct vl_member *vl_idl_member(
	const struct vl_idl *idl, enum vl_member_kind kind, const char *name);

/* does the grammar take it as the name of an interface? */
bool vl_interface_name_is_valid(const char *s, size_t n);

/**
 * Check a value: types exactly (an int is no string; 1.0 is no int), nothing missing
 * that is not nullable, nothing unknown in structs, enums by value. An int is a good
 * float. A member that is null counts as absent.
 *
 * Returns 0, or -EINVAL with the fault: path and what was expected.
 */
int vl_check(const struct vl_type *type, const json_t *value, struct vl_fault *fault);

#endif
