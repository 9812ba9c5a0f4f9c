/*
 * What a user asked for when submitting a job: the fields that were given, the rest at
 * their defaults. A spec is packed (spec_pack) into a few dozen bytes for the store and
 * for waiting jobs, of which there may be a million, and unpacked when one is looked
 * at.
 */
#ifndef JOB_SPEC_H
#define JOB_SPEC_H

#include <sys/resource.h>

#include "job/fields.h"

/* a number that is not set and has no default (umask, nice): 0 would be a value */
#define JOB_NUM_UNSET INT64_MIN

struct job_spec {
	uint64_t set; /* bit per field: given, not default */
	/* Owned where set. Else the default, which is shared and must not be changed or
	 * freed; NULL or JOB_NUM_UNSET where there is none. An empty list may be NULL.
	 */
	union job_value v[JOB_FIELD_N];
};

void job_spec_init(struct job_spec *s); /* all at their defaults */
void job_spec_deinit(struct job_spec *s);
static inline bool job_spec_has(const struct job_spec *s, enum job_field f)
{
	return s->set >> f & 1;
}
/* Takes the value, also on failure. Lists that append (ENV, NAMES, GLOBS) append: of
 * two entries for one variable the later counts, a label twice is dropped. The value
 * must have passed job_value_check. 0, -RV_ELIMIT (too many elements), -ENOMEM. */
int job_spec_put(struct job_spec *s, enum job_field f, union job_value v);
/* a copy of a text, of a field that has one. 0, -ENOMEM */
int job_spec_put_text(struct job_spec *s, enum job_field f, const char *text);
void job_spec_unset(struct job_spec *s, enum job_field f); /* back to the default */
/* Fields that are set in defaults and not in s are taken over (lists: put before). What
 * to do (command, shell-command, function, arguments) is taken over only as a whole. On
 * failure a part may have been. 0, -RV_ELIMIT, -ENOMEM. */
int job_spec_merge_defaults(struct job_spec *s, const struct job_spec *defaults);

/* The same for one field, where it is set in from. */
int job_spec_take_over(
	struct job_spec *s, const struct job_spec *from, enum job_field f);

/* one of command, shell-command, function is set */
bool job_spec_says_work(const struct job_spec *s);

/**
 * What holds over all fields together: exactly one of command, shell-command, function;
 * arguments only with function; retry-delay <= retry-delay-max
 * where both are given; cwd and shell are absolute; split-output has two files.
 *
 * Returns 0, or -EINVAL with *ret_field the field to name and *err a message
 * (malloc'd).
 */
int job_spec_check(const struct job_spec *s, enum job_field *ret_field, char **err);

/* The part of it that holds for [defaults] too, which need not say what to do, one fault
 * after the other: *at is 0 at first, and moves on. 0: there is no other; or -EINVAL as
 * above. */
int job_spec_check_next(
	const struct job_spec *s, unsigned *at, enum job_field *ret_field, char **err);

/* The part of it that says nothing of what to do: of a job that may take that from
 * [defaults]. */
int job_spec_check_options(
	const struct job_spec *s, enum job_field *ret_field, char **err);

/* Stored form: for each set field varint tag, varint length, bytes, in the order of
 * tags. Unknown tags of a later version are -RV_EVERSION, damage is -RV_ECORRUPT. Any
 * bytes may be given to unpack and peek; texts are checked for NUL, not for their
 * type's form. ret is set only on success, and is the caller's to deinit. *ret is
 * malloc'd, and not NULL where it is empty. */
int job_spec_pack(void **ret, size_t *ret_len, const struct job_spec *s);
int job_spec_unpack(struct job_spec *ret, const void *p, size_t n);
/* One field of a packed spec without unpacking the rest: 1 found (points into p, no NUL
 * at its end), 0 not: the default holds. Allocates nothing. -RV_ECORRUPT. */
int job_spec_peek_str(
	const char **ret, size_t *ret_len, const void *p, size_t n, enum job_field f);
int job_spec_peek_num(int64_t *ret, const void *p, size_t n, enum job_field f);

#define job_num(s, ID)  ((s)->v[JOB_FIELD_##ID].num)
#define job_str(s, ID)  ((s)->v[JOB_FIELD_##ID].str)
#define job_strv(s, ID) ((s)->v[JOB_FIELD_##ID].strv)

/* RLIMITS text in canonical form to limits: calls fn for each until it returns
 * non-zero; 0, -EINVAL, or what fn returned. Allocates nothing (the spawner calls it).
 */
int rlimits_each(const char *text,
	int (*fn)(int resource, rlim_t soft, rlim_t hard, void *arg), void *arg);

/* CODES text in canonical form: does it hold this exit (code >= 0) or signal (sig > 0)?
 */
bool codes_match(const char *text, int code, int sig);
/* That form of what people write, malloc'd; same errors as job_value_parse. @n_max: most
 * elements */
int codes_canonical(char **ret, const char *text, size_t n_max, char **err);

#endif
