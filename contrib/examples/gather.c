/*
 * Three calls side by side: the whole takes as long as the longest of them, and the
 * results come in the order of the calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <reeve/reeve.h>
#include <stdio.h>
#include <stdlib.h>

struct request {
	const char *what;
	rv_time takes;
};

static int fetch(void *arg)
{
	struct request *q = arg;
	char *answer;
	int r = rv_sleep(q->takes);

	if (r < 0)
		return r;
	if (asprintf(&answer, "the %s", q->what) < 0)
		return -ENOMEM;
	rv_task_return(answer, free);
	return 0;
}

static int app(void *arg)
{
	struct request slow = {"slow one", RV_MS(30)}, quick = {"quick one", RV_MS(10)},
		       middle = {"one in between", RV_MS(20)};
	const rv_call calls[] = {{fetch, &slow, "slow"}, {fetch, &quick, "quick"},
		{fetch, &middle, NULL}};
	rv_outcome out[3];
	int r = rv_gather_calls(calls, 3, 0, out);

	if (r < 0) /* one has failed; the others were cancelled and have ended */
		return r;
	for (int i = 0; i < 3; i++) {
		printf("%d: %s\n", i, (char *)out[i].val);
		free(out[i].val);
	}
	return 0;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
