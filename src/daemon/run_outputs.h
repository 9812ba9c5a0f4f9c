/* The files that a run prints into: taken for it, kept, settled, left to the next daemon. */
#ifndef DAEMON_RUN_OUTPUTS_H
#define DAEMON_RUN_OUTPUTS_H

#include "daemon/run.h"

/* As many as its spec asks for, into run.out and run.err, their names into run.rec. 0, or
 * -errno: what was taken is the run's all the same. */
int run_take_outputs(struct run *run);
/* it never began: nothing was printed */
void run_give_back_outputs(struct run *run);
/* It has ended. Returns the bytes that stay on disk; the record says where, or nothing when it
 * printed nothing. */
int64_t run_settle_outputs(struct run *run);
/* Open those of a run of before; names: of its record, NULL for none. 0, -errno. */
int run_adopt_outputs(struct run *run, const char *names);
/* it goes on without this daemon */
void run_detach_outputs(struct run *run);

#endif
