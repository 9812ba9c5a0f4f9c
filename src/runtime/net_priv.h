/*
 * Transports and servers from the inside.
 *
 * Everything that happens to a transport passes through its entry in the loop's ready
 * queue (transport_run): the poll only notes edges, close and abort only note that it
 * is over. So callbacks never stand inside each other, and nothing here has to expect
 * that a call of the protocol destroys what it is working on.
 */
#ifndef RUNTIME_NET_PRIV_H
#define RUNTIME_NET_PRIV_H

#include "reeve/net.h"
#include "runtime/loop_priv.h"
#include "runtime/net_poll.h"

enum {
	READ_SIZE = 64 * 1024, /* most bytes of one read */
	READS_MAX = 4,         /* per turn, then it is another's */
	TOLD_READS = 4,        /* that ask for attached descriptors, see recv_some */
	FLUSHES_MAX = 16,      /* likewise */
	MARK_HIGH = 64 * 1024,
	MARK_LOW = MARK_HIGH / 4,
};

/* What the transports of one loop share; made with the first. */
struct net {
	rv_loop *loop;
	struct rv_link transports; /* rv_transport.link: all that are not lost */
	struct rv_link servers;    /* rv_server.link: all that listen */
	struct rv_link doubtful;   /* rv_transport.doubt_link, see net_doubt */
	rv_timer recheck;
	char *read_buf; /* READ_SIZE: idle connections have no buffer of their own */
};

struct out_chunk {
	struct out_chunk *next;
	const char *data; /* not yet sent */
	size_t n;
	size_t room; /* behind data, in mem */
	void *owned; /* dtor gets it; mem is not used then */
	rv_dtor dtor;
	char mem[];
};

struct datagram;

/* bytes that the kernel has not taken yet */
struct out_queue {
	struct out_chunk *first, *last;
	struct datagram *first_datagram, *last_datagram; /* instead of those */
	size_t size;
};

enum transport_kind {
	TRANSPORT_SOCKET,
	TRANSPORT_READER, /* a pipe, FIFO or terminal that is only read from */
	TRANSPORT_WRITER, /* one that is only written to */
	TRANSPORT_DATAGRAM,
};

/* What each message touches comes first. */
struct rv_transport {
	struct rv_ready ready; /* linked: something is to be done */
	struct net *net;       /* NULL once it is lost */
	rv_protocol *protocol;
	int fd;
	enum transport_kind kind;
	/* reading */
	bool readable;  /* an edge came and the socket was not seen empty since */
	bool hup;       /* nothing more will come than what is there */
	bool rechecked; /* for want of an edge, see net_doubt */
	bool sends_fds; /* the peer has attached descriptors */
	uint8_t n_told; /* reads that asked for them, up to TOLD_READS */
	bool paused;
	bool got_eof; /* eof_received was called */
	/* writing */
	bool writable; /* an edge came */
	bool writing_paused;
	bool eof_wanted, eof_sent;
	/* the end */
	bool closing; /* no more reads; ends when everything is sent */
	bool ending;  /* connection_lost is queued, the socket is not polled any more */
	bool has_peer;
	struct net_poll poll;
	struct out_queue out;
	struct rv_link doubt_link;
	rv_time read_at; /* loop time of the last read, while in doubt */
	size_t high, low;
	struct rv_link link;
	rv_server *server; /* NULL: none */
	struct rv_link server_link;
	struct rv_scope_node tasks; /* parent of those of rv_transport_spawn */
	struct rv_peer peer;
	struct sockaddr_storage *name; /* for RV_INFO_SOCKNAME and _PEERNAME; NULL */
	unsigned refs;                 /* the connection has one until it is lost */
	int err;                       /* for connection_lost */
	uint8_t n_ignored;             /* writes after the end */
};

/* one socket that a server listens on */
struct listener {
	struct rv_ready ready; /* linked: it is time to accept */
	struct net_poll poll;
	rv_timer retry; /* no descriptors were left */
	rv_server *server;
	int fd;
	bool readable; /* an edge came and accept has not said -EAGAIN since */
	bool starved;  /* the last try failed for want of descriptors */
	bool is_inet;  /* connections get TCP_NODELAY */
};

