/*
 * A growing list of ids. Zeroed is empty; it does not look whether an id is in it twice.
 */
#ifndef BASE_ID_LIST_H
#define BASE_ID_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_list {
	uint64_t *v; /* owned */
	size_t n, n_max;
};

/* At the end. 0, or -ENOMEM: the list is as it was. */
int id_list_add(struct id_list *l, uint64_t id);
/* The first of that id, where it is there; the others keep their order. True: it was. */
bool id_list_remove(struct id_list *l, uint64_t id);
/* Ascending. */
void id_list_sort(struct id_list *l);
/* Empty, without memory; it may be used again. */
void id_list_deinit(struct id_list *l);

#endif
