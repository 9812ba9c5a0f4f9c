/*
 * Texts in which a job says what it asks for: its pools, and resources.
 *
 *   pools      "a": one; "a,b": a slot in each; "a|b": in either
 *   resources  "gpu=1 tape=2": so many of each, as long as it runs
 *
 * Names as name_is_valid has them.
 */
#ifndef JOB_ASKS_H
#define JOB_ASKS_H

#include "reeve/base.h"

#define JOB_POOLS_MAX 8  /* in one text */
#define JOB_NEEDS_MAX 16 /* likewise */
/* bytes of a text of pools, with its NUL */
#define JOB_POOLS_BYTES (JOB_POOLS_MAX * 65)

/* The pool of services that take no slot of any: no name that a user can give to one. */
#define SERVICE_POOL ".services"

/* 0; -EINVAL; -RV_ELIMIT: more than JOB_POOLS_MAX */
int job_pools_check(const char *text);
/* Calls fn for each name until it returns non-zero; 0, or that. The text must be valid. */
int job_pools_each(const char *text, int (*fn)(const char *name, void *arg), void *arg);
bool job_pools_has(const char *text, const char *name);

/* one element, "gpu=1"; name has 65 bytes. 0, -EINVAL */
int job_need_parse(const char *text, char *name, int64_t *ret_amount);
/* Calls fn for each until it returns non-zero; 0, or that; -EINVAL where the text is not
 * well-formed, with what came before given already; -RV_ELIMIT. */
int job_needs_each(const char *text,
	int (*fn)(const char *name, int64_t amount, void *arg), void *arg);

#endif
