/*
 * The HTTP client from the inside.
 *
 * struct http is what a loop has (http_loop.c): curl's multi handle, driven by the loop's
 * watches and one timer. struct request is one call of rv_http_request (http_request.c),
 * redirects and all; each of its hops is one transfer of curl's (http_hop.c).
 *
 * Everything that a request owns is in struct request, which is in http.requests: a loop
 * that is closed while a task waits in here leaves that task's stack as it is, and frees
 * the request.
 */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include <curl/curl.h>

#include "base/list.h"
#include "reeve/http.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

enum {
	CONNECTIONS_MAX_DEFAULT = 100,
	CONNECTIONS_MAX_MAX = 10000,
	REDIRECTS_MAX_DEFAULT = 10,
	BODY_MAX_DEFAULT = 16 * 1024 * 1024,
	HEADERS_MAX = 256 * 1024, /* bytes, of one request with all its hops */
	NAMES_MAX = 64,
	ADDRESSES_MAX = 16, /* of a name */
	WHAT_LEN_MAX = 200, /* of a URL in messages */
};
#define CONNECT_TIMEOUT_DEFAULT RV_SEC(30)
#define NAME_TTL                RV_SEC(60)

struct sock;

/* addresses of a name, as CURLOPT_RESOLVE wants them */
struct name {
	char *entry;    /* "host:port:address,address"; NULL: unused */
	size_t key_len; /* of "host:port:" in it */
	rv_time until;
};

struct http {
	rv_loop *loop;
	CURLM *multi;
	rv_timer timer;
	rv_sem turns; /* one for each request that may go on */
	struct list requests;
	struct list socks;
	struct sock
		*current; /* whose callback runs; NULL: none, or it was freed there */
	struct name names[NAMES_MAX];
};

struct request {
	struct list link; /* in http.requests */
	struct http *http;
	rv_http_opts o;             /* the caller's with the defaults filled in */
	CURLU *url;                 /* of this hop */
	char *scheme, *host, *port; /* its parts */
	char what[WHAT_LEN_MAX];    /* for messages: no password in it */
	bool elsewhere;    /* a redirect has led away from where the caller meant */
	bool without_body; /* it has become a GET on the way */
	bool has_turn;

	/* one hop */
	CURL *easy; /* NULL: none */
	CURLSH *names;
	struct curl_slist *headers, *resolve;
	rv_event done;
	CURLcode code;  /* once done, where err is 0 */
	int err;        /* ours, negative, where it was not curl's */
	int socket_err; /* no socket could be made for an address, negative */
	bool is_added;  /* to the multi */
	char error[CURL_ERROR_SIZE];

	/* what has come */
	rv_http_response answer;
	size_t body_room, headers_room;
	size_t n_header_bytes;
	bool in_headers;
};

/* http_loop.c */
/* Of the loop that runs here; made if need be. 0; -RV_ENOTASK; -ENOMEM; -EMFILE. */
int http_get(struct http **ret);
/* Let curl do it; from then on request_done is called when it is over. 0; -ENOMEM. */
int http_add(struct http *h, struct request *q);
/* Stop it, wherever it is; harmless when it was not added. */
void http_remove(struct http *h, struct request *q);

/* http_names.c */
/* Look q's host up and put it into q->resolve, where it is not an address already. Takes
 * what it took off *timeout. Awaits. Errors of rv_getaddrinfo; -ETIMEDOUT. */
int names_resolve(struct request *q, rv_time *timeout);
/* q's host is to be looked up anew: there it could not be reached */
void names_forget(struct request *q);
void names_deinit(struct http *h);

/* http_hop.c */
/* Send q's request to q->url and wait for the answer. Awaits. */
int hop_run(struct request *q);
/* err: ours, 0: see code */
void hop_done(struct request *q, int err, CURLcode code);
/* What belongs to one hop; the answer stays. */
void hop_deinit(struct request *q);

/* http_answer.c */
/* for curl */
size_t answer_on_header(char *line, size_t size, size_t n, void *q);
size_t answer_on_body(char *b, size_t size, size_t n, void *q);
/* Forget it, to begin anew. */
void answer_clear(struct request *q);

/* http_options.c */
/* 0; -EINVAL and why in rv_errmsg */
int options_check(const rv_http_opts *o);
const char *options_method(const rv_http_opts *o);
/* Set up q->easy for its hop. */
CURLcode options_apply(struct request *q, rv_time connect_timeout);

/* http_request.c */
void request_free(struct request *q);

#endif
