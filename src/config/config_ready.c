#include "config.h"

#include "config/config_ready.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EINVAL;
}

static int read_port(struct ready_rule *rule, const char *text, const char **ret_why)
{
	uint64_t port;

	if (parse_u64(&port, text, 1, UINT16_MAX) < 0)
		return refuse(ret_why, "a port is a number from 1 to 65535");
	rule->port = (uint16_t)port;
	return 0;
}

static int put_text(struct ready_rule *rule, const char *text)
{
	rule->text = strdup(text);
	return rule->text ? 0 : -ENOMEM;
}

static int read_unix(struct ready_rule *rule, const char *path, const char **ret_why)
{
	if (path[0] != '/')
		return refuse(ret_why, "the path of a socket begins with /");
	if (strlen(path) > READY_PATH_MAX)
		return refuse(ret_why, "the path of a socket is longer than 107 bytes");
	return put_text(rule, path);
}

/* It goes into a line of the request as it stands. */
static bool is_http_path(const char *path)
{
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (*p <= ' ' || *p == '#' || *p >= 0x7f)
			return false;
	return true;
}

static int read_http(struct ready_rule *rule, const char *text, const char **ret_why)
{
	const char *slash = strchr(text, '/');
	char port[8];
	int r;

	if (!slash || (size_t)(slash - text) >= sizeof(port))
		return refuse(ret_why, "it is not like http:PORT/PATH");
	snprintf(port, sizeof(port), "%.*s", (int)(slash - text), text);
	r = read_port(rule, port, ret_why);
	if (r < 0)
		return r;
	if (strlen(slash) > READY_HTTP_MAX)
		return refuse(ret_why, "the path is longer than 1024 bytes");
	if (!is_http_path(slash))
		return refuse(ret_why,
			"the path has a space, a # or a byte that is no ASCII: write "
			"%%20, %%23 and so on");
	return put_text(rule, slash);
}

static int read_command(struct ready_rule *rule, const char *text, const char **ret_why)
{
	while (*text == ' ' || *text == '\t')
		text++;
	if (!*text)
		return refuse(ret_why, "command: names no command");
	return put_text(rule, text);
}

/* What both may say. -ENOENT: it is none of these. */
static int read_asked(struct ready_rule *rule, const char *text, const char **ret_why)
{
	if (strncmp(text, "tcp:", 4) == 0) {
		rule->kind = READY_TCP;
		return read_port(rule, text + 4, ret_why);
	}
	if (strncmp(text, "unix:", 5) == 0) {
		rule->kind = READY_UNIX;
		return read_unix(rule, text + 5, ret_why);
	}
	if (strncmp(text, "http:", 5) == 0) {
		rule->kind = READY_HTTP;
		return read_http(rule, text + 5, ret_why);
	}
	if (strncmp(text, "command:", 8) == 0) {
		rule->kind = READY_COMMAND;
		return read_command(rule, text + 8, ret_why);
	}
	return -ENOENT;
}

static int read_fd(struct ready_rule *rule, const char *text, const char **ret_why)
{
	uint64_t fd = READY_FD_MIN;

	if (*text && parse_u64(&fd, text + 1, READY_FD_MIN, READY_FD_MAX) < 0)
		return refuse(ret_why, "a descriptor is a number from 3 to 255");
	rule->fd = (int)fd;
	return 0;
}

/* Matching is to take a time that grows with the line alone: what a pattern refers back to, and
 * repetitions of repetitions, are not for a daemon. */
static bool is_tame(const char *text)
{
	unsigned n_counted = 0;

	for (const char *p = text; *p; p++) {
		if (*p == '\\' && p[1]) {
			if (p[1] >= '1' && p[1] <= '9')
				return false;
			p++;
		} else if (*p == '{') {
			n_counted++;
		}
	}
	return n_counted <= 1;
}

