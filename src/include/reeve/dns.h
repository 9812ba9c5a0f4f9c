/*
 * Names and addresses. (asyncio: getaddrinfo, getnameinfo.)
 *
 * The system's resolver, in a thread of the loop's executor. A look-up cannot be stopped;
 * who is cancelled, or runs out of time, does not wait for it.
 */
#ifndef REEVE_DNS_H
#define REEVE_DNS_H

#include <netdb.h>
#include <sys/socket.h>

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ISO C alone (gcc -std=c11 without _POSIX_C_SOURCE) keeps <netdb.h> from defining it */
struct addrinfo;

/**
 * Look a host and a service up, as getaddrinfo(3). Addresses and ports in digits need no
 * thread; localhost is the loopback also where no file says so.
 *
 * @host, @port  at most one NULL; 255 bytes at most each
 * @hints        may be NULL
 * @ret          freed with freeaddrinfo
 *
 * Returns 0; -ENOENT: there is no such name, or it has no address; -EAGAIN: no answer
 * came from the servers, or no thread was free; -EINVAL: the hints, the service,
 * neither name given, or one of over 255 bytes; -EIO: the resolver failed; -ENOMEM; -ECANCELED. rv_errmsg has the
 * resolver's words.
 */
RV_AWAIT int rv_getaddrinfo(const char *host, const char *port,
	const struct addrinfo *hints, struct addrinfo **ret);
/** Look up whose address it is, as getnameinfo(3); host and port may be NULL. Errors as
 * above; -EOVERFLOW: a name is longer than its room. */
RV_AWAIT int rv_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host,
	socklen_t n_host, char *port, socklen_t n_port, int flags);

#ifdef __cplusplus
}
#endif
#endif
