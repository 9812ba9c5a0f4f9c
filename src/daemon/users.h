/*
 * Names of users for people who read lists. They are looked up in a worker, because the C
 * library may ask a directory server; until its answer comes, a user is a number.
 */
#ifndef DAEMON_USERS_H
#define DAEMON_USERS_H

#include <stdint.h>

#include "reeve/base.h"

struct core;
struct users;

int users_new(struct users **ret, struct core *core);
struct users *users_free(struct users *us);

/* This user will be shown: look it up soon. Names are kept for the life of the daemon. */
void users_note(struct users *us, uint32_t uid);
/* the name, or the number; valid until the next call */
const char *users_name(struct users *us, uint32_t uid);

/* Who is called so, or has that number; a name that consists of digits comes first. Blocking:
 * name services may ask the network. 0, -ENOENT, -ENOMEM */
int users_find(uint32_t *ret, const char *name);

/* The task that looks up; a service task. */
int users_main(void *users);

#endif
