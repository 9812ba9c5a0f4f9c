/* The system's resolver in a thread. */
#include "config.h"

#include "reeve/dns.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "reeve/executor.h"
#include "runtime/task_priv.h"

enum { NAME_LEN_MAX = 255 };

static int error_of(int gai, int saved_errno)
{
	switch (gai) {
	case 0: return 0;
	case EAI_NONAME:
#ifdef EAI_NODATA
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return -ENOENT;
	case EAI_AGAIN: return -EAGAIN;
	case EAI_MEMORY: return -ENOMEM;
	case EAI_OVERFLOW: return -EOVERFLOW;
	case EAI_SYSTEM: return saved_errno > 0 ? -saved_errno : -EIO;
	case EAI_BADFLAGS:
	case EAI_FAMILY:
	case EAI_SERVICE:
	case EAI_SOCKTYPE: return -EINVAL;
	default: return -EIO;
	}
}

static int fail(int gai, int saved_errno, const char *name)
{
	int r = error_of(gai, saved_errno);

	return r < 0 ? rv_fail(r, "%s: %s", name, gai_strerror(gai)) : 0;
}

/* -- by name ------------------------------------------------------------------------- */

/* On the heap, and of the waiting task as well as of the thread: either may be the last
 * to have it. */
struct lookup {
	atomic_uint refs;
	char *host, *port; /* owned; NULL */
	struct addrinfo hints;
	struct addrinfo *found;
	int gai, saved_errno;
};

static void lookup_unref(void *arg)
{
	struct lookup *l = arg;

	if (atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (l->found)
		freeaddrinfo(l->found);
	free(l->host);
	free(l->port);
	free(l);
}

static bool is_localhost(const char *name)
{
	size_t n = strlen("localhost");

	return name && strncasecmp(name, "localhost", n) == 0 &&
	       (!name[n] || strcmp(name + n, ".") == 0);
}

/* Where no file and no server knows this name it still has its address (RFC 6761, 6.3). */
static int look_up_loopback(struct lookup *l)
{
	struct addrinfo h = l->hints;

	h.ai_flags = (h.ai_flags | AI_NUMERICHOST) & ~(AI_ADDRCONFIG | AI_CANONNAME);
	return getaddrinfo(
		h.ai_family == AF_INET6 ? "::1" : "127.0.0.1", l->port, &h, &l->found);
}

static int lookup_run(void *arg)
{
	struct lookup *l = arg;

	l->gai = getaddrinfo(l->host, l->port, &l->hints, &l->found);
	l->saved_errno = errno;
	if ((l->gai == EAI_NONAME || l->gai == EAI_AGAIN) && is_localhost(l->host) &&
		look_up_loopback(l) == 0)
		l->gai = 0;
	return 0;
}

static struct lookup *lookup_new(
	const char *host, const char *port, const struct addrinfo *hints)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	atomic_init(&l->refs, 1);
	l->host = host ? strdup(host) : NULL;
	l->port = port ? strdup(port) : NULL;
	if ((host && !l->host) || (port && !l->port)) {
		lookup_unref(l);
		return NULL;
	}
	if (hints)
		l->hints = *hints;
	return l;
}

/* What needs no resolver. 1: found; 0: a name is among it. */
static int try_digits(const char *host, const char *port, const struct addrinfo *hints,
	struct addrinfo **ret)
{
	struct addrinfo h = hints ? *hints : (struct addrinfo){.ai_flags = 0};

	h.ai_flags |= (host ? AI_NUMERICHOST : 0) | (port ? AI_NUMERICSERV : 0);
	h.ai_flags &= ~AI_ADDRCONFIG;
	return getaddrinfo(host, port, &h, ret) == 0;
}

int rv_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
	struct addrinfo **ret)
{
	const char *name = host ? host : port ? port : "";
	struct lookup *l;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if ((!host && !port) || !ret || (host && strlen(host) > NAME_LEN_MAX) ||
		(port && strlen(port) > NAME_LEN_MAX))
		return -EINVAL;
	if (try_digits(host, port, hints, ret))
		return 0;
	l = lookup_new(host, port, hints);
	if (!l)
		return -ENOMEM;
	atomic_fetch_add(&l->refs, 1);
	r = rv_run_blocking_ex(NULL, lookup_run, l, lookup_unref, RV_BLOCK_ABANDON);
	if (r >= 0)
		r = fail(l->gai, l->saved_errno, name);
	if (r == 0)
		*ret = TAKE_PTR(l->found);
	lookup_unref(l);
	return r;
}

/* -- by address ---------------------------------------------------------------------- */

struct reverse {
	atomic_uint refs; /* as above */
	struct sockaddr_storage sa;
	socklen_t len;
	int flags;
	bool want_host, want_port;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	int gai, saved_errno;
};

static void reverse_unref(void *arg)
{
	struct reverse *v = arg;

	if (atomic_fetch_sub(&v->refs, 1) == 1)
		free(v);
}

static int reverse_run(void *arg)
{
	struct reverse *v = arg;

	v->gai = getnameinfo((struct sockaddr *)&v->sa, v->len,
		v->want_host ? v->host : NULL, v->want_host ? sizeof(v->host) : 0,
		v->want_port ? v->port : NULL, v->want_port ? sizeof(v->port) : 0,
		v->flags);
	v->saved_errno = errno;
	return 0;
}

static int hand_out(char *to, socklen_t n, const char *from)
{
	if (!to)
		return 0;
	if (strlen(from) >= n)
		return -EOVERFLOW;
	memcpy(to, from, strlen(from) + 1);
	return 0;
}

int rv_getnameinfo(const struct sockaddr *sa, socklen_t len, char *host,
	socklen_t n_host, char *port, socklen_t n_port, int flags)
{
	struct reverse *v;
	struct rv_task *self;
	int r = task_await_begin(&self);

	if (r < 0)
		return r;
	if (!sa || len > sizeof(v->sa) || (!host && !port))
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	atomic_init(&v->refs, 1);
	memcpy(&v->sa, sa, len);
	v->len = len;
	v->flags = flags;
	v->want_host = host;
	v->want_port = port;
	if (flags & NI_NUMERICHOST && flags & NI_NUMERICSERV) {
		(void)reverse_run(v);
	} else {
		atomic_fetch_add(&v->refs, 1);
		r = rv_run_blocking_ex(
			NULL, reverse_run, v, reverse_unref, RV_BLOCK_ABANDON);
	}
	if (r >= 0)
		r = fail(v->gai, v->saved_errno, "address");
	if (r == 0)
		r = hand_out(host, n_host, v->host);
	if (r == 0)
		r = hand_out(port, n_port, v->port);
	reverse_unref(v);
	return r;
}
