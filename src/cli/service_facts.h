/*
 * What `service status` says beyond what the daemon says of a service: put together from what it
 * says of the jobs of its instances.
 */
#ifndef CLI_SERVICE_FACTS_H
#define CLI_SERVICE_FACTS_H

#include <jansson.h>

struct cli;
struct client;

#define SERVICE_ENDS         3
#define SERVICE_OUTPUT_LINES 5
#define SERVICE_OUTPUT_BYTES (16 * 1024) /* of these lines the last so many */

/**
 * Add to each instance of a service, as io.reeve.Service has it:
 *
 * memory_bytes, cpu_usec  of all its processes; null: there are none
 * last_ends               of io.reeve.Job.Run: its last ends, SERVICE_ENDS at most, the newest
 *                         first
 * last_output             the last lines that its newest run has printed, or, where that has
 *                         printed nothing, the one that failed last: run; newest, whether it is
 *                         that; and lines, which are escaped as text_escape does; null: none has
 *
 * An instance whose job is gone meanwhile has none of it. 0, or the exit code.
 */
int service_facts_add(const struct cli *c, struct client *client, json_t *service);

#endif