/* what regcomp says, in words that do not depend on the library */
static const char *regex_fault(int code)
{
	switch (code) {
	case REG_EPAREN: return "a ( or ) of the pattern has no partner (regex(7))";
	case REG_EBRACK: return "a [ of the pattern is not closed (regex(7))";
	case REG_EBRACE: return "a { of the pattern is not closed (regex(7))";
	case REG_BADBR:
		return "between { and } of the pattern are no numbers (regex(7))";
	case REG_ERANGE:
		return "a range of the pattern ends before it begins (regex(7))";
	case REG_ECTYPE: return "the pattern has an unknown class [:NAME:] (regex(7))";
	case REG_EESCAPE: return "a \\ ends the pattern (regex(7))";
	case REG_BADRPT: return "a *, + or ? of the pattern repeats nothing (regex(7))";
	default: return "the pattern is no extended regular expression (regex(7))";
	}
}

static int read_output(struct ready_rule *rule, const char *text, const char **ret_why)
{
	regex_t regex;
	int r;

	if (!*text)
		return refuse(ret_why, "output: has no pattern");
	if (strlen(text) > READY_REGEX_MAX)
		return refuse(ret_why, "the pattern is longer than 256 bytes");
	if (!is_tame(text))
		return refuse(ret_why, "the pattern refers back to a group, or has {N} "
				       "more than once");
	r = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
	if (r != 0)
		return refuse(ret_why, regex_fault(r));
	regfree(&regex);
	return put_text(rule, text);
}

int ready_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why)
{
	struct ready_rule rule = {.kind = READY_EXEC};
	int r = read_asked(&rule, text, ret_why);

	if (r == -ENOENT && STREQ(text, "notify")) {
		rule.kind = READY_NOTIFY;
		r = 0;
	} else if (r == -ENOENT && strncmp(text, "fd", 2) == 0 &&
		   (!text[2] || text[2] == ':')) {
		rule.kind = READY_FD;
		r = read_fd(&rule, text + 2, ret_why);
	} else if (r == -ENOENT && strncmp(text, "output:", 7) == 0) {
		rule.kind = READY_OUTPUT;
		r = read_output(&rule, text + 7, ret_why);
	} else if (r == -ENOENT && STREQ(text, "exec")) {
		r = 0;
	} else if (r == -ENOENT) {
		return refuse(ret_why,
			"it is none of exec, notify, fd:N, tcp:PORT, "
			"unix:PATH, http:PORT/PATH, output:REGEX, command:CMD");
	}
	if (r >= 0)
		*ret = rule;
	return r;
}

int live_rule_parse(struct ready_rule *ret, const char *text, const char **ret_why)
{
	struct ready_rule rule = READY_RULE_NULL;
	int r = text ? read_asked(&rule, text, ret_why) : 0;

	if (r == -ENOENT)
		return refuse(ret_why,
			"it is none of tcp:PORT, unix:PATH, http:PORT/PATH, "
			"command:CMD");
	if (r >= 0)
		*ret = rule;
	return r;
}

bool ready_rule_is_asked(const struct ready_rule *rule)
{
	return rule->kind == READY_OUTPUT || rule->kind == READY_TCP ||
	       rule->kind == READY_UNIX || rule->kind == READY_HTTP ||
	       rule->kind == READY_COMMAND;
}

int ready_rule_copy(struct ready_rule *ret, const struct ready_rule *rule)
{
	struct ready_rule copy = *rule;

	if (rule->text && put_text(&copy, rule->text) < 0)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

void ready_rule_deinit(struct ready_rule *rule)
{
	free(rule->text);
	*rule = READY_RULE_NULL;
}

char *ready_rule_format(const struct ready_rule *rule)
{
	static const char *const plain[] = {[READY_EXEC] = "exec",
		[READY_NOTIFY] = "notify",
		[READY_NONE] = "none"};
	char *text = NULL;
	int r;

	switch (rule->kind) {
	case READY_FD: r = asprintf(&text, "fd:%d", rule->fd); break;
	case READY_TCP: r = asprintf(&text, "tcp:%u", rule->port); break;
	case READY_UNIX: r = asprintf(&text, "unix:%s", rule->text); break;
	case READY_HTTP:
		r = asprintf(&text, "http:%u%s", rule->port, rule->text);
		break;
	case READY_OUTPUT: r = asprintf(&text, "output:%s", rule->text); break;
	case READY_COMMAND: r = asprintf(&text, "command:%s", rule->text); break;
	default: return strdup(plain[rule->kind]);
	}
	return r < 0 ? NULL : text;
}
