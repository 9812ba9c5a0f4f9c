/* `clean`: forget jobs by how they ended. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/select.h"
#include "cli/text.h"
#include "client/client.h"

/* select: taken; JSON's null: nothing was named */
static int clean_chunk(struct cli *c, struct client *client, const char *what,
	json_t *select, int64_t *n)
{
	_cleanup_json_ json_t *reply = NULL;
	json_t *params;
	int r;

	params = json_pack("{s:s, s:b}", "what", what, "dry_run",
		(int)options_has(&c->opts, OPT_DRY_RUN));
	if (!params ||
		(!json_is_null(select) && json_put(params, "select", select) < 0))
		return cli_fail_errno(c, -ENOMEM, "clean");
	r = cli_call(c, client, "io.reeve.Job.Clean", params, &reply);
	*n += json_int(reply, "n", 0);
	return r;
}

static void report(const struct cli *c, int64_t n)
{
	bool dry = options_has(&c->opts, OPT_DRY_RUN);

	if (c->json)
		printf("{\"n\":%" PRId64 ",\"dry_run\":%s}\n", n,
			dry ? "true" : "false");
	else if (dry)
		printf("%" PRId64 " job%s would be removed\n", n, text_plural(n));
	else
		printf("%" PRId64 " job%s removed\n", n, text_plural(n));
}

int cmd_clean(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	const char *what = "succeeded";
	int64_t n = 0;
	int r;

	if (options_has(&c->opts, OPT_FINISHED) && options_has(&c->opts, OPT_FAILED))
		return cli_fail(c, CLI_EXIT_USAGE,
			"clean: --failed and --finished exclude each other");
	r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r != 0)
		return r;
	/* --failed says here which ones, like --finished, and selects nothing further
	 */
	if (json_object_del(sel.filters, "failed") == 0)
		what = "failed";
	if (options_has(&c->opts, OPT_FINISHED))
		what = "finished";
	r = cli_connect_for(c, &client, &sel);
	if (r == 0 && selection_is_absent(&sel))
		r = clean_chunk(c, client, what, json_null(), &n);
	else
		for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
			r = clean_chunk(c, client, what, selection_json(&sel, i), &n);
	if (r == 0)
		report(c, n);
	return r;
}
