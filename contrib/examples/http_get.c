/*
 * Fetch URLs side by side, four at a time and each within ten seconds, and say what came.
 * usage: http_get URL...
 */
#include <errno.h>
#include <reeve/http.h>
#include <reeve/reeve.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 4 };

struct job {
	rv_group group;
	rv_sem turns;
	char **urls; /* NULL-terminated */
	int n_failed;
};

struct fetch {
	struct job *job;
	const char *url;
};

static int fetch(void *arg)
{
	struct fetch *f = arg;
	rv_http_response a = {0};
	int r = rv_timed(RV_SEC(10), rv_http_get(f->url, &a));

	if (r == 0)
		printf("%d %zu %s\n", a.status, a.body.n, f->url);
	else
		fprintf(stderr, "http_get: %s\n",
			r != -ETIMEDOUT && rv_errmsg() ? rv_errmsg() : rv_strerror(r));
	if (r < 0)
		f->job->n_failed++;
	rv_http_response_free(&a);
	(void)rv_sem_release(&f->job->turns);
	return 0; /* the others go on */
}

static int fetch_all(struct job *job)
{
	for (char **url = job->urls; *url; url++) {
		const rv_task_opts o = {.name = *url, .arg_dtor = free};
		struct fetch *f;
		int r = rv_sem_acquire(&job->turns);

		if (r < 0)
			return r;
		f = malloc(sizeof(*f));
		if (!f)
			return -ENOMEM;
		*f = (struct fetch){job, *url};
		/* no reference: what has ended is forgotten, however many there are */
		r = rv_group_spawn_ex(&job->group, &o, fetch, f, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int app(void *urls)
{
	struct job job = {.urls = urls};
	int r = rv_sem_init(&job.turns, AT_ONCE, 0);

	if (r == 0)
		r = rv_group_enter(&job.group, RV_GROUP_FAIL_FAST);
	if (r < 0)
		return r;
	r = rv_group_exit(&job.group, fetch_all(&job));
	return r < 0 ? r : job.n_failed;
}

int main(int argc, char **argv)
{
	return rv_run(app, argv + 1, NULL) != 0;
}
