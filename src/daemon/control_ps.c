/* The method Processes: what of a run is there now. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "daemon/control_job.h"
#include "daemon/control_select.h"
#include "daemon/core.h"
#include "daemon/output_read.h"
#include "daemon/processes.h"
#include "daemon/run.h"
#include "reeve/executor.h"
#include "varlink/json_write.h"

enum {
	PROCESSES_MAX = 500, /* told one by one */
	COMMAND_MAX = 1024,  /* bytes of each command line */
};

/* one look, made in a worker */
struct look {
	struct processes_of of;
	bool has_process;
	int state_fd;
	char output[sizeof(((struct run *)0)->output_names)];
	struct json_writer w;
	struct buf text;
};

static void put_process(struct json_writer *w, const struct proc_stat *st)
{
	_cleanup_(buf_deinitp) struct buf command = BUF_NULL;
	struct process_usage usage;
	char state[2] = {st->state, '\0'};

	/* one that ended since is no error */
	if (process_usage_get(&usage, st) < 0 ||
		process_command_get(&command, st, COMMAND_MAX) < 0)
		return;
	json_writer_object(w, NULL);
	json_writer_int(w, "pid", st->pid);
	json_writer_int(w, "ppid", st->ppid);
	json_writer_string(w, "state", state);
	json_writer_int(w, "cpu_usec", usage.cpu_usec);
	json_writer_int(w, "memory_bytes", usage.memory_bytes);
	json_writer_int(w, "age_usec", usage.age_usec);
	json_writer_bytes(w, "command", buf_head(&command), buf_len(&command));
	json_writer_object_end(w);
}

/* when something was last written to its files; 0: not known, or nothing was */
static int64_t last_output_usec(const struct look *l)
{
	int64_t last = 0;

	for (int i = OUTPUT_STDOUT; i <= OUTPUT_STDERR; i++) {
		char name[sizeof(l->output)];
		struct stat st;

		if (output_name(name, sizeof(name), l->output, (enum output_stream)i) <=
				0 ||
			fstatat(l->state_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			st.st_size == 0)
			continue;
		last = MAX(last, (int64_t)st.st_mtim.tv_sec * USEC_PER_SEC +
					 st.st_mtim.tv_nsec / 1000);
	}
	return last;
}

/* in a worker */
static int look(void *arg)
{
	_cleanup_(proc_list_deinit) struct proc_list found = PROC_LIST_NULL;
	struct look *l = arg;
	int64_t last;
	int r = 0;

	if (l->has_process)
		r = processes_collect(&found, &l->of);
	if (r < 0 && r != -RV_ELIMIT)
		return r;
	json_writer_array(&l->w, "processes");
	for (size_t i = 0; i < MIN(found.n, (size_t)PROCESSES_MAX); i++)
		put_process(&l->w, &found.v[i]);
	json_writer_array_end(&l->w);
	json_writer_int(&l->w, "total", (int64_t)found.n);
	last = last_output_usec(l);
	if (last)
		json_writer_int(&l->w, "last_output_usec", last);
	else
		json_writer_null(&l->w, "last_output_usec");
	return 0;
}

static void take_run(struct look *l, const struct run *run)
{
	l->has_process = run->started && run->info.pid > 1;
	l->of = (struct processes_of){.token = run_spawn_token(run),
		.pid = run->info.pid,
		.start_time = run->info.start_time};
	snprintf(l->of.instance, sizeof(l->of.instance), "%s", run->rec.spawner_id);
	snprintf(l->output, sizeof(l->output), "%s", run->output_names);
}

int control_job_processes(struct control_conn *conn, struct vl_call *call)
{
	struct core *core = control_core(conn->control);
	struct look l = {.state_fd = core->state_fd, .text = BUF_NULL};
	const struct job *j;
	uint64_t id;
	int r;

	r = select_one(
		&id, conn, call, json_object_get(vl_call_params(call), "select"));
	if (r <= 0)
		return r;
	j = jobs_find(core->jobs, id);
	if (!j)
		return reply_error(
			call, "io.reeve.Job.NotFound", "{\"id\":%" PRIu64 "}", id);
	if (j->run)
		take_run(&l, j->run);
	json_writer_init(&l.w, &l.text);
	json_writer_object(&l.w, NULL);
	json_writer_int(&l.w, "id", (int64_t)id);
	json_writer_int(&l.w, "run", j->n_runs);
	json_writer_string(&l.w, "state", job_state_name[j->state]);
	r = rv_run_blocking(core->io, look, &l);
	json_writer_object_end(&l.w);
	if (r >= 0)
		r = json_writer_end(&l.w);
	if (r >= 0)
		r = vl_call_reply_text(
			call, buf_head(&l.text), buf_len(&l.text), false);
	buf_deinit(&l.text);
	return r;
}
