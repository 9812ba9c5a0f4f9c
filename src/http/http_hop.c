/* One transfer of curl's, and what its errors mean. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/http_priv.h"
#include "reeve/task.h"

void hop_deinit(struct request *q)
{
	http_remove(q->http, q);
	curl_easy_cleanup(q->easy);
	q->easy = NULL;
	(void)curl_share_cleanup(q->names);
	q->names = NULL;
	curl_slist_free_all(q->headers);
	q->headers = NULL;
	curl_slist_free_all(q->resolve);
	q->resolve = NULL;
}

void hop_done(struct request *q, int err, CURLcode code)
{
	if (err < 0)
		q->err = err;
	q->code = code;
	rv_event_set(&q->done);
}

static int error_of_connect(struct request *q)
{
	long saved_errno = 0;

	if (q->socket_err < 0)
		return q->socket_err;
	(void)curl_easy_getinfo(q->easy, CURLINFO_OS_ERRNO, &saved_errno);
	return saved_errno > 0 ? -(int)saved_errno : -ECONNREFUSED;
}

static int error_of(struct request *q)
{
	switch (q->code) {
	case CURLE_OK: return 0;
	case CURLE_OUT_OF_MEMORY: return -ENOMEM;
	case CURLE_COULDNT_CONNECT: return error_of_connect(q);
	case CURLE_OPERATION_TIMEDOUT: return -ETIMEDOUT;
	case CURLE_PEER_FAILED_VERIFICATION: return -EKEYREJECTED;
	case CURLE_SSL_CACERT_BADFILE: return -ENOKEY;
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE: return -RV_EINCOMPLETE;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return -ECONNRESET;
	case CURLE_FILESIZE_EXCEEDED: return -EMSGSIZE;
	case CURLE_COULDNT_RESOLVE_HOST: return -ENOENT;
	default: return -EPROTO; /* that is what is left: not HTTP, or TLS has failed */
	}
}

static int too_much(const struct request *q)
{
	if (q->n_header_bytes > HEADERS_MAX)
		return rv_fail(-EMSGSIZE, "%s: more than %d KiB of headers", q->what,
			HEADERS_MAX / 1024);
	return rv_fail(
		-EMSGSIZE, "%s: body of more than %zu bytes", q->what, q->o.body_max);
}

static int take_result(struct request *q)
{
	long status = 0;
	int r = q->err;

	if (r == 0)
		r = error_of(q);
	if (r == 0) {
		(void)curl_easy_getinfo(q->easy, CURLINFO_RESPONSE_CODE, &status);
		q->answer.status = (int)status;
		return 0;
	}
	if (r == -EMSGSIZE)
		return too_much(q);
	if (q->code == CURLE_COULDNT_CONNECT || r == -ETIMEDOUT)
		names_forget(q);
	return rv_fail(r, "%s: %s", q->what,
		r != error_of(q) ? rv_strerror(r)
		: *q->error      ? q->error
				 : curl_easy_strerror(q->code));
}

static int hop_start(struct request *q, rv_time connect_timeout)
{
	CURLcode code;

	rv_event_init(&q->done);
	q->err = 0;
	q->socket_err = 0;
	q->code = CURLE_OK;
	q->error[0] = '\0';
	q->easy = curl_easy_init();
	/* the addresses of this hop alone: curl would keep every name that it ever saw */
	q->names = curl_share_init();
	if (!q->easy || !q->names ||
		curl_share_setopt(q->names, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) !=
			CURLSHE_OK)
		return -ENOMEM;
	code = options_apply(q, connect_timeout);
	if (code == CURLE_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code != CURLE_OK) /* of a libcurl without TLS, say */
		return rv_fail(
			-EPROTONOSUPPORT, "%s: %s", q->what, curl_easy_strerror(code));
	return http_add(q->http, q);
}

static int resolve(struct request *q, rv_time *timeout)
{
	char why[160];
	int r = names_resolve(q, timeout);

	if (r >= 0 || r == -ECANCELED)
		return r;
	(void)snprintf(why, sizeof(why), "%s",
		r != -ETIMEDOUT && rv_errmsg() ? rv_errmsg() : rv_strerror(r));
	return rv_fail(r, "%s: %s", q->what, why);
}

int hop_run(struct request *q)
{
	rv_time connect_timeout = q->o.connect_timeout;
	int r = resolve(q, &connect_timeout);

	if (r == 0)
		r = hop_start(q, connect_timeout);
	if (r == 0)
		r = rv_event_wait(&q->done);
	if (r == 0)
		r = take_result(q);
	hop_deinit(q);
	return r;
}
