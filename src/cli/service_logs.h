/* `service logs`: what services have written, and, followed, what they write. */
#ifndef CLI_SERVICE_LOGS_H
#define CLI_SERVICE_LOGS_H

#include <stddef.h>

struct cli;
struct client;

/* 0, or the exit code */
int service_logs(struct cli *c, struct client *client, char *const *names, size_t n);

#endif
