#include "config.h"

#include "cli/each_job.h"

#include <errno.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "client/client.h"

/* One page, and where the next one begins in *next; 0: nowhere. */
static int each_of_page(const struct cli *c, struct client **client,
	const json_t *select, int64_t *next, each_job_fn fn, void *arg)
{
	_cleanup_json_ json_t *page = NULL;
	json_t *params = json_pack("{s:O}", "select", select), *job;
	size_t i;
	int r;

	if (!params ||
		(*next > 0 && json_put(params, "from_id", json_integer(*next)) < 0)) {
		json_decref(params);
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	}
	r = cli_call(c, *client, "io.reeve.Job.List", params, &page);
	json_array_foreach(json_object_get(page, "jobs"), i, job)
	{
		if (r != 0)
			break;
		r = fn(arg, client, job);
	}
	*next = json_int(page, "next_id", 0);
	return r;
}

int cli_each_job(const struct cli *c, struct client **client, json_t *select,
	each_job_fn fn, void *arg)
{
	_cleanup_json_ json_t *mine = select;
	int64_t next = 0;
	int r;

	if (!mine)
		return cli_fail_errno(c, -ENOMEM, "%s", c->command->name);
	do {
		r = each_of_page(c, client, mine, &next, fn, arg);
	} while (r == 0 && next > 0);
	return r;
}
