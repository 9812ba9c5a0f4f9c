/*
 * An echo server with a task for each connection, which reads and writes by awaiting.
 * usage: echo_streams PATH      until SIGINT or SIGTERM
 */
#include <reeve/reeve.h>
#include <stdio.h>

static int echo(rv_stream *s, void *arg)
{
	char buf[4096];
	ssize_t n;
	int r = 0;

	while (r >= 0 && (n = rv_stream_read(s, buf, sizeof(buf))) != 0)
		r = n < 0 ? (int)n : rv_stream_send(s, buf, (size_t)n);
	return r; /* the stream is closed after this */
}

static int app(void *path)
{
	rv_group g;
	sigset_t end;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	if (r < 0)
		return r;
	r = rv_serve_unix(&g, path, echo, NULL, NULL);
	if (r < 0) {
		fprintf(stderr, "cannot listen at '%s': %s\n", (char *)path,
			rv_strerror(r));
		return rv_group_exit(&g, r);
	}
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	r = rv_signal_wait(&end, NULL);
	/* cancels the server and all connections, and waits for them */
	rv_group_cancel(&g, "told to end");
	return rv_group_exit(&g, r < 0 ? r : 0);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: echo_streams PATH\n");
		return 2;
	}
	return rv_run(app, argv[1], NULL) < 0;
}
