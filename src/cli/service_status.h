/* `service status NAME`: everything about one, with its last ends and what it printed last. */
#ifndef CLI_SERVICE_STATUS_H
#define CLI_SERVICE_STATUS_H

#include <jansson.h>

struct cli;

/* service: as io.reeve.Service has it, with what service_facts_add adds. 0, or the exit code
 * after printing the error */
int service_print_status(const struct cli *c, const json_t *service);

/* of smartcols */
const char *service_state_color(const char *state);

#endif
