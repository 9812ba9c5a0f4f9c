/*
 * A producer and three consumers on a queue of two places. The producer is held up when
 * they are slow; shutting the queue down ends them when all is done.
 */
#include <errno.h>
#include <reeve/reeve.h>
#include <stdio.h>

enum { ITEMS = 9 };

static int done_by[3];

struct consumer {
	rv_queue *queue;
	int number;
};

static int consume(void *arg)
{
	struct consumer *c = arg;
	void *item;
	int r;

	while ((r = rv_queue_get(c->queue, &item)) == 0) {
		r = rv_sleep(RV_MS(1)); /* the work */
		if (r < 0)
			return r;
		done_by[c->number]++;
	}
	return r == -RV_ESHUTDOWN ? 0 : r;
}

static int produce(rv_queue *q)
{
	static int items[ITEMS];
	int r = 0;

	for (int i = 0; i < ITEMS && r == 0; i++)
		r = rv_queue_put(q, &items[i]);
	rv_queue_shutdown(q, false); /* what is in it is still taken */
	return r;
}

static int app(void *arg)
{
	struct consumer consumers[3];
	rv_queue *q;
	rv_group g;
	int r = rv_queue_new(&q, RV_QUEUE_FIFO, 2, NULL, NULL);

	if (r < 0)
		return r;
	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	if (r < 0) {
		rv_queue_free(q);
		return r;
	}
	for (int i = 0; i < 3; i++) {
		consumers[i] = (struct consumer){q, i};
		if (!rv_group_spawn(&g, consume, &consumers[i]))
			r = -errno;
	}
	if (r == 0)
		r = produce(q);
	r = rv_group_exit(&g, r); /* until the last of them has ended */
	rv_queue_free(q);
	printf("%d items done\n", done_by[0] + done_by[1] + done_by[2]);
	return r;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
