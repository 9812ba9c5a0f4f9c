/* The client against a server of a few lines: a thread that follows a script. */
#include "config.h"

#include "client/client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/macro.h"
#include "base/unix_socket.h"
#include "tests/support/temp_dir.h"
#include "tests/support/unit.h"

#define LONG RV_SEC(60) /* never passes unless the test fails */

/* what the thread does with the connection; it closes it when it returns */
typedef void (*script_fn)(int fd);

struct server {
	struct temp_dir dir;
	char path[96];
	int listen_fd;
	script_fn script;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *s = arg;
	struct pollfd p = {.fd = s->listen_fd, .events = POLLIN};
	int fd;

	if (poll(&p, 1, 60000) != 1)
		return NULL;
	fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0) {
		s->script(fd);
		close(fd);
	}
	return NULL;
}

static void server_init(struct server *s)
{
	*s = (struct server){.dir = temp_dir_make()};
	snprintf(s->path, sizeof(s->path), "%s/socket", s->dir.path);
}

static struct client *server_start(struct server *s, script_fn script)
{
	struct client *c;

	server_init(s);
	s->script = script;
	ck_assert_int_eq(unix_listen(&s->listen_fd, s->path, SOCK_STREAM, 0600, 10), 0);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
	ck_assert_int_eq(client_open(&c, s->path, LONG), 0);
	return c;
}

static void server_end(struct server *s, struct client *c)
{
	client_close(c);
	pthread_join(s->thread, NULL);
	close(s->listen_fd);
	temp_dir_remove(&s->dir);
}

/* Read one message; false at the end of the stream. */
static bool take(int fd, char *ret, size_t size)
{
	size_t n = 0;
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (n < size)
			ret[n++] = byte;
		if (byte == '\0')
			return true;
	}
	return false;
}

static void give(int fd, const char *s)
{
	size_t n = strlen(s) + 1;

	while (n > 0) {
		ssize_t sent = send(fd, s, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		s += sent;
		n -= (size_t)sent;
	}
}

/* until the client closes */
static void wait_end(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

START_TEST(socket_that_is_missing_is_told_from_one_nobody_serves)
{
	struct server s;
	struct client *c;

	server_init(&s);
	ck_assert_int_eq(client_open(&c, s.path, LONG), -ENOENT);
	ck_assert_int_eq(unix_listen(&s.listen_fd, s.path, SOCK_STREAM, 0600, 1), 0);
	close(s.listen_fd);
	ck_assert_int_eq(client_open(&c, s.path, LONG), -ECONNREFUSED);
	temp_dir_remove(&s.dir);
}
END_TEST

START_TEST(server_that_takes_nobody_in_is_a_timeout)
{
	struct client *c[64];
	struct server s;
	size_t n = 0;
	int r;

	server_init(&s);
	ck_assert_int_eq(unix_listen(&s.listen_fd, s.path, SOCK_STREAM, 0600, 1), 0);
	do {
		r = client_open(&c[n], s.path, RV_MS(20));
		n += r == 0;
	} while (r == 0 && n < ARRAY_LEN(c));
	ck_assert_int_eq(r, -ETIMEDOUT);
	while (n > 0)
		client_close(c[--n]);
	close(s.listen_fd);
	temp_dir_remove(&s.dir);
}
END_TEST

static void script_echo_then_error(int fd)
{
	char got[200];

	ck_assert(take(fd, got, sizeof(got)));
	ck_assert_str_eq(got, "{\"method\":\"a.b.C\",\"parameters\":{\"x\":1}}");
	give(fd, "{\"parameters\":{\"y\":2}}");
	ck_assert(take(fd, got, sizeof(got)));
	ck_assert_str_eq(got, "{\"method\":\"a.b.D\",\"parameters\":{}}");
	give(fd, "{\"error\":\"a.b.Bad\",\"parameters\":{\"why\":\"z\"}}");
	wait_end(fd);
}

START_TEST(call_gives_reply_or_error)
{
	json_t *p = json_pack("{s:i}", "x", 1), *reply;
	struct server s;
	struct client *c = server_start(&s, script_echo_then_error);
	char *error = NULL;

	ck_assert_int_eq(client_call(c, "a.b.C", p, &reply, &error, LONG), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(reply, "y")), 2);
	ck_assert_ptr_null(error);
	json_decref(reply);
	ck_assert_int_eq(client_call(c, "a.b.D", NULL, &reply, &error, LONG), 1);
	ck_assert_str_eq(error, "a.b.Bad");
	ck_assert_str_eq(json_string_value(json_object_get(reply, "why")), "z");
	json_decref(reply);
	json_decref(p);
	free(error);
	server_end(&s, c);
}
END_TEST

START_TEST(silent_server_is_a_timeout_and_the_connection_is_over)
{
	struct server s;
	struct client *c = server_start(&s, wait_end);

	ck_assert_int_eq(
		client_call(c, "a.b.C", NULL, NULL, NULL, RV_MS(20)), -ETIMEDOUT);
	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, NULL, LONG), -ENOTCONN);
	ck_assert_int_eq(client_oneway(c, "a.b.C", NULL, LONG), -ENOTCONN);
	server_end(&s, c);
}
END_TEST

