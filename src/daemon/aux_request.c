/* The start request of an auxiliary command, made from that of its run; see aux.h. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "daemon/aux_priv.h"
#include "daemon/readiness.h"
#include "daemon/run_steps.h"

static void env_unset(char **env, const char *name)
{
	size_t len = strlen(name);
	char **to = env;

	for (char **e = env; e && *e; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=')
			free(*e);
		else
			*to++ = *e;
	}
	if (to)
		*to = NULL;
}

static int make_env(struct run_request *rr, const struct run *run, char *const *env)
{
	char pid[16];
	int r = 0;

	env_unset(rr->env, "NOTIFY_SOCKET"); /* its word is not the service's */
	env_unset(rr->env, "WATCHDOG_USEC");
	env_unset(rr->env, SPAWN_PID_ENV);
	if (run->started) {
		snprintf(pid, sizeof(pid), "%d", (int)run_main_pid(run));
		r = strv_env_set(&rr->env, "MAINPID", pid);
	}
	STRV_FOREACH(e, env) {
		_cleanup_free_ char *name = strdup(*e);
		char *eq = name ? strchr(name, '=') : NULL;

		if (!name)
			return -ENOMEM;
		if (eq && r >= 0) {
			*eq = '\0';
			r = strv_env_set(&rr->env, name, eq + 1);
		}
	}
	return r;
}

int aux_make_request(struct run_request *rr, struct aux *a, struct run *run,
	const struct aux_command *cmd, enum spawn_step *ret_step)
{
	struct spawn_request *q = &rr->req;
	int r = run_request_init(rr, run, ret_step);

	if (r < 0)
		return r;
	q->token = a->token;
	q->gate = 0;
	q->aside = q->ahead = false;
	q->ready_fd = 0;
	q->stdin_kind = SPAWN_STDIO_NULL;
	q->stdin_path = NULL;
	q->leftovers = SPAWN_LEFTOVERS_KILL;
	q->kill_signal = SIGTERM;
	q->kill_grace = AUX_GRACE;
	*ret_step = SPAWN_STEP_REQUEST;
	strv_free(rr->argv);
	rr->argv = strv_copy(cmd->argv);
	q->argv = rr->argv;
	r = rr->argv ? make_env(rr, run, cmd->env) : -ENOMEM;
	q->env = rr->env;
	*ret_step = SPAWN_STEP_STDOUT;
	if (r >= 0 && cmd->keep)
		r = aux_open_output(a, rr, cmd->keep);
	return r;
}
