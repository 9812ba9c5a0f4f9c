/*
 * TCP, and addresses to connect to and listen at. (asyncio: create_connection,
 * create_server, open_connection, start_server, sock_connect.) What works on sockets of
 * any family is in reeve/net.h and reeve/stream.h.
 */
#ifndef REEVE_INET_H
#define REEVE_INET_H

#include "reeve/dns.h"
#include "reeve/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_connect_opts {
	int family;             /* AF_INET, AF_INET6; 0: both */
	rv_time stagger;        /* until the next address is tried as well; 0: 250 ms;
			    RV_FOREVER: only when the one before has failed */
	const char *local_host; /* to connect from; NULL: any */
	const char *local_port;
} rv_connect_opts;

/**
 * Connect to a host, trying its addresses, of both families in turn, one shortly after
 * the other (RFC 8305), and keeping the first that answers.
 *
 * @o       NULL: the defaults
 * @ret_fd  non-blocking, close-on-exec, TCP_NODELAY set
 *
 * Returns 0; the error of the last address, rv_errmsg having those of all; errors of
 * rv_getaddrinfo; -ECANCELED.
 */
RV_AWAIT int rv_connect(
	const char *host, const char *port, const rv_connect_opts *o, int *ret_fd);
/** Connect a non-blocking socket of the caller's. 0; -errno; -EBUSY: a transport has it;
 * -ECANCELED: it goes on connecting; close it, or call again with the same address to wait
 * for that. */
RV_AWAIT int rv_connect_fd(int fd, const struct sockaddr *sa, socklen_t len);
/** rv_connect, then rv_net_open_fd: on error p is still the caller's. */
RV_AWAIT int rv_net_connect(const char *host, const char *port, rv_protocol *p,
	const rv_connect_opts *o, rv_transport **ret);
RV_AWAIT int rv_stream_connect(
	const char *host, const char *port, const rv_connect_opts *o, rv_stream **ret);

/**
 * Listen at all addresses of a host.
 *
 * @host  NULL: at all of the machine's; "127.0.0.1" and "::1" reach no further than it
 * @port  "0": one that is free, the same for all addresses
 * @o     as rv_net_listen_unix; mode and keep_path do not matter
 *
 * Returns 0 and one reference; -EADDRINUSE, -EACCES, -EADDRNOTAVAIL: none is kept if one
 * fails; errors of rv_getaddrinfo.
 */
RV_AWAIT int rv_net_listen(const char *host, const char *port, rv_protocol_factory f,
	void *arg, const rv_listen_opts *o, rv_server **ret);
/** The same with a task for each connection, as rv_serve_unix. */
RV_AWAIT int rv_serve(rv_group *g, const char *host, const char *port, rv_stream_fn h,
	void *arg, rv_server **ret);

#ifdef __cplusplus
}
#endif
#endif