static void script_close(int fd)
{
	char got[200];

	take(fd, got, sizeof(got));
}

static void script_nothing(int fd)
{
}

START_TEST(server_that_goes_away_is_an_error_not_a_signal)
{
	struct server s;
	struct client *c = server_start(&s, script_close);

	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, NULL, LONG), -ECONNRESET);
	server_end(&s, c);

	c = server_start(&s, script_nothing);
	pthread_join(s.thread, NULL);
	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, NULL, LONG), -ECONNRESET);
	client_close(c);
	close(s.listen_fd);
	temp_dir_remove(&s.dir);
}
END_TEST

static void script_refuse(int fd)
{
	give(fd, "{\"error\":\"a.b.TooMany\"}");
	/* closed with the call unread */
}

START_TEST(last_word_of_a_server_that_does_not_listen_is_heard)
{
	struct server s;
	struct client *c = server_start(&s, script_refuse);
	char *error = NULL;

	pthread_join(s.thread, NULL);
	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, &error, LONG), 1);
	ck_assert_str_eq(error, "a.b.TooMany");
	free(error);
	client_close(c);
	close(s.listen_fd);
	temp_dir_remove(&s.dir);
}
END_TEST

static void script_nonsense(int fd)
{
	char got[200];

	take(fd, got, sizeof(got));
	give(fd, "HTTP/1.1 400");
	wait_end(fd);
}

START_TEST(server_of_another_protocol_is_an_error)
{
	struct server s;
	struct client *c = server_start(&s, script_nonsense);

	ck_assert_int_eq(
		client_call(c, "a.b.C", NULL, NULL, NULL, LONG), -RV_EPROTOCOL);
	server_end(&s, c);
}
END_TEST

static void script_stream(int fd)
{
	char got[200];

	while (take(fd, got, sizeof(got))) {
		ck_assert_str_eq(
			got, "{\"method\":\"a.b.C\",\"parameters\":{},\"more\":true}");
		give(fd, "{\"parameters\":{\"i\":0},\"continues\":true}");
		give(fd, "{\"parameters\":{\"i\":1},\"continues\":true}");
		give(fd, "{\"parameters\":{\"i\":2}}");
	}
}

struct seen {
	int n, stop_at, sum;
};

static int on_reply(void *arg, const struct client_reply *reply)
{
	struct seen *seen = arg;

	ck_assert_ptr_null(reply->error);
	seen->sum += (int)json_integer_value(json_object_get(reply->params, "i"));
	ck_assert(reply->continues == (++seen->n % 3 != 0));
	return seen->n == seen->stop_at ? 42 : 0;
}

START_TEST(stream_is_followed_to_its_end_and_again)
{
	struct seen seen = {0};
	struct server s;
	struct client *c = server_start(&s, script_stream);

	ck_assert_int_eq(client_call_more(c, "a.b.C", NULL, on_reply, &seen, LONG), 0);
	ck_assert_int_eq(client_call_more(c, "a.b.C", NULL, on_reply, &seen, LONG), 0);
	ck_assert_int_eq(seen.n, 6);
	ck_assert_int_eq(seen.sum, 6);
	server_end(&s, c);
}
END_TEST

