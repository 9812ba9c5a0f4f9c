#include "config.h"

#include "cli/cli_main.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/help.h"
#include "cli/output.h"

/* What may stand before the verb and behind it. The later one counts. */
struct general {
	bool json, system, user, help, version;
	const char *socket;
	const char *color;
};

static void read_general(struct general *g, const struct options *o)
{
	const char *value;

	g->json |= options_has(o, OPT_JSON);
	g->system |= options_has(o, OPT_SYSTEM);
	g->user |= options_has(o, OPT_USER_MODE);
	g->help |= options_has(o, OPT_HELP);
	g->version |= options_has(o, OPT_VERSION);
	value = options_get(o, OPT_SOCKET);
	g->socket = value ? value : g->socket;
	value = options_get(o, OPT_COLOR);
	g->color = value ? value : g->color;
}

/* which daemon, and what stdout can show. 0, or the exit code */
static int set_up(struct cli *c, const struct general *g)
{
	const struct target_choice choice = {
		.socket_option = g->socket,
		.socket_variable = getenv("REEVE_SOCKET"),
		.system = g->system,
		.user = g->user,
		.uid = geteuid(),
	};
	struct paths_env env;
	int when, r;

	when = color_when_parse(g->color ? g->color : "auto");
	if (when < 0)
		return cli_fail(c, CLI_EXIT_USAGE, "--color is auto, always, or never");
	c->out_is_tty = isatty(STDOUT_FILENO);
	c->err_is_tty = isatty(STDERR_FILENO);
	c->color_out = color_is_wanted((enum color_when)when, c->out_is_tty,
		getenv("NO_COLOR"), getenv("TERM"));
	c->now_usec = clock_wall_usec(&clock_system);
	if (g->socket && !*g->socket)
		return cli_fail(c, CLI_EXIT_USAGE, "--socket: the path is empty");
	paths_env_get(&env);
	r = target_choose(&c->target, &choice, &env);
	if (r == -EINVAL)
		return cli_fail(
			c, CLI_EXIT_USAGE, "--system and --user exclude each other");
	if (r == -ENOENT)
		return cli_fail(c, CLI_EXIT_USAGE,
			"no home directory; --socket says where the daemon is");
	return r < 0 ? cli_fail_errno(c, r, "cannot start") : 0;
}

/* What is not written is not told: a full disk must not look like success. */
static int close_stdout(const struct cli *c, int code)
{
	bool failed = ferror(stdout);

	if (fflush(stdout) == 0 && !failed)
		return code;
	if (errno != EPIPE)
		cli_fail_errno(c, errno ? -errno : -EIO, "cannot write");
	return code == CLI_EXIT_OK ? CLI_EXIT_SOME : code;
}

/* `__complete INDEX reeve WORD...`: the daemon that is asked is the one that those words, which
 * may be wrong so far, are for. */
static int run_raw(struct cli *c, struct general *g, int argc, char **argv, int first)
{
	struct option_set set = global_options();
	struct options said;
	char *err = NULL;
	int next, r;

	(void)options_parse(&said, &set, argv, argc, MIN(first + 2, argc), &next, &err);
	read_general(g, &said);
	c->opts.args = argv + first;
	c->opts.n_args = (size_t)(argc - first);
	r = set_up(c, g);
	r = r != 0 ? r : c->command->run(c);
	c->opts.args = NULL;
	free(err);
	options_deinit(&said);
	return r;
}

static int run_verb(struct cli *c, struct general *g, int argc, char **argv, int first)
{
	struct option_set set = command_options(c->command);
	char *err = NULL;
	int r;

	if (c->command->flags & COMMAND_RAW)
		return run_raw(c, g, argc, argv, first);
	set.now_usec = clock_wall_usec(&clock_system);
	r = options_parse(&c->opts, &set, argv, argc, first, NULL, &err);
	read_general(g, &c->opts);
	c->json = g->json;
	if (g->help) {
		r = cmd_help_of(c);
	} else if (r < 0) {
		/* `run` answers with its job's code, so its own mistakes have one apart
		 */
		r = cli_fail(c,
			c->command->run == cmd_run ? CLI_EXIT_RUN_FAILED
						   : CLI_EXIT_USAGE,
			"%s: %s", c->command->name, err ? err : rv_strerror(r));
	} else {
		r = set_up(c, g);
		r = r != 0 ? r : c->command->run(c);
	}
	free(err);
	return r;
}

static int find_verb(struct cli *c, const char *word)
{
	const char *near;

	c->command = command_find(word);
	if (c->command)
		return 0;
	near = command_nearest(word);
	if (near)
		return cli_fail(c, CLI_EXIT_USAGE,
			"unknown verb '%s' (did you mean '%s'?)", word, near);
	return cli_fail(c, CLI_EXIT_USAGE, "unknown verb '%s'; `reeve help`", word);
}

/* A caller may have closed one of the three: a socket must not get its number, or what
 * is meant for people goes to the daemon. Output that has no place fails as it would
 * have; messages are what nobody wanted to see. */
static void open_standard_streams(void)
{
	static const int flags[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags[fd]) != fd)
			_exit(CLI_EXIT_SOME);
}

int cli_main(int argc, char **argv)
{
	struct option_set set = global_options();
	struct options before;
	struct general g = {0};
	struct cli c = {0};
	char *err = NULL;
	int next = 1, r;

	open_standard_streams();
	setlocale(LC_CTYPE, ""); /* how wide characters are */
	r = options_parse(&before, &set, argv, argc, MIN(1, argc), &next, &err);
	read_general(&g, &before);
	c.json = g.json;
	if (r < 0) {
		r = cli_fail(&c, CLI_EXIT_USAGE, "%s", err ? err : rv_strerror(r));
	} else if (g.version || (g.help && next >= argc)) {
		c.command = command_find(g.version ? "version" : "help");
		r = c.command->run(&c);
	} else {
		r = find_verb(&c, next < argc ? argv[next] : "ls");
		if (r == 0)
			r = run_verb(&c, &g, argc, argv, MIN(next + 1, argc));
	}
	r = close_stdout(&c, r);
	free(err);
	options_deinit(&before);
	options_deinit(&c.opts);
	target_deinit(&c.target);
	return r;
}
