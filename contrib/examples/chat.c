/*
 * A chat over TCP: each line that one says is sent to all others.
 * usage: chat [PORT]      127.0.0.1, a free port unless one is given; says which
 * until SIGINT or SIGTERM
 */
#include <netdb.h>
#include <reeve/reeve.h>
#include <stdio.h>
#include <string.h>

enum { GUESTS_MAX = 100, UNREAD_MAX = 1 << 20 };

struct room {
	rv_stream *guests[GUESTS_MAX];
};

static void tell_others(
	struct room *room, const rv_stream *from, const char *line, size_t n)
{
	for (int i = 0; i < GUESTS_MAX; i++) {
		rv_stream *s = room->guests[i];

		if (!s || s == from || rv_stream_is_closing(s))
			continue;
		/* no await here, so nobody comes or goes while we walk; who does not read
		 * what the others say is sent away */
		if (rv_transport_buffered(rv_stream_transport(s)) > UNREAD_MAX)
			rv_stream_abort(s);
		else
			(void)rv_stream_write(s, line, n);
	}
}

static int serve(rv_stream *s, void *arg)
{
	struct room *room = arg;
	const char *line;
	int place = 0, r;
	size_t n;

	while (place < GUESTS_MAX && room->guests[place])
		place++;
	if (place == GUESTS_MAX)
		return rv_stream_send(s, "the room is full\n", 17);
	room->guests[place] = s;
	while ((r = rv_stream_readline(s, &line, &n)) == 0 && n > 0)
		tell_others(room, s, line, n);
	room->guests[place] = NULL;
	return r;
}

static int tell_port(const rv_server *server)
{
	struct sockaddr_storage sa;
	char port[NI_MAXSERV];
	socklen_t len;
	int r = rv_server_address(server, 0, &sa, &len);

	if (r == 0)
		r = rv_getnameinfo((struct sockaddr *)&sa, len, NULL, 0, port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	if (r == 0) {
		printf("listening on 127.0.0.1 port %s\n", port);
		fflush(stdout);
	}
	return r;
}

static int app(void *port)
{
	static struct room room;
	rv_server *server;
	sigset_t end;
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	if (r < 0)
		return r;
	r = rv_serve(&g, "127.0.0.1", port, serve, &room, &server);
	if (r < 0) {
		fprintf(stderr, "chat: %s\n",
			rv_errmsg() ? rv_errmsg() : rv_strerror(r));
		return rv_group_exit(&g, r);
	}
	r = tell_port(server);
	sigemptyset(&end);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGTERM);
	if (r == 0)
		r = rv_signal_wait(&end, NULL);
	rv_server_unref(server);
	rv_group_cancel(&g, "told to end");
	return rv_group_exit(&g, r < 0 ? r : 0);
}

int main(int argc, char **argv)
{
	return rv_run(app, argc > 1 ? argv[1] : (char *)"0", NULL) < 0;
}
