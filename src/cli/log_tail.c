#include "config.h"

#include "cli/log_tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"

struct held {
	struct list link;
	struct log_line line; /* text points to behind this */
};

void log_tail_init(struct log_tail *t, int64_t n_max)
{
	*t = (struct log_tail){.n_max = n_max};
	list_init(&t->lines);
}

static void drop_first(struct log_tail *t)
{
	struct held *h = LIST_ENTRY(list_pop(&t->lines), struct held, link);

	t->n--;
	t->bytes -= sizeof(*h) + h->line.n;
	free(h);
}

void log_tail_deinit(struct log_tail *t)
{
	while (t->n > 0)
		drop_first(t);
}

int log_tail_put(struct log_tail *t, const struct log_line *line)
{
	struct held *h;

	if (t->n_max == 0)
		return 0;
	h = malloc(sizeof(*h) + line->n);
	if (!h)
		return -ENOMEM;
	h->line = *line;
	h->line.text = memcpy(h + 1, line->text, line->n);
	list_init(&h->link);
	list_append(&t->lines, &h->link);
	t->n++;
	t->bytes += sizeof(*h) + line->n;
	if (t->n > t->n_max)
		drop_first(t);
	while (t->bytes > LOG_TAIL_BYTES) {
		drop_first(t);
		t->dropped++;
	}
	/* those that would have gone by now in any case are no loss */
	t->dropped = MIN(t->dropped, t->n_max - t->n);
	return 0;
}

int log_tail_tell(struct log_tail *t, log_line_fn fn, void *arg)
{
	int r = 0;

	while (t->n > 0 && r == 0) {
		r = fn(arg,
			&LIST_ENTRY(list_first(&t->lines), struct held, link)->line);
		drop_first(t);
	}
	return r;
}
