#include "config.h"

#include "cli/limits.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "client/client.h"
#include "varlink/limits.h"

#define SUBMIT_MAX 500 /* unless the configuration says otherwise */

static size_t limit(const json_t *status, const char *key, size_t missing)
{
	int64_t n = json_int(status, key, 0);

	return n > 0 ? (size_t)n : missing;
}

int limits_ask(const struct cli *c, struct client **client, struct limits *ret)
{
	_cleanup_json_ json_t *status = NULL;
	int r = -ECONNRESET;

	for (int i = 0; r == -ECONNRESET && i < CLI_RECONNECTS_MAX; i++) {
		if (i > 0 && cli_reconnect(c, client, RV_FOREVER) < 0)
			break;
		r = client_call(*client, "io.reeve.Daemon.Status", NULL, &status, NULL,
			RV_FOREVER);
	}
	if (r < 0)
		return cli_fail_lost(c, r);
	ret->message_max = limit(status, "message_max_bytes", VL_MESSAGE_MAX);
	ret->submit_max = limit(status, "submit_max", SUBMIT_MAX);
	return 0;
}
