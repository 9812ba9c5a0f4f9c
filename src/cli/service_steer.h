/* Which services a verb means, and how it changes them. */
#ifndef CLI_SERVICE_STEER_H
#define CLI_SERVICE_STEER_H

#include <jansson.h>
#include <stdbool.h>

struct cli;
struct client;

/* Those that are named, by name, glob or group, or, where none has to be, all, as
 * io.reeve.Service has them. 0, or the exit code after printing the error */
int service_select(struct cli *c, struct client *client, const char *verb,
	char *const *names, size_t n, bool optional, json_t **ret);
/* Each is changed by that method; the exit code */
int service_steer(struct cli *c, struct client *client, const char *verb,
	const char *method, char *const *names, size_t n);
/* Restarted one after the other, which the daemon sees to; the exit code */
int service_roll(struct cli *c, struct client *client, const char *verb,
	char *const *names, size_t n);

#endif
