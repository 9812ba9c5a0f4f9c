/*
 * A graceful end: SIGTERM lets what is going on finish for a moment, then cancels it.
 */
#include <errno.h>
#include <reeve/reeve.h>
#include <stdio.h>

static int work(void *arg)
{
	rv_time takes = *(rv_time *)arg;
	int r = rv_sleep(takes);

	printf("work of %d ms: %s\n", (int)(takes / RV_MS(1)),
		r == -ECANCELED ? "cut short" : "done");
	return r;
}

static int all_work(void *arg)
{
	static rv_time quick = RV_MS(200), endless = RV_SEC(3600);
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_COLLECT);

	if (r < 0)
		return r;
	if (!rv_group_spawn(&g, work, &quick) || !rv_group_spawn(&g, work, &endless))
		r = -errno;
	return rv_group_exit(&g, r); /* when both have ended */
}

static void on_term(void *told)
{
	rv_event_set(told);
}

static int app(void *arg)
{
	rv_task *t;
	rv_event told;
	int r;

	rv_event_init(&told);
	r = rv_signal_on(rv_loop_current(), SIGTERM, on_term, &told);
	if (r < 0)
		return r;
	t = rv_spawn(all_work, NULL);
	if (!t)
		return -errno;
	printf("ready\n");
	fflush(stdout);
	r = rv_event_wait(&told);
	printf("told to end\n");
	/* at the deadline it is cancelled, and what it tidies up is waited for */
	if (r >= 0)
		r = rv_wait_for_task(t, RV_SEC(1), NULL);
	rv_task_unref(t);
	return r == -ETIMEDOUT ? 0 : r;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
