/* The HTTP client without memory. The server is a process of its own, which has enough. */
#include "tests/unit/http/http_test.h"

#include <curl/curl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/support/alloc_fail.h"

static char url[128];
static pid_t server_pid;

static int server_main(void *pipe_end)
{
	static struct web w;
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	if (r < 0)
		return r;
	web_start(&w, &g, web_serve);
	if (write(*(int *)pipe_end, &w.port, sizeof(w.port)) != sizeof(w.port))
		rv_group_cancel(&g, "nobody is there");
	return rv_group_exit(&g, rv_event_wait(&w.never));
}

static void server_begin(void)
{
	int fds[2], port;

	ck_assert_int_eq(pipe(fds), 0);
	server_pid = fork();
	ck_assert_int_ge(server_pid, 0);
	if (server_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(rv_run(server_main, &fds[1], NULL) < 0);
	}
	ck_assert_int_eq((int)read(fds[0], &port, sizeof(port)), (int)sizeof(port));
	close(fds[0]);
	close(fds[1]);
	(void)snprintf(url, sizeof(url), "http://localhost:%d/down/2", port);
}

static void server_end(void)
{
	(void)kill(server_pid, SIGKILL);
	ck_assert_int_eq(waitpid(server_pid, NULL, 0), server_pid);
}

/* no assertions in here: Check allocates as well */
static int fetch(void *unused)
{
	/* a connection of its own each time, so that making one is in it */
	const rv_http_header headers[] = {{"X-Mine", "y"}, {"Connection", "close"}};
	const rv_http_opts o = {
		.body = "text", .n_body = 4, .headers = headers, .n_headers = 2};
	rv_http_response a = {.status = -1};
	int r = rv_http_request(url, &o, &a);

	if (r < 0)
		return a.status == -1 ? r : -EBADMSG;
	r = a.status == 200 && a.body.n == 5 && a.n_headers >= 6 ? 0 : -EBADMSG;
	rv_http_response_free(&a);
	return r;
}

static int sweep_ours(void *unused)
{
	ck_assert_int_eq(alloc_fail_sweep(fetch, NULL), 0);
	return 0;
}

START_TEST(allocations_of_ours_that_fail_are_said_and_leak_nothing)
{
	rt_reset();
	server_begin();
	ck_assert_int_eq(rv_run(sweep_ours, NULL, NULL), 0);
	server_end();
}
END_TEST

/* curl may do without some, or call it another error; but the next call has to work */
static int sweep_all(void *unused)
{
	size_t n = 0;
	bool failed = true;

	while (failed) {
		int r;

		alloc_fail_at(++n);
		r = rv_timed(RV_SEC(20), fetch(NULL));
		failed = alloc_fail_stop();
		if (r == -EBADMSG || r == -ETIMEDOUT)
			ck_abort_msg("allocation %zu failed: %s", n, rv_strerror(r));
		ck_assert(failed || r == 0);
		if (r < 0)
			ck_assert_int_eq(fetch(NULL), 0);
	}
	ck_assert_uint_gt(n, 100); /* curl's are among them */
	return 0;
}

START_TEST(allocations_of_curl_that_fail_end_one_request_alone)
{
	rt_reset();
	/* these names are those that the linker has wrapped */
	ck_assert_int_eq(curl_global_init_mem(CURL_GLOBAL_ALL, malloc, free, realloc,
				 strdup, calloc),
		CURLE_OK);
	server_begin();
	ck_assert_int_eq(rv_run(sweep_all, NULL, NULL), 0);
	server_end();
}
END_TEST

UNIT_MAIN("http_memory", allocations_of_ours_that_fail_are_said_and_leak_nothing,
	allocations_of_curl_that_fail_end_one_request_alone)
