/* The call: its URL, its turn, its hops. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "http/http_priv.h"
#include "reeve/task.h"

/* -- the URL ------------------------------------------------------------------------- */

static int error_of_url(CURLUcode code)
{
	switch (code) {
	case CURLUE_OK: return 0;
	case CURLUE_OUT_OF_MEMORY: return -ENOMEM;
	case CURLUE_UNSUPPORTED_SCHEME: return -EPROTONOSUPPORT;
	default: return -EINVAL;
	}
}

static int url_get(const struct request *q, CURLUPart part, char **ret)
{
	char *text = NULL;
	int r = error_of_url(curl_url_get(q->url, part, &text, CURLU_DEFAULT_PORT));

	if (r == 0) {
		curl_free(*ret);
		*ret = text;
	}
	return r;
}

static bool is_ascii(const char *s)
{
	while (*s > 0)
		s++;
	return !*s;
}

/* Read the parts of q->url; refuse what is not for us. */
static int url_take(struct request *q)
{
	char *path = NULL;
	int r = url_get(q, CURLUPART_SCHEME, &q->scheme);

	if (r == 0 && !STREQ(q->scheme, "http") && !STREQ(q->scheme, "https"))
		return rv_fail(
			-EPROTONOSUPPORT, "'%s' is neither http nor https", q->scheme);
	if (r == 0)
		r = url_get(q, CURLUPART_HOST, &q->host);
	if (r == 0)
		r = url_get(q, CURLUPART_PORT, &q->port);
	if (r == 0)
		r = url_get(q, CURLUPART_PATH, &path);
	if (r < 0)
		return r == -ENOMEM ? r : rv_fail(r, "the URL has no host");
	(void)snprintf(q->what, sizeof(q->what), "%s://%s:%s%s", q->scheme, q->host,
		q->port, path);
	curl_free(path);
	if (!is_ascii(q->host))
		return rv_fail(-EINVAL,
			"host '%s' is not ASCII; its xn-- form is needed", q->host);
	return 0;
}

/* absolute, or relative to what q->url is */
static int url_set(struct request *q, const char *url, unsigned flags)
{
	CURLUcode code = curl_url_set(
		q->url, CURLUPART_URL, url, flags | CURLU_NON_SUPPORT_SCHEME);
	int r = error_of_url(code);

	if (r < 0 && r != -ENOMEM)
		return rv_fail(r, "'%.*s': %s", WHAT_LEN_MAX,
			strchr(url, '@') ? "URL with a user" : url,
			curl_url_strerror(code));
	return r < 0 ? r : url_take(q);
}

/* -- redirects ----------------------------------------------------------------------- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 ||
	       status == 308;
}

static void change_method(struct request *q)
{
	const char *method = options_method(&q->o);
	int status = q->answer.status;

	if (status == 307 || status == 308 || STREQ(method, "GET") ||
		STREQ(method, "HEAD") || (status != 303 && !STREQ(method, "POST")))
		return;
	q->o.method = "GET";
	q->o.body = NULL;
	q->o.n_body = 0;
	q->without_body = true;
}

static int go_to(struct request *q, const char *location)
{
	char *scheme = TAKE_PTR(q->scheme), *host = TAKE_PTR(q->host),
	     *port = TAKE_PTR(q->port);
	bool was_tls = STREQ(scheme, "https");
	int r = url_set(q, location, CURLU_URLENCODE);

	if (r == 0 && (!STREQ(scheme, q->scheme) || strcasecmp(host, q->host) != 0 ||
			      !STREQ(port, q->port)))
		q->elsewhere = true;
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	if (r == -EINVAL) /* the server's fault, not the caller's */
		r = -EPROTO;
	if (r == 0 && was_tls && !STREQ(q->scheme, "https") &&
		!(q->o.flags & RV_HTTP_DOWNGRADE))
		r = rv_fail(-EPERM, "%s: a redirect from https leads there", q->what);
	return r;
}

