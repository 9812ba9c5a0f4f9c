/*
 * What one call to the daemon may hold. Its settings decide (message-max, submit-max), so it
 * is asked, but only by those whose call would not fit whatever the settings are.
 */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

#include <stddef.h>

struct cli;
struct client;

struct limits {
	size_t message_max; /* bytes of a call */
	size_t submit_max;  /* jobs of a Submit */
};

/* The least that message-max can be set to. */
#define LIMITS_MESSAGE_MIN ((size_t)16 * 1024)
/* bytes of a call beside its parameters' members that are counted */
#define LIMITS_CALL_BYTES ((size_t)512)

/**
 * @client  replaced when the connection had to be made again
 *
 * Of a daemon that does not tell them the limits are the defaults of the settings.
 * Returns 0, or the exit code after printing the error.
 */
int limits_ask(const struct cli *c, struct client **client, struct limits *ret);

#endif
