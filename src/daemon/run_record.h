/* The two records of a run: of its start, on disk before anything happens, and of its end. */
#ifndef DAEMON_RUN_RECORD_H
#define DAEMON_RUN_RECORD_H

#include "daemon/run.h"

/* 0: on disk, the job is starting; or an error: nothing was recorded, outputs may be taken */
RV_AWAIT int run_record_start(struct run *run);
/* Judges the end, gives the slot free. 0: on disk; or an error: the end is not to be
 * acknowledged, so that it is heard of once more. */
RV_AWAIT int run_record_end(struct run *run);
/* of a start that failed: "chdir '/nonexistent': No such file or directory" */
void run_describe_failed_step(const struct run *run, char *buf, size_t size);

#endif
