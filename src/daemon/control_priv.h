/* The control socket's own: the server, its connections, their limits. */
#ifndef DAEMON_CONTROL_PRIV_H
#define DAEMON_CONTROL_PRIV_H

#include "base/hashmap.h"
#include "base/list.h"
#include "daemon/app.h"
#include "daemon/control.h"
#include "daemon/core.h"
#include "daemon/hangups.h"
#include "reeve/net.h"
#include "varlink/registry.h"

struct control {
	struct app *app;
	struct vl_registry *registry;
	struct vl_server_limits limits;
	rv_server **servers; /* one, or those that were passed in, and closed ones that
			      * still have connections */
	size_t n_servers;
	struct hangups *hangups;
	struct list conns; /* of struct conn in control_conn.c */
	size_t n_conns;
	unsigned n_tasks;        /* of all connections */
	struct hashmap *per_uid; /* uid + 1 -> connections, counted in the pointer */
	bool stopping;
	rv_event idle;       /* a task or a connection ended, or a task began to wait */
	struct list waiting; /* of struct waiting in control.c */
};

/* a connection, for rv_listen_opts; arg is the control */
rv_protocol *control_conn_new(void *arg);
/* The peer reads no more either; arg is what was given to hangups_add. */
void control_hung_up(void *arg);
/* Something that a shutdown waits for has changed. */
void control_progress(struct control *c);

#endif
