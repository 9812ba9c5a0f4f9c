/* Streams from the inside: a protocol that keeps what comes until a task asks for it.
 */
#ifndef RUNTIME_STREAM_PRIV_H
#define RUNTIME_STREAM_PRIV_H

#include "base/buf.h"
#include "reeve/stream.h"
#include "runtime/net_priv.h"

/* What the handlers of a server need; the server's task owns it. */
struct serve {
	rv_group *group;
	rv_stream_fn fn;
	void *arg;
	rv_server *server;
};

/* What each message touches comes first. */
struct rv_stream {
	rv_protocol protocol;    /* first */
	rv_transport *transport; /* NULL: gone, or not there yet; borrowed */
	struct buf in;
	struct rv_link
		reader; /* struct stream_reader: the task that reads, if it waits */
	size_t held;    /* bytes at the front that were lent out, see stream_hold */
	size_t limit;
	int err;       /* that broke the connection */
	bool reading;  /* a task is in a read that has to wait; also once it is woken */
	bool attached; /* the transport will call us */
	bool lost;
	bool eof; /* nothing more comes */
	bool writing_paused;
	unsigned refs;           /* the users' */
	struct rv_link drainers; /* tasks that wait until they may write */
	struct rv_link closers;  /* tasks in rv_stream_wait_closed */
	rv_loop *loop;           /* for reports */
	struct serve *serve;     /* until connection_made */
	rv_stream_fn fn;         /* of a served one */
	void *fn_arg;
};

/* a task that waits for data */
struct stream_reader {
	struct waiter w;
	char *dst; /* not NULL: what comes may go there, up to room bytes */
	size_t room;
	size_t got;
	size_t need; /* bytes in s->in that are worth waking up for */
};

/* NULL: it has no transport, or its own is lost */
static inline rv_loop *stream_loop(const rv_stream *s)
{
	return s->transport ? transport_loop(s->transport) : NULL;
}

/* stream_read.c: for the protocol */
int stream_feed(rv_stream *s, const char *p, size_t n);
void stream_wake_reader(rv_stream *s);

/* stream.c: one that waits for its transport, with one reference of a user's */
int stream_new(rv_stream **ret, rv_loop *l);
/* What its transport's opening came to, r: it goes to *ret, or with the error. r */
int stream_opened(rv_stream **ret, rv_stream *s, int r);
extern const rv_protocol_ops stream_ops __attribute__((visibility("hidden")));

#endif
