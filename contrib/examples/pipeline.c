/* What a shell does for "sort | uniq -c", with our words going in and its lines coming out. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <reeve/reeve.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int start_both(int link[2], rv_process **sort, rv_process **uniq)
{
	char *const sort_argv[] = {(char *)"sort", NULL};
	char *const uniq_argv[] = {(char *)"uniq", (char *)"-c", NULL};
	const rv_proc_opts first = {.in = {.kind = RV_STDIO_PIPE},
		.out = {.kind = RV_STDIO_FD, .fd = link[1]}};
	const rv_proc_opts last = {.in = {.kind = RV_STDIO_FD, .fd = link[0]},
		.out = {.kind = RV_STDIO_PIPE}};
	int r = rv_exec(sort_argv, &first, sort);

	if (r < 0)
		return r;
	r = rv_exec(uniq_argv, &last, uniq);
	if (r < 0) {
		rv_process_unref(*sort); /* kills it */
		*sort = NULL;
	}
	return r;
}

static int feed(void *sort)
{
	static const char words[] = "pear\napple\npear\nplum\napple\npear\n";

	return rv_process_communicate(sort, words, strlen(words), NULL, NULL, NULL);
}

static int app(void *arg)
{
	rv_process *sort = NULL, *uniq = NULL;
	rv_buf out = {NULL, 0};
	int link[2], status = 0, r;
	rv_group g;

	if (pipe2(link, O_CLOEXEC) < 0)
		return -1;
	r = start_both(link, &sort, &uniq);
	close(link[0]); /* the children have theirs */
	close(link[1]);
	if (r < 0)
		return r;
	/* one feeds while the other collects */
	r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);
	if (r >= 0 && !rv_group_spawn(&g, feed, sort))
		r = -1;
	if (r >= 0)
		r = rv_process_communicate(uniq, NULL, 0, &out, NULL, &status);
	r = rv_group_exit(&g, r);
	if (r >= 0)
		printf("%suniq ended with %d\n", out.data, status);
	rv_buf_free(&out);
	rv_process_unref(sort);
	rv_process_unref(uniq);
	return r;
}

int main(void)
{
	return rv_run(app, NULL, NULL) < 0;
}