/* 1: there is another hop; 0: this is the answer */
static int follow(struct request *q)
{
	const char *location = rv_http_header_get(&q->answer, "Location", 0);
	int r;

	if (q->o.redirects_max < 0 || !is_redirect(q->answer.status) || !location)
		return 0;
	if (q->answer.n_redirects >= q->o.redirects_max)
		return rv_fail(-ELOOP, "%s: more than %d redirects", q->what,
			q->o.redirects_max);
	r = go_to(q, location);
	if (r < 0)
		return r;
	change_method(q);
	answer_clear(q);
	q->answer.n_redirects++;
	return 1;
}

/* -- the call ------------------------------------------------------------------------ */

void request_free(struct request *q)
{
	if (!q)
		return;
	hop_deinit(q);
	if (q->has_turn)
		(void)rv_sem_release(&q->http->turns);
	rv_http_response_free(&q->answer);
	curl_url_cleanup(q->url);
	curl_free(q->scheme);
	curl_free(q->host);
	curl_free(q->port);
	list_remove(&q->link);
	free(q);
}

static int request_new(struct request **ret, struct http *h, const rv_http_opts *o)
{
	struct request *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->http = h;
	list_append(&h->requests, &q->link);
	if (o)
		q->o = *o;
	if (q->o.connect_timeout == 0)
		q->o.connect_timeout = CONNECT_TIMEOUT_DEFAULT;
	if (q->o.body_max == 0)
		q->o.body_max = BODY_MAX_DEFAULT;
	if (q->o.redirects_max == 0)
		q->o.redirects_max = REDIRECTS_MAX_DEFAULT;
	q->url = curl_url();
	if (!q->url) {
		request_free(q);
		return -ENOMEM;
	}
	*ret = q;
	return 0;
}

/* the URL that answered, for the caller */
static int answer_finish(struct request *q)
{
	char *url = NULL;
	int r;

	(void)curl_url_set(q->url, CURLUPART_USER, NULL, 0);
	(void)curl_url_set(q->url, CURLUPART_PASSWORD, NULL, 0);
	r = error_of_url(curl_url_get(q->url, CURLUPART_URL, &url, 0));
	if (r < 0)
		return r;
	q->answer.url = strdup(url); /* for free(), which curl's need not be for */
	curl_free(url);
	return q->answer.url ? 0 : -ENOMEM;
}

static int request_run(struct request *q)
{
	int r = rv_sem_acquire(&q->http->turns);

	if (r < 0)
		return r;
	q->has_turn = true;
	do {
		r = hop_run(q);
		if (r == 0)
			r = follow(q);
	} while (r > 0);
	return r < 0 ? r : answer_finish(q);
}

static int request_do(const char *url, const rv_http_opts *o, rv_http_response *ret)
{
	struct request *q = NULL;
	struct http *h;
	int r = rv_checkpoint();

	if (r < 0)
		return r;
	if (!url || !ret)
		return rv_fail(-EINVAL, "there is no URL, or no place for the answer");
	r = o ? options_check(o) : 0;
	if (r == 0)
		r = http_get(&h);
	if (r == 0)
		r = request_new(&q, h, o);
	if (r < 0)
		return r;
	r = url_set(q, url, 0);
	if (r == 0)
		r = request_run(q);
	if (r == 0) {
		*ret = q->answer;
		q->answer = (rv_http_response){.status = 0};
	}
	/* not by attribute: a loop that is closed meanwhile frees it, and not this */
	request_free(q);
	return r;
}

int rv_http_request(const char *url, const rv_http_opts *o, rv_http_response *ret)
{
	int r = request_do(url, o, ret);

	/* else the words of an earlier call would stand for it */
	return r == -ECANCELED ? rv_fail(r, "the request was cancelled") : r;
}

int rv_http_get(const char *url, rv_http_response *ret)
{
	return rv_http_request(url, NULL, ret);
}
