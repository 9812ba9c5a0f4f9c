/*
 * Names to addresses, for curl to be given: its own look-up has a thread for each and waits
 * for it, blocking, where a transfer is cancelled meanwhile.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "http/http_priv.h"
#include "reeve/dns.h"
#include "reeve/scope.h"

/* "host:port:" and each address of up to 45 digits, a comma, perhaps in brackets */
enum { ENTRY_LEN_MAX = 255 + 8 + ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3) };

static bool is_of(const struct name *m, const struct request *q)
{
	size_t n = strlen(q->host), n_port = strlen(q->port);

	return m->entry && m->key_len == n + n_port + 2 &&
	       memcmp(m->entry, q->host, n) == 0 && m->entry[n] == ':' &&
	       memcmp(m->entry + n + 1, q->port, n_port) == 0;
}

static void name_clear(struct name *m)
{
	free(m->entry);
	*m = (struct name){.entry = NULL};
}

void names_deinit(struct http *h)
{
	for (size_t i = 0; i < ARRAY_LEN(h->names); i++)
		name_clear(&h->names[i]);
}

static struct name *names_find(const struct request *q)
{
	struct http *h = q->http;
	rv_time now = rv_loop_now(h->loop);

	for (size_t i = 0; i < ARRAY_LEN(h->names); i++)
		if (is_of(&h->names[i], q) && h->names[i].until > now)
			return &h->names[i];
	return NULL;
}

void names_forget(struct request *q)
{
	struct name *m = names_find(q);

	if (m)
		name_clear(m);
}

/* An unused one, or that which is the first to get too old. */
static struct name *names_oldest(struct http *h)
{
	struct name *oldest = &h->names[0];

	for (size_t i = 0; i < ARRAY_LEN(h->names) && oldest->entry; i++)
		if (!h->names[i].entry || h->names[i].until < oldest->until)
			oldest = &h->names[i];
	return oldest;
}

static int address_append(char *to, size_t *n, const struct addrinfo *ai, bool is_first)
{
	char text[INET6_ADDRSTRLEN];
	const void *address;
	bool is_v6 = ai->ai_family == AF_INET6;
	int len;

	if (is_v6)
		address = &((const struct sockaddr_in6 *)ai->ai_addr)->sin6_addr;
	else
		address = &((const struct sockaddr_in *)ai->ai_addr)->sin_addr;
	if (!inet_ntop(ai->ai_family, address, text, sizeof(text)))
		return -errno;
	len = snprintf(to + *n, ENTRY_LEN_MAX - *n, is_v6 ? "%s[%s]" : "%s%s",
		is_first ? "" : ",", text);
	*n += (size_t)len;
	return 0;
}

/* "host:port:address,..."; the names are short enough, rv_getaddrinfo has seen to it */
static int entry_make(char to[static ENTRY_LEN_MAX], const struct request *q,
	const struct addrinfo *found)
{
	size_t n = (size_t)snprintf(to, ENTRY_LEN_MAX, "%s:%s:", q->host, q->port);
	int n_addresses = 0;

	for (const struct addrinfo *ai = found; ai && n_addresses < ADDRESSES_MAX;
		ai = ai->ai_next) {
		int r;

		if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
			continue;
		r = address_append(to, &n, ai, n_addresses == 0);
		if (r < 0)
			return r;
		n_addresses++;
	}
	return n_addresses ? 0 : -ENOENT;
}

static int names_add(struct name **ret, struct request *q, const struct addrinfo *found)
{
	char entry[ENTRY_LEN_MAX];
	struct name *m;
	char *copy;
	int r = entry_make(entry, q, found);

	if (r < 0)
		return r;
	copy = strdup(entry);
	if (!copy)
		return -ENOMEM;
	m = names_find(q); /* another request has been as quick */
	if (!m)
		m = names_oldest(q->http);
	name_clear(m);
	m->entry = copy;
	m->key_len = strlen(q->host) + strlen(q->port) + 2;
	m->until = rv_loop_now(q->http->loop) + NAME_TTL;
	*ret = m;
	return 0;
}

static bool is_address(const char *host)
{
	struct in_addr in;

	return host[0] == '[' || inet_pton(AF_INET, host, &in) == 1;
}

int names_resolve(struct request *q, rv_time *timeout)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
	rv_time begin = rv_loop_now(q->http->loop);
	struct addrinfo *found = NULL;
	struct name *m;
	int r;

	if (is_address(q->host))
		return 0;
	m = names_find(q);
	if (!m) {
		r = rv_timed(
			*timeout, rv_getaddrinfo(q->host, q->port, &hints, &found));
		if (r < 0)
			return r;
		r = names_add(&m, q, found);
		freeaddrinfo(found);
		if (r < 0)
			return r;
		if (*timeout != RV_FOREVER)
			*timeout -= rv_loop_now(q->http->loop) - begin;
	}
	q->resolve = curl_slist_append(NULL, m->entry);
	return q->resolve ? 0 : -ENOMEM;
}
