/* A task that says hello, waits without holding anybody up, and says goodbye. */
#include <reeve/reeve.h>
#include <stdio.h>

static int greet(void *name)
{
	int r;

	printf("hello, %s\n", (const char *)name);
	r = rv_sleep(RV_MS(10));
	if (r < 0) /* cancelled meanwhile */
		return r;
	printf("goodbye, %s\n", (const char *)name);
	return 0;
}

int main(void)
{
	return rv_run(greet, (void *)"world", NULL) < 0;
}
