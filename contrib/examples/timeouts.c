/* Deadlines: of one await, of a block, and of a clean-up that must not be cut short. */
#include <errno.h>
#include <reeve/reeve.h>
#include <stdio.h>

static int exchange(void)
{
	int r = rv_sleep(RV_SEC(60)); /* the other side does not answer */

	if (r < 0)
		printf("exchange: %s\n", rv_strerror(r));
	return r;
}

static int say_goodbye(void)
{
	int r = rv_sleep(RV_MS(5));

	printf("goodbye: %s\n", r < 0 ? rv_strerror(r) : "said");
	return r;
}

static int app(void *arg)
{
	rv_scope deadline, shield;
	rv_lock lock;
	int r;

	/* one await */
	rv_lock_init(&lock);
	r = rv_lock_acquire(&lock);
	if (r < 0)
		return r;
	r = rv_timed(RV_MS(5), rv_lock_acquire(&lock));
	printf("second acquire: %s\n", rv_strerror(r));
	(void)rv_lock_release(&lock);

	/* a block: one deadline for all that happens in it */
	r = rv_timeout(&deadline, RV_MS(10));
	if (r < 0)
		return r;
	r = exchange();
	if (r == -ECANCELED) {
		/* whatever is awaited in here fails at once now, but for this: */
		(void)rv_shield(&shield, RV_SEC(1));
		(void)rv_scope_exit(&shield, say_goodbye());
	}
	r = rv_scope_exit(&deadline, r);
	printf("the whole: %s\n", rv_strerror(r));
	return r == -ETIMEDOUT ? 0 : -1;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
