/*
 * curl's multi handle on a loop.
 *
 * curl tells which sockets it waits for and for how long, and is called when one is ready.
 * It means level-triggered readiness and the loop's is edge-triggered: after each call the
 * socket is asked again, and after a change of what is waited for as well.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "http/http_priv.h"

enum {
	CALLS_MAX = 16
}; /* of a socket that stays ready before others have their turn */

struct sock {
	struct list link; /* in http.socks */
	struct http *http;
	int fd;
	unsigned want; /* RV_READ, RV_WRITE */
	rv_watch *watch;
	rv_timer again; /* runs: ask whether it is ready */
};

static const char http_key; /* its address */

/* -- calls of curl ------------------------------------------------------------------- */

static void take_done(struct http *h)
{
	CURLMsg *m;
	int n;

	while ((m = curl_multi_info_read(h->multi, &n))) {
		struct request *q = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&q);
		hop_done(q, 0, m->data.result);
	}
}

static void act(struct http *h, curl_socket_t fd, int mask)
{
	int n_running;
	CURLMcode code = curl_multi_socket_action(h->multi, fd, mask, &n_running);

	take_done(h);
	/* No memory: it waits for a socket that set_socket has not heard of, and does not
	 * say whose. */
	if (code != CURLM_OK)
		LIST_FOREACH(it, &h->requests) {
			struct request *q = LIST_ENTRY(it, struct request, link);

			if (q->is_added && !rv_event_is_set(&q->done))
				hop_done(q, -ENOMEM, CURLE_OK);
		}
}

static void on_timer(void *arg)
{
	act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct http *h = arg;

	if (ms < 0)
		rv_timer_stop(&h->timer);
	else
		rv_timer_start(&h->timer, rv_loop_now(h->loop) + RV_MS(ms));
	return 0;
}

/* -- sockets ------------------------------------------------------------------------- */

static unsigned ready_now(const struct sock *s)
{
	struct pollfd p = {.fd = s->fd};
	unsigned ev = 0;

	p.events = (short)((s->want & RV_READ ? POLLIN : 0) |
			   (s->want & RV_WRITE ? POLLOUT : 0));
	if (!p.events || poll(&p, 1, 0) <= 0)
		return 0;
	if (p.revents & (POLLERR | POLLHUP | POLLNVAL))
		return s->want;
	if (p.revents & POLLIN)
		ev |= RV_READ;
	if (p.revents & POLLOUT)
		ev |= RV_WRITE;
	return ev;
}

static void sock_run(struct sock *s, unsigned ev)
{
	struct http *h = s->http;

	for (int i = 0; i < CALLS_MAX; i++) {
		ev &= s->want;
		if (!ev)
			return;
		h->current = s;
		act(h, s->fd,
			(ev & RV_READ ? CURL_CSELECT_IN : 0) |
				(ev & RV_WRITE ? CURL_CSELECT_OUT : 0));
		if (h->current != s) /* it is gone */
			return;
		h->current = NULL;
		ev = ready_now(s);
	}
	rv_timer_start(&s->again, rv_loop_time(h->loop));
}

static void on_ready(int fd, unsigned ev, void *arg)
{
	sock_run(arg, ev);
}

static void on_again(void *arg)
{
	sock_run(arg, ready_now(arg));
}

static void sock_free(struct sock *s)
{
	if (!s)
		return;
	if (s->http->current == s)
		s->http->current = NULL;
	rv_timer_stop(&s->again);
	(void)rv_fd_unwatch(s->watch);
	list_remove(&s->link);
	free(s);
}

