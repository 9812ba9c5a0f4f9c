/* The link to the spawner: what its files share (spawner_link.c: the connection;
 * spawner_link_news.c: what comes over it; spawner_link_request.c: what is asked for). */
#ifndef DAEMON_SPAWNER_LINK_PRIV_H
#define DAEMON_SPAWNER_LINK_PRIV_H

#include "base/list.h"
#include "daemon/spawner_link.h"
#include "reeve/loop.h"
#include "reeve/sync.h"

struct spawner_link {
	struct core *core;
	struct spawner_link_opts opts;
	struct spawn_client *client; /* NULL: not connected */
	rv_watch *watch;
	bool ready, more_posted, flush_posted;
	bool start_unsent, ack_unsent; /* among the requests that a flush is due for */
	bool failed;           /* it was lost or not to be had, and is not back */
	bool table_incomplete; /* no memory for all of it */
	bool must_drop;        /* the connection is of no use */
	rv_handle more;        /* valid while more_posted */
	rv_handle flush;       /* valid while flush_posted */
	struct list want_room; /* of struct run.want_room */
	char instance[SPAWN_ID_LEN + 1];
	char last_instance[SPAWN_ID_LEN + 1]; /* that runs are with */
	pid_t pid;
	pid_t child;       /* the last that we started; 0: none or reaped */
	bool child_is_new; /* it has had no daemon yet, so it has no runs either */
	int notify_fd;     /* that came with the connection; -1 */
	struct spawner_run *table;
	size_t n_table, n_table_max;
	struct spawn_token *acks; /* acknowledgements that found no room, in order */
	size_t n_acks, n_acks_max;
	rv_time orphans_since; /* orphans are counted from here on */
	unsigned n_orphans;
	rv_event changed;
};

/* what the spawner says, told to the runs that it concerns */
extern const struct spawn_client_ops link_client_ops;

/* what has come of a table; closes the pidfds that nobody has taken */
void link_drop_table(struct spawner_link *l);
/* requests of theirs may go through now */
void link_wake_wanting(struct spawner_link *l);
/* acknowledgements that found no room, as far as there is some now */
void link_send_acks(struct spawner_link *l);

#endif
