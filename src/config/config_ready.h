/*
 * What `ready` of a service says, when a run of it counts as ready, and what `live` says,
 * whether one that is ready is still alive. Pure.
 *   exec            as soon as its program has been executed
 *   notify          when it says READY=1, as sd_notify(3) has it
 *   fd, fd:N        when it writes a line to its descriptor 3, or N, as s6 has it
 *   tcp:PORT        when that port of the loopback interface takes a connection
 *   unix:PATH       when a stream socket at that path does
 *   http:PORT/PATH  when a GET of that is answered with a status from 200 to 399
 *   output:REGEX    when a line that it prints matches that
 *   command:CMD     when that command, for the shell, exits with status 0
 * `live` has those of them that can be asked again and again.
 */
#ifndef CONFIG_CONFIG_READY_H
#define CONFIG_CONFIG_READY_H

#include "reeve/base.h"

enum ready_kind {
	READY_EXEC,
	READY_NOTIFY,
	READY_FD,
	READY_TCP,
	READY_UNIX,
	READY_HTTP,
	READY_OUTPUT,
	READY_COMMAND,
	READY_NONE, /* of live: nothing is asked */
};

#define READY_FD_MIN    3
#define READY_FD_MAX    255
#define READY_PATH_MAX  107  /* bytes: what an address of a Unix socket has room for */
#define READY_REGEX_MAX 256  /* bytes */
#define READY_HTTP_MAX  1024 /* bytes of the path of an http: rule */

struct ready_rule {
	enum ready_kind kind;
	int fd;        /* of FD, READY_FD_MIN .. READY_FD_MAX */
	uint16_t port; /* of TCP and HTTP, 1 .. 65535 */
	char *text; /* of UNIX and HTTP the path, beginning with /; the command, the pattern; owned */
};

#define READY_RULE_NULL ((struct ready_rule){.kind = READY_NONE})

/* Both: of text without specifiers, but for what they stand for. 0; -EINVAL, with what is wrong
 * in *ret_why, a constant; -ENOMEM. */
int ready_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why);
/* text NULL: there is none */
int live_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why);
/* The daemon asks, again and again; else it is told. */
bool ready_rule_is_asked(const struct ready_rule *rule);
/* 0, -ENOMEM */
int ready_rule_copy(struct ready_rule *ret, const struct ready_rule *rule);
/* It is READY_NONE then. */
void ready_rule_deinit(struct ready_rule *rule);
/* as it would be written; the caller's to free; NULL: out of memory */
char *ready_rule_format(const struct ready_rule *rule);

#endif
