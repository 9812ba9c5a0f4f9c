/* `service logs`: what services have written, and, followed, what they write. */
#ifndef CLI_SERVICE_LOGS_H
#define CLI_SERVICE_LOGS_H

#include <jansson.h>

#include "reeve/base.h"

struct cli;
struct client;

/* Those that are named, or, where none has to be, all, as io.reeve.Service has them; verb: for
 * errors. 0, or the exit code */
int service_select(struct cli *c, struct client *client, const char *verb,
	char *const *names, size_t n, bool optional, json_t **ret);

/* 0, or the exit code */
int service_logs(struct cli *c, struct client *client, char *const *names, size_t n);

#endif
