/*
 * A store that lasts as long as the process: for the simulation and for tests of what
 * lies above it. It is the same code as on disk with a database in memory, so units are
 * refused for the same reasons; and it can be told to fail. What was applied can be
 * loaded again any number of times, as by a daemon that starts anew.
 */
#ifndef STORE_STORE_MEMORY_H
#define STORE_STORE_MEMORY_H

#include "store/store.h"

/**
 * Make coming store_apply fail as a full disk or a broken one would: nothing is kept.
 *
 * @st     from store_open_memory
 * @after  how many applies go well before
 * @n      how many fail then; 0: none, and earlier orders are forgotten; SIZE_MAX: all
 * @error  what they return, negative
 */
void store_memory_fail_apply(struct store *st, size_t after, size_t n, int error);

/**
 * Decide for each unit whether it is refused: fn returns 0, or a negative error that
 * becomes the unit's. The unit has no effect then. NULL: no more.
 */
typedef int (*store_unit_filter_fn)(const struct store_unit *u, void *arg);
void store_memory_filter_units(struct store *st, store_unit_filter_fn fn, void *arg);

/* store_apply that committed, in all */
size_t store_memory_n_applied(struct store *st);

#endif