START_TEST(stream_left_early_ends_the_connection_but_not_at_its_last_reply)
{
	struct seen last = {.stop_at = 3}, early = {.stop_at = 1};
	struct server s;
	struct client *c = server_start(&s, script_stream);

	ck_assert_int_eq(client_call_more(c, "a.b.C", NULL, on_reply, &last, LONG), 42);
	ck_assert_int_eq(
		client_call_more(c, "a.b.C", NULL, on_reply, &early, LONG), 42);
	ck_assert_int_eq(
		client_call_more(c, "a.b.C", NULL, on_reply, &early, LONG), -ENOTCONN);
	server_end(&s, c);
}
END_TEST

static void script_pages(int fd)
{
	char got[200];

	ck_assert(take(fd, got, sizeof(got)));
	give(fd, "{\"parameters\":{\"v\":[1],\"of\":\"x\"},\"continues\":true}");
	give(fd, "{\"parameters\":{\"v\":[]},\"continues\":true}");
	give(fd, "{\"parameters\":{\"v\":[2,3]}}");
	ck_assert(take(fd, got, sizeof(got)));
	give(fd, "{\"parameters\":{\"v\":[1]},\"continues\":true}");
	give(fd, "{\"error\":\"a.b.Gone\",\"parameters\":{\"why\":1}}");
	ck_assert(take(fd, got, sizeof(got)));
	give(fd, "{\"parameters\":{\"v\":[1]},\"continues\":true}");
	give(fd, "{\"parameters\":{\"w\":2}}");
	ck_assert(!take(fd, got, sizeof(got)));
}

/* drops what it is given */
static void assert_json(json_t *got, const char *expected)
{
	char *text = json_dumps(got, JSON_COMPACT);

	ck_assert_str_eq(text, expected);
	free(text);
	json_decref(got);
}

START_TEST(pages_are_put_together_and_an_error_counts_for_all)
{
	_cleanup_free_ char *error = NULL;
	json_t *got = NULL;
	struct server s;
	struct client *c = server_start(&s, script_pages);

	ck_assert_int_eq(
		client_call_pages(c, "a.b.C", NULL, "v", &got, &error, LONG), 0);
	ck_assert_ptr_null(error);
	assert_json(TAKE_PTR(got), "{\"v\":[1,2,3],\"of\":\"x\"}");
	ck_assert_int_eq(
		client_call_pages(c, "a.b.C", NULL, "v", &got, &error, LONG), 1);
	ck_assert_str_eq(error, "a.b.Gone");
	assert_json(TAKE_PTR(got), "{\"why\":1}");
	ck_assert_int_eq(client_call_pages(c, "a.b.C", NULL, "v", &got, NULL, LONG),
		-RV_EPROTOCOL);
	ck_assert_ptr_null(got);
	server_end(&s, c);
}
END_TEST

/* Answers each call with more than a socket holds before it reads the next one. */
static void script_big_replies(int fd)
{
	static char big[300 * 1024];
	char *got = malloc(300 * 1024);

	memset(big, 'x', sizeof(big));
	memcpy(big, "{\"parameters\":{\"t\":\"", 20);
	memcpy(big + sizeof(big) - 4, "\"}}", 4);
	while (take(fd, got, 300 * 1024))
		give(fd, big);
	free(got);
}

struct batch {
	uint64_t n_made, n_max, n_replies;
	size_t size;
	int fail_at;
};

static int make_call(void *arg, struct client_request *ret)
{
	struct batch *b = arg;
	char *text;

	if (b->n_made == b->n_max)
		return b->fail_at ? -EIO : 0;
	b->n_made++;
	text = malloc(b->size + 1);
	memset(text, 'y', b->size);
	text[b->size] = '\0';
	ret->method = "a.b.C";
	ret->params = json_pack("{s:s}", "t", text);
	free(text);
	return 1;
}

static int on_batch_reply(void *arg, const struct client_reply *reply)
{
	struct batch *b = arg;

	ck_assert_uint_eq(reply->index, b->n_replies++);
	return 0;
}

