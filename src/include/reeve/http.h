/*
 * A small HTTP/1.1 client. (aiohttp's GET.)
 *
 * In a library of its own, libreeve-http, on libcurl: pkg-config reeve-http. A call is an
 * await like any other: a cancelled one, or one that a deadline ends, is over at once and
 * leaves nothing behind. There is no time limit on the whole but the caller's scopes:
 *
 *	rv_http_response r = {0};
 *	rc = rv_timed(RV_SEC(10), rv_http_get("https://www.example.org/", &r));
 *	if (rc == 0 && r.status == 200)
 *		use(r.body.data, r.body.n);
 *	rv_http_response_free(&r);
 *
 * Only http and https are spoken. Certificates are verified, always. Proxies of the
 * environment, ~/.netrc and cookies are not looked at; an encoding that the caller asked for
 * is not undone.
 *
 * Each loop has its connections, which are used again and are closed with the loop; at most
 * 100 requests of a loop go on at a time, and those that come after wait for their turn.
 * Names are looked up by rv_getaddrinfo and kept for a minute; there are no other threads.
 */
#ifndef REEVE_HTTP_H
#define REEVE_HTTP_H

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rv_http_header {
	const char *name, *value;
} rv_http_header;

enum {
	/* follow a redirect that leads from https to http */
	RV_HTTP_DOWNGRADE = 1,
};

/* all zero: GET, and the defaults; what it points at must stay during the call */
typedef struct rv_http_opts {
	const char
		*method;  /* NULL: GET, with a body POST; HEAD has no body to answer */
	const void *body; /* to send; NULL: none */
	size_t n_body;
	const rv_http_header
		*headers; /* to send; an empty value takes one away that would
					  be sent otherwise, as User-Agent or Accept */
	size_t n_headers;
	const char *ca_file;     /* PEM: whom to trust instead of the system's; NULL */
	rv_time connect_timeout; /* looking up the name, TCP and TLS, for each connection;
				    0: 30 s; RV_FOREVER: none */
	size_t body_max;         /* most bytes of the answer's body; 0: 16 MiB */
	int redirects_max; /* to follow; 0: 10; < 0: none, a redirect is the answer */
	unsigned flags;    /* RV_HTTP_* */
} rv_http_opts;

/* begin with {0}; only rv_http_response_free frees what is in it */
typedef struct rv_http_response {
	int status;              /* 100 to 999 */
	rv_buf body;             /* data is NULL where there is none */
	rv_http_header *headers; /* as they came, those of the last answer */
	size_t n_headers;
	char *url;       /* that answered, without user and password */
	int n_redirects; /* that led there */
} rv_http_response;

/**
 * Fetch a URL with the defaults. As rv_http_request.
 */
RV_AWAIT int rv_http_get(const char *url, rv_http_response *ret);
/**
 * Send a request and wait for the whole answer.
 *
 * An answer is a success whatever its status: who wants 200 asks for it. After 301, 302 and
 * 303 what was no GET or HEAD goes on as GET without a body (301, 302: only a POST does);
 * 307 and 308 repeat it as it was. Authorization, Cookie and Host are not sent on to another
 * scheme, host or port.
 *
 * @url  absolute; user and password in it are sent (Basic). A host name that is not ASCII
 *       is to be given in its xn-- form
 * @o    NULL: the defaults
 * @ret  set only on success; what was in it is not freed
 *
 * Returns 0, or, with the words for it in rv_errmsg:
 *
 * -EINVAL: not a URL; a method or header that HTTP does not allow, or one that is not the
 * caller's to set (Content-Length, Transfer-Encoding);
 * -EPROTONOSUPPORT: neither http nor https, here or in a redirect;
 * -ENOENT, -EAGAIN: the name was not found, or not now (rv_getaddrinfo);
 * -ECONNREFUSED, -ENETUNREACH ...: no address could be connected to;
 * -ETIMEDOUT: connect_timeout, or the system's;
 * -EKEYREJECTED: the certificate is not valid, or not for this host;
 * -ENOKEY: ca_file cannot be used;
 * -EPROTO: not HTTP, or TLS could not be agreed on;
 * -RV_EINCOMPLETE: the connection ended before the answer did;
 * -ECONNRESET: it broke;
 * -EMSGSIZE: more than body_max, or than 256 KiB of headers;
 * -ELOOP: more than redirects_max;
 * -EPERM: a redirect from https to http;
 * -EMFILE; -ECANCELED;
 * and without: -ENOMEM; -RV_ENOTASK.
 */
RV_AWAIT int rv_http_request(
	const char *url, const rv_http_opts *o, rv_http_response *ret);

/** Free what is in it; it is {0} then. Any thread. */
RV_TS void rv_http_response_free(rv_http_response *r);
/**
 * The value of a header, whatever the case of its name.
 *
 * @nth  from 0, for those that come several times
 *
 * Returns a string of r's; NULL: there is none.
 */
RV_TS const char *rv_http_header_get(
	const rv_http_response *r, const char *name, size_t nth);

/**
 * Let at most n requests of the loop that runs here go on at a time, and keep at most as many
 * connections.
 *
 * Returns 0; -EINVAL: n is 0 or more than 10000; -EBUSY: there are requests; -ENOMEM;
 * -RV_ENOTASK: no loop runs here.
 */
RV_PUBLIC int rv_http_set_connections_max(unsigned n);

#ifdef __cplusplus
}
#endif
#endif
