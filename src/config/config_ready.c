#include "config/config_ready.h"

#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/parse.h"

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

int ready_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why)
{
	struct ready_rule rule = {.kind = READY_EXEC};
	uint64_t port = 0;

	if (STREQ(text, "notify")) {
		rule.kind = READY_NOTIFY;
	} else if (strncmp(text, "tcp:", 4) == 0) {
		rule.kind = READY_TCP;
		if (parse_u64(&port, text + 4, 1, UINT16_MAX) < 0)
			return refuse(ret_why, "a port is a number from 1 to 65535");
		rule.port = (uint16_t)port;
	} else if (strncmp(text, "unix:", 5) == 0) {
		rule.kind = READY_UNIX;
		if (text[5] != '/')
			return refuse(ret_why, "the path of a socket begins with /");
		if (strlen(text + 5) > READY_PATH_MAX)
			return refuse(ret_why,
				"the path of a socket is longer than 107 bytes");
		memcpy(rule.path, text + 5, strlen(text + 5) + 1);
	} else if (!STREQ(text, "exec")) {
		return refuse(
			ret_why, "it is none of exec, notify, tcp:PORT, unix:PATH");
	}
	*ret = rule;
	return 0;
}
