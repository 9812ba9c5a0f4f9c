/*
 * The control socket: listener, connections, who is on the other end, and the calls.
 *
 * A connection is a protocol on a transport: bytes go into Varlink's state machine, each
 * call that comes out is a task of the connection, replies go back through the transport's
 * flow control. A client that does not read is paused; one that goes on like that is
 * dropped. Loop thread only.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/unix_socket.h"
#include "reeve/sync.h"
#include "reeve/transport.h"
#include "varlink/json_write.h"
#include "varlink/server_conn.h"

struct app;
struct control;
struct core;
struct submit;

/* one connection, as handlers see it */
struct control_conn {
	rv_protocol protocol; /* first: the transport gives it back */
	struct control *control;
	rv_transport *transport;
	struct vl_server_conn *vl;
	struct unix_peer peer;
	bool is_admin; /* root, or one of the configured administrators */
	bool writable; /* the transport is below its watermark */
	bool lost;
	bool pump_posted;
	unsigned n_tasks;
	struct submit *graph; /* jobs of calls that go on; NULL: none */
	rv_event changed;     /* writable, lost, or a call's turn has come */
};

/* A handler: answers the call (it must not free it). What it returns when it did not
 * answer: a negative error becomes an error reply. */
typedef int (*control_handler)(struct control_conn *conn, struct vl_call *call);
/* vl_method.id of a handler that never awaits: it is called without a task of its own */
enum { CONTROL_INLINE = 1 };

int control_new(struct control **ret, struct app *app);
struct control *control_free(struct control *c);
/* Listen at a path, or on sockets that were passed in. */
int control_bind(struct control *c, const char *path, mode_t mode);
int control_listen_fd(struct control *c, int fd);
/* stop listening there; connections go on */
void control_unbind(struct control *c);
/* administrators are others now: connections that are there get the rights they have now */
void control_rights_changed(struct control *c); /* NULL is fine */
/* take no more connections and calls; those under way are finished */
void control_stop_accepting(struct control *c);
/* until replies are written, or the grace is over; then connections are closed, those too
 * whose calls wait in control_wait_event */
RV_AWAIT int control_shutdown(struct control *c, rv_time grace);

struct app *control_app(const struct control *c);
struct core *control_core(const struct control *c);
/* bytes of a call; message-max of the configuration may be another by now */
size_t control_message_max(const struct control *c);

/* For handlers that stream: wait until the reply before was taken by the transport and it
 * is this call's turn. 0, -ECONNRESET when the connection is gone. */
RV_AWAIT int control_wait_writable(struct control_conn *conn, struct vl_call *call);
/* The reply is the object that was begun in text and is whole now. */
int control_reply_object(
	struct vl_call *call, struct json_writer *w, const struct buf *text);
/* One page of a reply: members of the object that is begun, while page is below
 * PAGE_BYTES. True: there are more. */
typedef bool (*control_page_fn)(
	struct json_writer *w, const struct buf *page, void *arg);
/* The reply in pages, a turn each; without "more" the first. */
RV_AWAIT int control_reply_pages(struct control_conn *conn, struct vl_call *call,
	control_page_fn fill, void *arg);
/* For handlers that wait for what may never happen: rv_event_wait, but a shutdown does not
 * wait for them while the event is not set. */
RV_AWAIT int control_wait_event(struct control_conn *conn, rv_event *event);

/* reply helpers: error names of io.reeve.Job */
int reply_error(struct vl_call *call, const char *name, const char *fmt, ...)
	PRINTF(3, 4); /* fmt: JSON text of the parameters */
/* an error of the store or of limits, as one that the interface of the call declares */
int reply_errno(struct vl_call *call, int error);
/* A number that cannot be below 0 is: answered, true. Null and one left out are fine. */
bool control_refuses_negative(struct vl_call *call, const char *member);

extern const struct vl_method control_job_methods[];
extern const size_t control_n_job_methods;
extern const struct vl_method control_pool_methods[];
extern const size_t control_n_pool_methods;
extern const struct vl_method control_schedule_methods[];
extern const size_t control_n_schedule_methods;
extern const struct vl_method control_service_methods[];
extern const size_t control_n_service_methods;
extern const struct vl_method control_daemon_methods[];
extern const size_t control_n_daemon_methods;

#endif
