/*
 * Datagrams. (asyncio: DatagramTransport, create_datagram_endpoint, sock_recvfrom,
 * sock_sendto.)
 *
 * An endpoint is a transport (reeve/transport.h) whose protocol gets datagram_received
 * and error_received; watermarks, close, abort and connection_lost are as ever. Or await
 * on a bare socket.
 */
#ifndef REEVE_UDP_H
#define REEVE_UDP_H

#include "reeve/dns.h"
#include "reeve/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_udp_opts {
	int family;             /* AF_INET, AF_INET6; 0: as the names say */
	const char *local_host; /* to receive at; NULL: any address */
	const char *local_port; /* NULL: any that is free */
	const char
		*remote_host; /* connect: receive from, and send to, this one alone */
	const char *remote_port;
	bool broadcast; /* may send to broadcast addresses */
} rv_udp_opts;

/**
 * Open an endpoint of UDP.
 *
 * @ret  borrowed; may be NULL
 *
 * Returns 0 after connection_made; -EINVAL: neither local nor remote is given; errors of
 * rv_getaddrinfo, socket(2), bind(2) and connect(2): p is still the caller's.
 */
RV_AWAIT int rv_udp_open(const rv_udp_opts *o, rv_protocol *p, rv_transport **ret);
/** Start p on a datagram socket of any family, which is the transport's then. As
 * rv_net_open_fd. */
RV_PUBLIC int rv_udp_open_fd(int fd, rv_protocol *p, rv_transport **ret);
/**
 * Send one datagram, now or when the socket takes it.
 *
 * @to  NULL: the one it is connected to
 *
 * Returns 0, also for an empty one, which is not sent; -EINVAL: to is given where it is
 * connected, or is not where it is not, or the transport is no datagram endpoint;
 * -EMSGSIZE: larger than a datagram can be; -ENOMEM: it was dropped. Other failures come
 * as error_received; after close it is ignored.
 */
RV_PUBLIC int rv_udp_sendto(rv_transport *t, const void *p, size_t n,
	const struct sockaddr *to, socklen_t len);

/*
 * On bare sockets that no transport owns, -EBUSY if one does; see reeve/net.h.
 */

/** One datagram, cut to n bytes. from may be NULL; *len: its room, then its length. */
RV_AWAIT ssize_t rv_recvfrom(
	int fd, void *b, size_t n, int flags, struct sockaddr *from, socklen_t *len);
/** Bytes sent; waits while the socket takes none. */
RV_AWAIT ssize_t rv_sendto(int fd, const void *b, size_t n, int flags,
	const struct sockaddr *to, socklen_t len);

#ifdef __cplusplus
}
#endif
#endif
