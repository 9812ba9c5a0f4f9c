/* `ps`: the processes of jobs that run. */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/each_job.h"
#include "cli/output.h"
#include "cli/select.h"
#include "cli/text.h"
#include "cli/time.h"
#include "client/client.h"
#include "varlink/bytes_field.h"

struct ps {
	const struct cli *c;
	size_t n_jobs, n_processes;
	bool several; /* each under a heading */
};

enum {
	COL_PID,
	COL_PPID,
	COL_STATE,
	COL_CPU,
	COL_MEMORY,
	COL_AGE,
	COL_COMMAND,
	N_COLS
};

static const struct table_column columns[N_COLS] = {
	[COL_PID] = {"PID", TABLE_RIGHT},
	[COL_PPID] = {"PARENT", TABLE_RIGHT},
	[COL_STATE] = {"STATE", 0},
	[COL_CPU] = {"CPU", TABLE_RIGHT},
	[COL_MEMORY] = {"MEMORY", TABLE_RIGHT},
	[COL_AGE] = {"AGE", TABLE_RIGHT},
	[COL_COMMAND] = {"COMMAND", TABLE_CUT},
};

/* of proc(5), in words */
static const char *state_name(const char *letter)
{
	switch (letter[0]) {
	case 'R': return "running";
	case 'S': return "sleeping";
	case 'D': return "waiting";
	case 'T':
	case 't': return "stopped";
	case 'Z': return "ended";
	default: return letter;
	}
}

static int add_process(struct table *t, const json_t *p)
{
	char pid[24], ppid[24], cpu[TIME_TEXT_MAX], age[TIME_TEXT_MAX], memory[32];
	_cleanup_free_ char *command = NULL;
	const char *cells[N_COLS] = {[COL_PID] = pid,
		[COL_PPID] = ppid,
		[COL_STATE] = state_name(json_str(p, "state")),
		[COL_CPU] = cpu,
		[COL_MEMORY] = memory,
		[COL_AGE] = age};
	struct vl_fault fault;
	int r;

	if (vl_get_bytes(p, "command", &command, NULL, &fault) == -ENOMEM)
		return -ENOMEM;
	cells[COL_COMMAND] = command;
	snprintf(pid, sizeof(pid), "%" PRId64, json_int(p, "pid", 0));
	snprintf(ppid, sizeof(ppid), "%" PRId64, json_int(p, "ppid", 0));
	time_format_span(cpu, sizeof(cpu), json_int(p, "cpu_usec", -1));
	time_format_span(age, sizeof(age), json_int(p, "age_usec", -1));
	text_size(memory, sizeof(memory), json_int(p, "memory_bytes", 0));
	r = table_row(t);
	for (size_t i = 0; r == 0 && i < N_COLS; i++)
		r = table_cell(t, i, cells[i], NULL);
	return r;
}

static int print_table(const struct ps *ps, const json_t *reply)
{
	struct table_style style = {.headings = true,
		.color = ps->c->color_out,
		.is_tty = ps->c->out_is_tty};
	_cleanup_(table_freep) struct table *t = NULL;
	const json_t *p;
	size_t i;
	int r;

	r = table_new(&t, columns, N_COLS, &style);
	json_array_foreach(json_object_get(reply, "processes"), i, p)
	{
		if (r == 0)
			r = add_process(t, p);
	}
	return r < 0 ? r : table_print(t, stdout);
}

static void print_rest(const struct ps *ps, const json_t *reply)
{
	int64_t n = (int64_t)json_array_size(json_object_get(reply, "processes"));
	int64_t more = json_int(reply, "total", 0) - n;
	int64_t last = json_int(reply, "last_output_usec", 0);
	char when[TIME_TEXT_MAX];

	/* what ended while it was looked at is none of "more" */
	if (more > 0 && n >= 500)
		printf("%" PRId64 " more\n", more);
	if (last)
		printf("last output %s\n", time_format_relative(when, sizeof(when),
						   last, ps->c->now_usec));
	else
		puts("no output yet");
}

/* each_job_fn */
static int show_job(void *arg, struct client **client, const json_t *job)
{
	struct ps *ps = arg;
	_cleanup_json_ json_t *reply = NULL;
	int64_t id = json_int(job, "id", 0);
	json_t *params = json_object();
	size_t n;
	int r;

	if (!params || json_put(params, "select", selection_of_id(id)) < 0) {
		json_decref(params);
		return cli_fail_errno(ps->c, -ENOMEM, "ps");
	}
	r = cli_call(ps->c, *client, "io.reeve.Job.Processes", params, &reply);
	if (r != 0)
		return r;
	ps->n_jobs++;
	n = json_array_size(json_object_get(reply, "processes"));
	ps->n_processes += n;
	if (ps->c->json)
		return json_print(stdout, reply, false) < 0
			       ? cli_fail_write(ps->c, -EIO)
			       : 0;
	if (n == 0) {
		cli_note(ps->c, "job %" PRId64 " is %s: it has no processes", id,
			json_str(reply, "state"));
		return 0;
	}
	if (ps->several)
		printf("%s==> job %" PRId64 " <==\n", ps->n_jobs > 1 ? "\n" : "", id);
	r = print_table(ps, reply);
	if (r < 0)
		return cli_fail_write(ps->c, r);
	print_rest(ps, reply);
	return 0;
}

/* Selectors mean those that run; who names a job hears that it does not. 0, -ENOMEM */
static int only_active(json_t *select)
{
	static const char *const active[] = {"running", "paused", "stopping"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(active) && r == 0; i++)
		r = json_put_append(select, "states", json_string(active[i]));
	return r;
}

int cmd_ps(struct cli *c)
{
	_cleanup_(selection_deinit) struct selection sel = SELECTION_NULL;
	_cleanup_(client_closep) struct client *client = NULL;
	struct ps ps = {.c = c};
	int r;

	r = cli_select(c, &sel, SELECT_OPTIONAL);
	if (r == 0 && !sel.listed && !json_object_get(sel.filters, "states") &&
		only_active(sel.filters) < 0)
		return cli_fail_errno(c, -ENOMEM, "ps");
	if (r == 0)
		r = cli_connect_for(c, &client, &sel);
	ps.several = !selection_is_single(&sel);
	for (size_t i = 0; r == 0 && i < selection_n_chunks(&sel); i++)
		r = cli_each_job(c, &client, selection_json(&sel, i), show_job, &ps);
	if (r == 0 && ps.n_jobs == 0)
		return cli_fail(c, CLI_EXIT_NOTHING, "ps: no job matches");
	return r != 0 ? r : ps.n_processes ? CLI_EXIT_OK : CLI_EXIT_NOTHING;
}
