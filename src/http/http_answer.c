/* What an answer consists of: headers and body as they come, and looking at them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/macro.h"
#include "http/http_priv.h"

static void headers_free(rv_http_response *a)
{
	/* name and value are one allocation */
	for (size_t i = 0; i < a->n_headers; i++)
		free((char *)a->headers[i].name);
	free(a->headers);
	a->headers = NULL;
	a->n_headers = 0;
}

void rv_http_response_free(rv_http_response *r)
{
	if (!r)
		return;
	headers_free(r);
	rv_buf_free(&r->body);
	free(r->url);
	*r = (rv_http_response){.status = 0};
}

const char *rv_http_header_get(const rv_http_response *r, const char *name, size_t nth)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (strcasecmp(r->headers[i].name, name) == 0 && nth-- == 0)
			return r->headers[i].value;
	return NULL;
}

void answer_clear(struct request *q)
{
	int n_redirects = q->answer.n_redirects;

	rv_http_response_free(&q->answer);
	q->answer.n_redirects = n_redirects;
	q->body_room = q->headers_room = 0;
	q->in_headers = false;
}

/* what else than all of it a callback of curl's returns ends the transfer */
static bool took(struct request *q, int r)
{
	if (r < 0)
		q->err = r;
	return r >= 0;
}

/* -- headers ------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int header_add(struct request *q, const char *name, size_t n_name,
	const char *value, size_t n_value)
{
	rv_http_response *a = &q->answer;
	char *mem;

	if (a->n_headers == q->headers_room) {
		size_t room = MAX(q->headers_room * 2, (size_t)16);
		rv_http_header *headers =
			reallocarray(a->headers, room, sizeof(a->headers[0]));

		if (!headers)
			return -ENOMEM;
		a->headers = headers;
		q->headers_room = room;
	}
	mem = malloc(n_name + n_value + 2);
	if (!mem)
		return -ENOMEM;
	memcpy(mem, name, n_name);
	mem[n_name] = '\0';
	memcpy(mem + n_name + 1, value, n_value);
	mem[n_name + 1 + n_value] = '\0';
	a->headers[a->n_headers++] = (rv_http_header){mem, mem + n_name + 1};
	return 0;
}

/* A line that begins with a blank goes on with the value before it (RFC 9112, 5.2). */
static int header_continue(struct request *q, const char *text, size_t n)
{
	rv_http_response *a = &q->answer;
	rv_http_header *last;
	size_t n_name, n_value;
	char *mem;

	if (a->n_headers == 0)
		return 0;
	last = &a->headers[a->n_headers - 1];
	n_name = strlen(last->name);
	n_value = strlen(last->value);
	mem = realloc((char *)last->name, n_name + n_value + n + 3);
	if (!mem)
		return -ENOMEM;
	mem[n_name + 1 + n_value] = ' ';
	memcpy(mem + n_name + 1 + n_value + 1, text, n);
	mem[n_name + 1 + n_value + 1 + n] = '\0';
	*last = (rv_http_header){mem, mem + n_name + 1};
	return 0;
}

static int take_line(struct request *q, const char *line, size_t n)
{
	bool goes_on = n > 0 && (line[0] == ' ' || line[0] == '\t');
	const char *colon;
	size_t n_name;

	q->n_header_bytes += n;
	if (q->n_header_bytes > HEADERS_MAX)
		return -EMSGSIZE;
	if (!q->in_headers) {
		if (n < 5 || memcmp(line, "HTTP/", 5) != 0)
			return 0;         /* behind the body: trailers are left out */
		headers_free(&q->answer); /* of an interim answer (1xx) */
		q->headers_room = 0;
		q->in_headers = true;
		return 0;
	}
	while (n > 0 && is_blank(line[n - 1]))
		n--;
	if (n == 0) {
		q->in_headers = false;
		return 0;
	}
	colon = goes_on ? line : memchr(line, ':', n);
	if (!colon)
		return 0; /* no header: curl lets it pass */
	n_name = (size_t)(colon - line);
	colon += !goes_on;
	n -= (size_t)(colon - line);
	while (n > 0 && is_blank(*colon)) {
		colon++;
		n--;
	}
	return goes_on ? header_continue(q, colon, n)
		       : header_add(q, line, n_name, colon, n);
}

size_t answer_on_header(char *line, size_t size, size_t n, void *arg)
{
	struct request *q = arg;

	return took(q, take_line(q, line, size * n)) ? size * n : 0;
}

/* -- body ---------------------------------------------------------------------------- */

static int take_body(struct request *q, const char *b, size_t n)
{
	rv_buf *body = &q->answer.body;

	if (n > q->o.body_max - body->n)
		return -EMSGSIZE;
	if (n >= q->body_room - body->n) { /* the NUL too */
		size_t room = MAX(q->body_room * 2, body->n + n + 1);
		char *data = realloc(body->data, room);

		if (!data)
			return -ENOMEM;
		body->data = data;
		q->body_room = room;
	}
	memcpy(body->data + body->n, b, n);
	body->n += n;
	body->data[body->n] = '\0';
	return 0;
}

size_t answer_on_body(char *b, size_t size, size_t n, void *arg)
{
	struct request *q = arg;

	if (n == 0)
		return 0;
	return took(q, take_body(q, b, size * n)) ? size * n : 0;
}
