/* `__complete`: the half of completion that the shell cannot do. Prints nothing where
 * the shell's own completion (files, commands, users) is the right one, and never an
 * error. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/complete.h"
#include "client/client.h"

/* somebody waits at the keyboard */
#define PATIENCE RV_MS(500)
/* so many jobs are offered at most */
#define JOBS_MAX 200

static void offer(const struct complete_place *p, const char *candidate)
{
	if (*candidate && strncmp(candidate, p->prefix, strlen(p->prefix)) == 0)
		puts(candidate);
}

/* A pool may stand behind others: "a,b", "a|b". Those of the daemon's own, ".callbacks", only
 * where that is what is being written. */
static void offer_pool(const struct complete_place *p, const char *name)
{
	_cleanup_free_ char *text = NULL;
	size_t before = strlen(p->prefix);

	while (before > 0 && !strchr(",|", p->prefix[before - 1]))
		before--;
	if (name[0] == '.' && p->prefix[before] != '.')
		return;
	if (*name && asprintf(&text, "%.*s%s", (int)before, p->prefix, name) >= 0)
		offer(p, text);
}

static void offer_members(const struct complete_place *p, struct client *client,
	const char *method, const char *array, const char *member)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *item;
	size_t i;

	if (client_call_pages(client, method, NULL, array, &reply, NULL, PATIENCE) != 0)
		return;
	json_array_foreach(json_object_get(reply, array), i,
		item) if (p->hint == HINT_POOL) offer_pool(p, json_str(item, member));
	else offer(p, json_str(item, member));
}

/* and their groups; a word that is offered more than once is one word to shells */
static void offer_services(const struct complete_place *p, struct client *client)
{
	offer_members(p, client, "io.reeve.Service.List", "services", "name");
	offer_members(p, client, "io.reeve.Service.List", "services", "group");
}

static void offer_job(const struct complete_place *p, const json_t *job)
{
	const json_t *labels = json_object_get(job, "labels"), *label;
	char id[32];
	size_t i;

	if (p->hint == HINT_LABEL) {
		json_array_foreach(
			(json_t *)labels, i, label) if (json_is_string(label))
			offer(p, json_string_value(label));
		return;
	}
	snprintf(id, sizeof(id), "%" PRId64, json_int(job, "id", 0));
	offer(p, id);
	offer(p, json_str(job, "name"));
}

static void offer_jobs(const struct complete_place *p, struct client *client)
{
	_cleanup_json_ json_t *reply = NULL, *params;
	json_t *job;
	size_t i;

	params = json_pack("{s:{s:b}, s:i, s:b}", "select", "all", 1, "limit", JOBS_MAX,
		"reverse", 1);
	if (params && p->hint == HINT_FINISHED_JOB)
		json_put_append(json_object_get(params, "select"), "states",
			json_string("finished"));
	if (client_call(client, "io.reeve.Job.List", params, &reply, NULL, PATIENCE) !=
		0)
		return;
	json_array_foreach(json_object_get(reply, "jobs"), i, job) offer_job(p, job);
}

int cmd_complete(struct cli *c)
{
	_cleanup_(client_closep) struct client *client = NULL;
	struct complete_place p;
	uint64_t index;

	if (c->opts.n_args < 2 ||
		parse_u64(&index, c->opts.args[0], 1, c->opts.n_args - 1) < 0)
		return CLI_EXIT_USAGE;
	complete_find_place(&p, c->opts.args + 1, c->opts.n_args - 1, (size_t)index);
	if (complete_static(stdout, &p))
		return CLI_EXIT_OK;
	if (p.hint != HINT_JOB && p.hint != HINT_FINISHED_JOB && p.hint != HINT_LABEL &&
		p.hint != HINT_POOL && p.hint != HINT_FUNCTION &&
		p.hint != HINT_SCHEDULE && p.hint != HINT_SERVICE &&
		p.hint != HINT_ENVIRONMENT)
		return complete_by_shell(&p);
	if (client_open(&client, c->target.socket, PATIENCE) < 0)
		return CLI_EXIT_OK;
	if (p.hint == HINT_POOL)
		offer_members(&p, client, "io.reeve.Pool.List", "pools", "name");
	else if (p.hint == HINT_SCHEDULE)
		offer_members(
			&p, client, "io.reeve.Schedule.List", "schedules", "name");
	else if (p.hint == HINT_SERVICE)
		offer_services(&p, client);
	else if (p.hint == HINT_ENVIRONMENT)
		offer_members(&p, client, "io.reeve.Daemon.Environments",
			"environments", "name");
	else if (p.hint == HINT_FUNCTION)
		offer_members(
			&p, client, "io.reeve.Job.Functions", "functions", "name");
	else
		offer_jobs(&p, client);
	return CLI_EXIT_OK;
}