struct rv_server {
	rv_loop *loop;       /* NULL once it is closed */
	struct rv_link link; /* in net.servers */
	rv_protocol_factory factory;
	void *arg;
	bool (*accept)(int fd, void *arg);
	void (*refused)(int fd, int err, void *arg);
	struct rv_link connections; /* rv_transport.server_link */
	size_t n_connections;
	struct rv_link waiters; /* of rv_server_wait_closed */
	char *path;             /* to be removed; NULL: none */
	dev_t path_dev;
	ino_t path_ino;
	unsigned refs;  /* the listening and each connection have one */
	int reserve_fd; /* given up for a moment to refuse a client when none is left */
	int backlog;
	bool paused;
	size_t n_listeners;
	struct listener listeners[];
};

/* -- net.c ---- */
/* 0, -ENOMEM, -RV_ELOOPCLOSED */
int net_get(struct net **ret, rv_loop *l);
/*
 * Look again in a second, if nothing is read until then. After a read that came back
 * short the socket is taken to be empty, which the next edge depends on. That is so but
 * for two cases that the poll cannot tell: an error that came together with the data,
 * and descriptors from a peer that had sent none before.
 */
static inline void net_doubt(struct rv_transport *t);
void net_doubt_begin(struct rv_transport *t);

/* -- transport.c ---- */
/* A transport that nobody has heard of yet; 0 (fd is its own then), or an error. */
int transport_new(rv_transport **ret, rv_loop *l, int fd, rv_protocol *p,
	enum transport_kind kind);
/* call connection_made; data may come from now on */
void transport_start(rv_transport *t);
/* It is over: drop what is buffered, connection_lost(err) in the next round. */
void transport_finish(rv_transport *t, int err);
/* The same, for an error; one that is more than the peer's end is reported. */
void transport_fail(rv_transport *t, int err, const char *message);
/* connection_lost, now */
void transport_end(rv_transport *t);
static inline void transport_queue(rv_transport *t)
{
	if (!link_is_linked(&t->ready.link))
		ready_append(t->net->loop, &t->ready);
}

/* NULL: it is lost */
static inline rv_loop *transport_loop(const rv_transport *t)
{
	return t->net ? t->net->loop : NULL;
}

static inline void net_doubt(rv_transport *t)
{
	t->read_at = t->net->loop->now;
	if (!link_is_linked(&t->doubt_link))
		net_doubt_begin(t);
}

/* -- udp.c ---- */
/* one of them read and handed on; false: there is none */
bool udp_read(rv_transport *t);
/* 1: one was sent, or given up; 0: not now */
int udp_flush_one(rv_transport *t);
void udp_clear(struct out_queue *q);

/* -- net_fd.c ---- */
/* Open an await on a descriptor that must be nobody's: -EBUSY where a transport has it. */
int await_begin_on(struct rv_task **ret_self, int fd, const char *fn);

/* -- pipe.c ---- */
/* The same as recv and sendmsg, for what is no socket. -errno */
ssize_t pipe_read(int fd, void *p, size_t cap);
ssize_t pipe_writev(int fd, const struct iovec *v, int n);

/* -- transport_write.c ---- */
void transport_flush(rv_transport *t);
/* rv_transport_write, in the right thread */
int transport_write(rv_transport *t, const void *p, size_t n);
/* Something was put into the queue (r >= 0), or could not be. */
int transport_written(rv_transport *t, int r);
void out_clear(struct out_queue *q);

/* -- server.c ---- */
enum { BACKLOG_DEFAULT = 128 };
/* On listening sockets, which are the server's if this succeeds. path: of the socket file,
 * to be removed when the server closes; NULL: none. */
int server_new(rv_server **ret, const int *fds, size_t n, const char *path,
	rv_protocol_factory f, void *arg, const rv_listen_opts *o);
void server_attach(rv_server *s, rv_transport *t);
void server_detach(rv_server *s, rv_transport *t);

/* -- server_accept.c ---- */
void listener_poll_cb(struct net_poll *p, unsigned ev);
void listener_run(struct rv_ready *r);
void listener_retry(void *arg);
/* accept, or find out that there is nobody, in the next round */
void listener_queue(struct listener *l);

#endif
