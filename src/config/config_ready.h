/*
 * What `ready` of a service says: when a run of it counts as ready. Pure.
 *   exec       as soon as its program has been executed
 *   notify     when it says READY=1, as sd_notify(3) has it
 *   tcp:PORT   when that port of the loopback interface takes a connection
 *   unix:PATH  when a stream socket at that path does
 */
#ifndef CONFIG_CONFIG_READY_H
#define CONFIG_CONFIG_READY_H

#include "reeve/base.h"

enum ready_kind { READY_EXEC, READY_NOTIFY, READY_TCP, READY_UNIX };

#define READY_PATH_MAX 107 /* bytes: what an address of a Unix socket has room for */

struct ready_rule {
	enum ready_kind kind;
	uint16_t port;                 /* of TCP, 1 .. 65535 */
	char path[READY_PATH_MAX + 1]; /* of UNIX, absolute */
};

/* Of text without specifiers, but for what they stand for. 0; -EINVAL, with what is wrong in
 * *ret_why, a constant. */
int ready_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why);

#endif