static int sock_new(struct sock **ret, struct http *h, int fd)
{
	struct sock *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->http = h;
	s->fd = fd;
	rv_timer_init(&s->again, h->loop, on_again, s);
	list_append(&h->socks, &s->link);
	/* both directions: it is polled for both in any case */
	r = rv_fd_watch(h->loop, fd, RV_READ | RV_WRITE, on_ready, s, &s->watch);
	if (r < 0) {
		sock_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static unsigned want_of(int what)
{
	switch (what) {
	case CURL_POLL_IN: return RV_READ;
	case CURL_POLL_OUT: return RV_WRITE;
	case CURL_POLL_INOUT: return RV_READ | RV_WRITE;
	default: return 0;
	}
}

static int set_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sock)
{
	struct http *h = arg;
	struct sock *s = sock;
	unsigned want = want_of(what);
	int r;

	if (what == CURL_POLL_REMOVE) {
		sock_free(s);
		return 0;
	}
	if (!s) {
		r = sock_new(&s, h, fd);
		if (r == 0 && curl_multi_assign(h->multi, fd, s) != CURLM_OK) {
			sock_free(s);
			r = -ENOMEM;
		}
		if (r < 0) {
			struct request *q = NULL;

			/* saying it to curl would end all transfers, not this one */
			(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&q);
			if (q)
				hop_done(q, r, CURLE_OK);
			return 0;
		}
	} else if (want & ~s->want && h->current != s) {
		rv_timer_start(&s->again, rv_loop_time(h->loop));
	}
	s->want = want;
	return 0;
}

/* -- what a loop has ----------------------------------------------------------------- */

static void http_free(struct http *h)
{
	struct list *it;

	while ((it = list_first(&h->requests))) {
		struct request *q = LIST_ENTRY(it, struct request, link);

		q->has_turn = false; /* who waits for it has been given up as well */
		request_free(q);
	}
	if (h->multi) {
		/* closes the connections: their sockets go one by one through set_socket,
		 * and what it would like to wait for is not waited for */
		(void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, NULL);
		(void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, NULL);
		while ((it = list_first(&h->socks)))
			sock_free(LIST_ENTRY(it, struct sock, link));
		(void)curl_multi_cleanup(h->multi);
	}
	rv_timer_stop(&h->timer);
	names_deinit(h);
	free(h);
}

DEFINE_CLEANUP(struct http *, http_free)

static void http_end(void *arg)
{
	http_free(arg);
}

static int set_max(struct http *h, unsigned n)
{
	if (curl_multi_setopt(h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)n) !=
			CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)n) != CURLM_OK)
		return -ENOMEM;
	return rv_sem_init(&h->turns, (long)n, 0);
}

static int http_new(struct http **ret, rv_loop *l)
{
	_cleanup_(http_freep) struct http *h = calloc(1, sizeof(*h));
	int r;

	if (!h)
		return -ENOMEM;
	h->loop = l;
	list_init(&h->requests);
	list_init(&h->socks);
	rv_timer_init(&h->timer, l, on_timer, h);
	errno = 0;
	h->multi = curl_multi_init();
	if (!h->multi)
		return errno == EMFILE ? -EMFILE : -ENOMEM;
	if (curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, set_socket) !=
			CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, set_timer) !=
			CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK)
		return -ENOMEM;
	r = set_max(h, CONNECTIONS_MAX_DEFAULT);
	if (r < 0)
		return r;
	r = rv_loop_attach(l, &http_key, h, http_end);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(h);
	return 0;
}

/* Never undone: other users of curl in this process may be there. */
static int global_init(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards is_done */
	static bool is_done;
	int r = 0;

	(void)pthread_mutex_lock(&lock);
	if (!is_done)
		is_done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!is_done)
		r = -ENOMEM;
	(void)pthread_mutex_unlock(&lock);
	return r;
}

int http_get(struct http **ret)
{
	rv_loop *l = rv_loop_current();
	int r;

	if (!l)
		return -RV_ENOTASK;
	*ret = rv_loop_attached(l, &http_key);
	if (*ret)
		return 0;
	r = global_init();
	return r < 0 ? r : http_new(ret, l);
}

int http_add(struct http *h, struct request *q)
{
	if (curl_multi_add_handle(h->multi, q->easy) != CURLM_OK)
		return -ENOMEM;
	q->is_added = true;
	return 0;
}

void http_remove(struct http *h, struct request *q)
{
	if (q->is_added)
		(void)curl_multi_remove_handle(h->multi, q->easy);
	q->is_added = false;
}

int rv_http_set_connections_max(unsigned n)
{
	struct http *h;
	int r;

	if (n == 0 || n > CONNECTIONS_MAX_MAX)
		return -EINVAL;
	r = http_get(&h);
	if (r < 0)
		return r;
	return list_is_empty(&h->requests) ? set_max(h, n) : -EBUSY;
}
