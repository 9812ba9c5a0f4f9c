/* What blocks goes to a thread; meanwhile the loop serves others. */
#include <reeve/reeve.h>
#include <stdio.h>

struct range {
	long from, to, n_primes;
};

/* in a thread: no rv_ function but those marked RV_TS */
static int count_primes(void *arg)
{
	struct range *q = arg;

	for (long i = q->from; i < q->to; i++) {
		long d = 2;

		while (d * d <= i && i % d)
			d++;
		q->n_primes += i > 1 && d * d > i;
	}
	return 0;
}

static int in_thread(void *arg)
{
	return rv_run_blocking(NULL, count_primes, arg);
}

static int tick(void *arg)
{
	int *n = arg;
	int r;

	while ((r = rv_sleep(RV_US(100))) == 0)
		++*n;
	return r;
}

static int app(void *arg)
{
	struct range halves[] = {{0, 20000, 0}, {20000, 40000, 0}};
	const rv_call calls[] = {
		{in_thread, &halves[0], NULL}, {in_thread, &halves[1], NULL}};
	int ticks = 0, r;
	rv_group g;

	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	if (r < 0)
		return r;
	/* a service ends with the group, which does not wait for it */
	(void)rv_group_spawn_service(&g, tick, &ticks);
	r = rv_group_exit(&g, rv_gather_calls(calls, 2, 0, NULL));
	printf("%ld primes; the loop %s\n", halves[0].n_primes + halves[1].n_primes,
		ticks > 0 ? "went on meanwhile" : "stood still");
	return r;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
