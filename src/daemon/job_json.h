/* Jobs and runs as the protocol writes them (types Job and Run of io.reeve.Job). */
#ifndef DAEMON_JOB_JSON_H
#define DAEMON_JOB_JSON_H

#include "daemon/job.h"
#include "varlink/json_write.h"

struct core;

void job_to_json(struct json_writer *w, const char *key, const struct core *core,
	const struct job *j);

/* @output_bytes, @lost_bytes  -1: not known */
void run_to_json(struct json_writer *w, const char *key, const struct store_run *rec,
	int64_t output_bytes, int64_t lost_bytes);

/* the command as one line for people: words quoted where they need it; 0, -ENOMEM */
int command_line(struct buf *out, const struct job_spec *s);

#endif
