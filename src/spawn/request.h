/* Requests of reeved: decoding one record and doing what it says. */
#ifndef SPAWN_REQUEST_H
#define SPAWN_REQUEST_H

#include "spawn/wire.h"

struct spawner;

/**
 * Execute a record, or refuse it in an answer.
 *
 * @fds  the record's descriptors, n_fds of them; closed or kept in any case
 *
 * Returns 0; -RV_EPROTOCOL and other errors after which the connection is of no use.
 */
int request_execute(struct spawner *sp, struct wire_record *rec, int *fds);

#endif