START_TEST(batch_larger_than_all_buffers_does_not_deadlock)
{
	struct batch b = {.n_max = 12, .size = 200 * 1024};
	struct server s;
	struct client *c = server_start(&s, script_big_replies);

	ck_assert_int_eq(client_batch(c, 6, make_call, on_batch_reply, &b, LONG), 0);
	ck_assert_uint_eq(b.n_replies, 12);
	server_end(&s, c);
}
END_TEST

/* Reads all that is under way before it answers any of it, and never sees more. */
static void script_window(int fd)
{
	char got[200];
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			ck_assert(take(fd, got, sizeof(got)));
		ck_assert_int_eq(poll(&p, 1, 0), 0);
		for (int i = 0; i < 4; i++)
			give(fd, "{}");
	}
	wait_end(fd);
}

static int on_window_reply(void *arg, const struct client_reply *reply)
{
	return on_batch_reply(arg, reply);
}

START_TEST(batch_keeps_to_its_window)
{
	struct batch b = {.n_max = 4, .size = 1};
	struct server s;
	struct client *c = server_start(&s, script_window);

	for (int i = 0; i < 5; i++) {
		b.n_made = b.n_replies = 0;
		ck_assert_int_eq(
			client_batch(c, 4, make_call, on_window_reply, &b, LONG), 0);
		ck_assert_uint_eq(b.n_replies, 4);
	}
	server_end(&s, c);
}
END_TEST

START_TEST(batch_ends_with_the_error_of_its_maker)
{
	struct batch b = {.n_max = 2, .size = 1, .fail_at = 3};
	struct server s;
	struct client *c = server_start(&s, wait_end);

	ck_assert_int_eq(client_batch(c, 4, make_call, on_batch_reply, &b, LONG), -EIO);
	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, NULL, LONG), -ENOTCONN);
	server_end(&s, c);
}
END_TEST

START_TEST(call_over_the_limit_is_not_sent_and_does_no_harm)
{
	struct batch b = {.n_max = 1, .size = CLIENT_CALL_MAX + 1};
	struct client_request q;
	struct server s;
	struct client *c = server_start(&s, script_big_replies);

	ck_assert_int_eq(make_call(&b, &q), 1);
	ck_assert_int_eq(
		client_call(c, q.method, q.params, NULL, NULL, LONG), -EMSGSIZE);
	json_decref(q.params);
	ck_assert_int_eq(client_call(c, "a.b.C", NULL, NULL, NULL, LONG), 0);
	server_end(&s, c);
}
END_TEST

static void script_oneway(int fd)
{
	char got[200];

	ck_assert(take(fd, got, sizeof(got)));
	ck_assert_str_eq(
		got, "{\"method\":\"a.b.C\",\"parameters\":{},\"oneway\":true}");
	ck_assert(take(fd, got, sizeof(got)));
	give(fd, "{}");
	wait_end(fd);
}

START_TEST(oneway_waits_for_no_reply)
{
	struct server s;
	struct client *c = server_start(&s, script_oneway);

	ck_assert_int_eq(client_oneway(c, "a.b.C", NULL, LONG), 0);
	ck_assert_int_eq(client_call(c, "a.b.D", NULL, NULL, NULL, LONG), 0);
	server_end(&s, c);
}
END_TEST

UNIT_MAIN("client", socket_that_is_missing_is_told_from_one_nobody_serves,
	server_that_takes_nobody_in_is_a_timeout, call_gives_reply_or_error,
	silent_server_is_a_timeout_and_the_connection_is_over,
	server_that_goes_away_is_an_error_not_a_signal,
	last_word_of_a_server_that_does_not_listen_is_heard,
	server_of_another_protocol_is_an_error, stream_is_followed_to_its_end_and_again,
	stream_left_early_ends_the_connection_but_not_at_its_last_reply,
	pages_are_put_together_and_an_error_counts_for_all,
	batch_larger_than_all_buffers_does_not_deadlock, batch_keeps_to_its_window,
	batch_ends_with_the_error_of_its_maker,
	call_over_the_limit_is_not_sent_and_does_no_harm, oneway_waits_for_no_reply)
