/*
 * Lists of struct rv_link. Public structures embed the node, so its type is public and
 * base/list.h cannot serve here; the functions are the same. A zeroed node is in no
 * list.
 */
#ifndef RUNTIME_LINK_H
#define RUNTIME_LINK_H

#include "base/macro.h"
#include "reeve/types.h"

static inline void link_init(struct rv_link *head)
{
	head->prev = head->next = head;
}
static inline bool link_is_empty(const struct rv_link *head)
{
	return head->next == head;
}
static inline bool link_is_linked(const struct rv_link *node)
{
	return node->next != NULL;
}
static inline void link_append(struct rv_link *head, struct rv_link *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}
static inline void link_prepend(struct rv_link *head, struct rv_link *node)
{
	link_append(head->next, node);
}
/* the node must be in a list */
static inline void link_unlink(struct rv_link *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	node->prev = node->next = NULL;
}
/* no effect on a node that is in no list */
static inline void link_remove(struct rv_link *node)
{
	if (node->next)
		link_unlink(node);
}
static inline struct rv_link *link_first(const struct rv_link *head)
{
	return link_is_empty(head) ? NULL : head->next;
}
static inline struct rv_link *link_pop(struct rv_link *head)
{
	struct rv_link *node = link_first(head);

	if (node)
		link_unlink(node);
	return node;
}
/* moves everything from src to the end of dst */
static inline void link_splice(struct rv_link *dst, struct rv_link *src)
{
	if (link_is_empty(src))
		return;
	src->next->prev = dst->prev;
	dst->prev->next = src->next;
	src->prev->next = dst;
	dst->prev = src->prev;
	link_init(src);
}

#define LINK_ENTRY(node, type, member) CONTAINER_OF(node, type, member)

#endif
