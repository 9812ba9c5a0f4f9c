/*
 * The same server with callbacks: no task and no buffer for a connection that is idle, and
 * the flow control in plain sight.
 * usage: echo_protocol PATH      until SIGINT or SIGTERM
 */
#include <reeve/reeve.h>
#include <stdio.h>
#include <stdlib.h>

struct echo {
	rv_protocol protocol; /* first */
	rv_transport *transport;
};

static void on_made(rv_protocol *p, rv_transport *t)
{
	((struct echo *)p)->transport = t;
}

static int on_data(rv_protocol *p, const void *buf, size_t n)
{
	return rv_transport_write(((struct echo *)p)->transport, buf, n);
}

/* a peer that sends and does not read is not read from any more */
static void on_full(rv_protocol *p)
{
	rv_transport_pause_reading(((struct echo *)p)->transport);
}

static void on_room(rv_protocol *p)
{
	rv_transport_resume_reading(((struct echo *)p)->transport);
}

static void on_destroy(rv_protocol *p)
{
	free(p);
}

static const rv_protocol_ops echo_ops = {
	.connection_made = on_made,
	.data_received = on_data,
	.pause_writing = on_full,
	.resume_writing = on_room,
	.destroy = on_destroy,
};

static rv_protocol *make_echo(void *arg)
{
	struct echo *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL; /* the connection is refused */
	e->protocol.ops = &echo_ops;
	return &e->protocol;
}

static int app(void *path)
{
	rv_server *server;
	sigset_t end;
	int r = rv_net_listen_unix(path, make_echo, NULL, NULL, &server);

	if (r < 0) {
		fprintf(stderr, "cannot listen at '%s': %s\n", (char *)path,
			rv_strerror(r));
		return r;
	}
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	r = rv_signal_wait(&end, NULL);
	if (r >= 0)
		r = rv_server_shutdown(server, RV_SEC(1));
	rv_server_unref(server);
	return r;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: echo_protocol PATH\n");
		return 2;
	}
	return rv_run(app, argv[1], NULL) < 0;
}
