/*
 * The spawner's side of the connection to reeved.
 *
 * There is one at most. A new one takes its place only after everything that was sent
 * on the old one has been read and executed or refused; then it gets the hello and the
 * whole table, and only then anything else. News of runs are not queued here but marked
 * on the run (runs.h); only answers are, and while too many wait, no request is read.
 */
#ifndef SPAWN_CONN_H
#define SPAWN_CONN_H

#include "base/buf.h"
#include "spawn/source.h"
#include "spawn/wire.h"

struct spawner;
struct run;

struct conn {
	struct source source;
	int fd;              /* -1: nobody is connected */
	struct buf packet;   /* scratch of conn_flush */
	struct buf replies;  /* whole records, oldest first, none with descriptors */
	char *input;         /* room for one packet */
	size_t n_table_left; /* runs whose row has not been sent */
	bool hello_sent, table_sent;
	bool hello_received;
	bool news_urgent; /* among the news on runs.dirty */
	rv_time flush_at; /* the others go out by then; 0: none wait */
	bool draining;    /* being replaced: what it sends counts, answers do not */
	uint32_t events;  /* what epoll watches */
};

int conn_init(struct conn *c);

/* there are connections to be accepted */
void conn_accept(struct spawner *sp);
/* events of epoll on the connection */
void conn_process(struct spawner *sp, uint32_t events);
/* Send what there is, as far as the peer reads. At the end of each turn of the loop. News
 * that may wait do so for a moment. Returns by when to call again, RV_FOREVER. */
rv_time conn_flush(struct spawner *sp, rv_time now);
void conn_close(struct spawner *sp);

/* The run has news (its send_ flags say which). may_wait: nothing is held up if the peer hears
 * of them together with others. */
void conn_tell(struct spawner *sp, struct run *run, bool may_wait);
/* the run goes; nothing more is said of it */
void conn_forget(struct spawner *sp, struct run *run);
void conn_tell_orphan(const struct spawn_orphan *o, void *spawner);

#endif
