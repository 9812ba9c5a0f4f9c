#include "config.h"

#include "base/list.h"

#include "tests/support/unit.h"

struct item {
	int value;
	struct list link;
};

static void assert_order(struct list *head, const int *values, size_t n)
{
	size_t i = 0;

	LIST_FOREACH(it, head) {
		ck_assert_uint_lt(i, n);
		ck_assert_int_eq(LIST_ENTRY(it, struct item, link)->value, values[i++]);
	}
	ck_assert_uint_eq(i, n);
}

START_TEST(elements_stand_where_they_were_put)
{
	struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3};
	struct list head;

	list_init(&head);
	ck_assert(list_is_empty(&head));
	ck_assert_ptr_null(list_pop(&head));
	list_append(&head, &b.link);
	list_prepend(&head, &a.link);
	list_append(&head, &c.link);
	assert_order(&head, (int[]){1, 2, 3}, 3);
	ck_assert_ptr_eq(list_pop(&head), &a.link);
	ck_assert(!list_is_linked(&a.link));
	list_remove(&a.link); /* in no list: no effect */
	assert_order(&head, (int[]){2, 3}, 2);
}
END_TEST

START_TEST(current_element_may_go_while_walking)
{
	struct item items[4] = {{.value = 0}, {.value = 1}, {.value = 2}, {.value = 3}};
	struct list head;

	list_init(&head);
	for (size_t i = 0; i < 4; i++)
		list_append(&head, &items[i].link);
	LIST_FOREACH_SAFE(it, &head) {
		if (LIST_ENTRY(it, struct item, link)->value % 2 == 0)
			list_remove(it);
	}
	assert_order(&head, (int[]){1, 3}, 2);
}
END_TEST

START_TEST(splice_moves_everything_to_the_end)
{
	struct item a = {.value = 1}, b = {.value = 2}, c = {.value = 3};
	struct list to, from;

	list_init(&to);
	list_init(&from);
	list_splice(&to, &from);
	ck_assert(list_is_empty(&to));
	list_append(&to, &a.link);
	list_append(&from, &b.link);
	list_append(&from, &c.link);
	list_splice(&to, &from);
	ck_assert(list_is_empty(&from));
	assert_order(&to, (int[]){1, 2, 3}, 3);
}
END_TEST

UNIT_MAIN("list", elements_stand_where_they_were_put,
	current_element_may_go_while_walking, splice_moves_everything_to_the_end)
