/* Shared by server_conn.c and server_call.c. */
#ifndef VARLINK_SERVER_PRIV_H
#define VARLINK_SERVER_PRIV_H

#include "base/list.h"
#include "varlink/frame.h"
#include "varlink/server_conn.h"

struct vl_server_conn {
	const struct vl_registry *reg;
	struct vl_server_limits limits;
	const struct vl_server_ops *ops;
	void *priv;

	struct vl_framer framer;
	struct buf out;
	struct list replies; /* calls that owe a reply, in their order */
	struct list silent;  /* oneway calls: they hold up nobody's reply */
	struct vl_call *parsing;
	const struct vl_route
		*last_route; /* likely the next one's too; NULL: none yet */
	unsigned n_calls;    /* on both lists */
	size_t calls_bytes;  /* of their messages */
	size_t held_bytes;   /* of replies that wait for their turn */
	unsigned n_more;     /* those of them that want several replies */
	bool is_inside;      /* of an entry point: no ops->changed */

	bool may_have_message; /* fed since the framer last had none */
	bool eof;              /* nothing more will be fed */
	bool refused;          /* the protocol was broken: nothing more is looked at */
	bool broken;           /* a reply is lost for want of memory */
};

enum vl_verdict {
	VL_VERDICT_CALL,    /* for its handler */
	VL_VERDICT_BUILTIN, /* answered here */
	VL_VERDICT_INVALID, /* the fault says why */
	VL_VERDICT_REFUSED, /* not a message at all: the fault says why, the connection
			       ends */
	VL_VERDICT_NO_INTERFACE,
	VL_VERDICT_NO_METHOD,
	VL_VERDICT_NOT_IMPLEMENTED,
	VL_VERDICT_EXPECTED_MORE,
};

/* A long call between next_call and accept. */
struct vl_deferred {
	struct vl_fault fault;
	int verdict; /* enum vl_verdict, or -ENOMEM; -EAGAIN before vl_call_parse */
	size_t len;
	char text[]; /* with a NUL behind it */
};

struct vl_call {
	struct list node; /* conn->replies or conn->silent while conn is set */
	/* NULL when it is gone or the answer is complete and passed on */
	struct vl_server_conn *conn;
	const struct vl_registry *reg;
	const struct vl_route *route; /* NULL until the call is judged */
	struct vl_call_message message;
	struct vl_deferred *deferred;
	struct buf held; /* replies made before its turn */
	size_t size;     /* bytes of the message */
	bool is_more;    /* counted in conn->n_more */
	bool is_done;    /* the final answer was given */
	bool is_owned;   /* a handler has it */
};

/* Puts it last into the connection's order. 0, -ENOMEM */
int vl_call_new(struct vl_call **ret, struct vl_server_conn *c, size_t size);
/* Decode, find and check: enum vl_verdict or -ENOMEM. Needs nothing of the connection.
 * The text must stay until the call has its answer or its handler. guess is the route that is
 * tried first; NULL: none. */
int vl_call_judge(struct vl_call *call, char *text, size_t len,
	const struct vl_route *guess, struct vl_fault *fault);
/* Known now to want no reply, or several. */
void vl_call_classify(struct vl_call *call);
/* Gives the answer that a verdict other than CALL means, and frees the call. 0; -ENOMEM
 * (the call is as it was) */
int vl_call_answer(
	struct vl_call *call, enum vl_verdict verdict, const struct vl_fault *fault);
/* Out of the connection's books and order; frees it unless a handler has it. */
void vl_call_leave(struct vl_call *call);
/* The connection is being freed: only cuts the tie, for a worker may be parsing it. */
void vl_call_orphan(struct vl_call *call);

#endif
