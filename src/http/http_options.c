/* What a request is to be: the caller's options checked, and made curl's. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "http/http_priv.h"
#include "reeve/task.h"

/* -- checking ------------------------------------------------------------------------ */

/* RFC 9110, 5.6.2 */
static bool is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (!s || !*s)
		return false;
	for (; *s; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			    (*s >= '0' && *s <= '9') || strchr(others, *s)))
			return false;
	return true;
}

static bool is_one_of(const char *name, const char *const *list)
{
	while (*list && strcasecmp(name, *list) != 0)
		list++;
	return *list;
}

static int header_check(const rv_http_header *h)
{
	/* the body decides these; two that differ would let one request be read as two */
	static const char *const not_yours[] = {
		"Content-Length", "Transfer-Encoding", NULL};

	if (!is_token(h->name))
		return rv_fail(-EINVAL, "'%s' is no name of a header",
			h->name ? h->name : "(null)");
	if (is_one_of(h->name, not_yours))
		return rv_fail(-EINVAL, "header '%s' cannot be set", h->name);
	if (!h->value || strpbrk(h->value, "\r\n"))
		return rv_fail(-EINVAL, "value of header '%s' is none or has line ends",
			h->name);
	return 0;
}

int options_check(const rv_http_opts *o)
{
	if (o->method && !is_token(o->method))
		return rv_fail(-EINVAL, "'%s' is no method", o->method);
	if (!o->body && o->n_body > 0)
		return rv_fail(
			-EINVAL, "n_body is %zu and there is no body", o->n_body);
	if (o->n_headers > 0 && !o->headers)
		return rv_fail(-EINVAL, "n_headers is %zu and there are no headers",
			o->n_headers);
	if (o->flags & ~(unsigned)RV_HTTP_DOWNGRADE)
		return rv_fail(-EINVAL, "unknown flags 0x%x", o->flags);
	for (size_t i = 0; i < o->n_headers; i++) {
		int r = header_check(&o->headers[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

const char *options_method(const rv_http_opts *o)
{
	if (o->method)
		return o->method;
	return o->body ? "POST" : "GET";
}

/* -- for curl ------------------------------------------------------------------------ */

static CURLcode header_append(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return CURLE_OUT_OF_MEMORY;
	*list = longer;
	return CURLE_OK;
}

static bool has_header(const rv_http_opts *o, const char *name)
{
	for (size_t i = 0; i < o->n_headers; i++)
		if (strcasecmp(o->headers[i].name, name) == 0)
			return true;
	return false;
}

static bool is_left_out(const struct request *q, const char *name)
{
	static const char *const secrets[] = {"Authorization", "Cookie", "Host", NULL};
	static const char *const of_body[] = {"Content-Type", "Content-Encoding",
		"Content-Language", "Content-Location", NULL};

	return (q->elsewhere && is_one_of(name, secrets)) ||
	       (q->without_body && is_one_of(name, of_body));
}

static CURLcode headers_make(struct request *q, bool sends_body)
{
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < q->o.n_headers && code == CURLE_OK; i++) {
		const rv_http_header *h = &q->o.headers[i];
		_cleanup_free_ char *line = NULL;

		if (is_left_out(q, h->name))
			continue;
		/* "Name:" takes away what curl would send */
		if (asprintf(&line, *h->value ? "%s: %s" : "%s:%s", h->name, h->value) <
			0) {
			line = NULL;
			return CURLE_OUT_OF_MEMORY;
		}
		code = header_append(&q->headers, line);
	}
	/* a form is not what is sent, and nobody waits to be asked for the body */
	if (code == CURLE_OK && sends_body && !has_header(&q->o, "Content-Type"))
		code = header_append(&q->headers, "Content-Type:");
	if (code == CURLE_OK && sends_body && !has_header(&q->o, "Expect"))
		code = header_append(&q->headers, "Expect:");
	return code;
}

#define SET(option, value)                                                         \
	do {                                                                       \
		if (code == CURLE_OK)                                              \
			code = curl_easy_setopt(q->easy, CURLOPT_##option, value); \
	} while (0)

static CURLcode apply_method(struct request *q)
{
	/* these are expected to say how long their body is, also where there is none */
	static const char *const with_length[] = {"POST", "PUT", "PATCH", NULL};
	const char *method = options_method(&q->o);
	bool sends_body = q->o.body || is_one_of(method, with_length);
	CURLcode code = headers_make(q, sends_body);

	SET(HTTPHEADER, q->headers);
	if (STREQ(method, "HEAD") && !sends_body) {
		SET(NOBODY, 1L);
		return code;
	}
	SET(MAXFILESIZE_LARGE, (curl_off_t)MIN(q->o.body_max, (size_t)SSIZE_MAX));
	if (sends_body) {
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)q->o.n_body);
		SET(POSTFIELDS, q->o.body ? (const char *)q->o.body : "");
	}
	if (!STREQ(method, sends_body ? "POST" : "GET"))
		SET(CUSTOMREQUEST, method);
	return code;
}

static curl_socket_t open_socket(
	void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct request *q = arg;
	int fd = socket(address->family,
		address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);

	if (fd >= 0)
		return fd;
	if (errno != EAFNOSUPPORT) /* that is of this address alone */
		q->socket_err = -errno;
	return CURL_SOCKET_BAD;
}

static long to_ms(rv_time t)
{
	if (t <= 0)
		return 1; /* 0 would be curl's default */
	return t > RV_MS((rv_time)INT_MAX) ? INT_MAX
					   : (long)((t + RV_MS(1) - 1) / RV_MS(1));
}

CURLcode options_apply(struct request *q, rv_time connect_timeout)
{
	CURLcode code = CURLE_OK;

	SET(PRIVATE, q);
	SET(ERRORBUFFER, q->error);
	SET(CURLU, q->url);
	SET(PROTOCOLS_STR, "http,https");
	SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(NOSIGNAL, 1L);
	SET(PROXY, "");
	SET(USERAGENT, "libreeve-http/" PACKAGE_VERSION);
	SET(CONNECTTIMEOUT_MS, to_ms(connect_timeout));
	SET(SHARE, q->names);
	SET(RESOLVE, q->resolve);
	SET(OPENSOCKETFUNCTION, open_socket);
	SET(OPENSOCKETDATA, q);
	SET(HEADERFUNCTION, answer_on_header);
	SET(HEADERDATA, q);
	SET(WRITEFUNCTION, answer_on_body);
	SET(WRITEDATA, q);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (q->o.ca_file) {
		SET(CAINFO, q->o.ca_file);
		SET(CAPATH, NULL);
	}
	return code == CURLE_OK ? apply_method(q) : code;
}
