#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"
#include "daemon/core.h"
#include "daemon/job_json.h"
#include "daemon/readiness.h"
#include "daemon/run.h"
#include "daemon/scheduler.h"
#include "daemon/users.h"
#include "job/deps.h"

enum { COMMAND_SHOWN_MAX = 256 }; /* bytes; lists are for people, show has it all */

int command_line(struct buf *out, const struct job_spec *s)
{
	int r;

	if (job_str(s, FUNCTION)) {
		r = buf_append_str(out, job_str(s, FUNCTION));
		if (r >= 0 && job_str(s, ARGUMENTS))
			r = buf_printf(out, " %s", job_str(s, ARGUMENTS));
		return r;
	}
	if (job_str(s, SHELL_COMMAND))
		return buf_append_str(out, job_str(s, SHELL_COMMAND));
	return job_value_format(out, JOB_FIELD_COMMAND, &s->v[JOB_FIELD_COMMAND]);
}

static void put_time(struct json_writer *w, const char *key, int64_t usec)
{
	if (usec)
		json_writer_int(w, key, usec);
	else
		json_writer_null(w, key);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
	if (text && text[0])
		json_writer_string(w, key, text);
	else
		json_writer_null(w, key);
}

static void put_exit(struct json_writer *w, int exit_code, int sig)
{
	if (exit_code >= 0)
		json_writer_int(w, "exit_code", exit_code);
	else
		json_writer_null(w, "exit_code");
	if (sig > 0)
		json_writer_int(w, "signal", sig);
	else
		json_writer_null(w, "signal");
}

static void put_command(struct json_writer *w, const struct job_spec *s)
{
	_cleanup_(buf_deinitp) struct buf line = BUF_NULL;
	size_t n;

	if (command_line(&line, s) < 0) {
		w->error = -ENOMEM;
		return;
	}
	n = buf_len(&line);
	if (n > COMMAND_SHOWN_MAX) {
		n = COMMAND_SHOWN_MAX;
		while (n > 0 && ((unsigned char)buf_head(&line)[n] & 0xc0) == 0x80)
			n--; /* not inside of a character */
	}
	json_writer_string_n(w, "command", buf_head(&line), n);
}

void job_to_json(struct json_writer *w, const char *key, const struct core *core,
	const struct job *j)
{
	struct job_spec s;

	if (job_spec_get(j, &s) < 0) {
		w->error = -ENOMEM;
		return;
	}
	json_writer_object(w, key);
	json_writer_int(w, "id", (int64_t)j->id);
	put_text(w, "name", job_str(&s, NAME));
	json_writer_string(w, "state", job_state_name[j->state]);
	put_text(w, "result", job_result_name[j->result]);
	put_text(w, "reason", j->reason);
	put_exit(w, j->exit_code, j->signal);
	json_writer_string(w, "pool", job_str(&s, POOL));
	json_writer_array(w, "labels");
	STRV_FOREACH(label, job_strv(&s, LABEL))
		json_writer_string(w, NULL, *label);
	json_writer_array_end(w);
	json_writer_int(w, "priority", j->priority);
	json_writer_string(w, "user", users_name(core->users, j->uid));
	json_writer_int(w, "uid", j->uid);
	json_writer_int(w, "submitted_usec", j->submitted_usec);
	put_time(w, "started_usec", j->started_usec);
	put_time(w, "finished_usec", j->state == JOB_FINISHED ? j->finished_usec : 0);
	put_time(w, "due_usec", j->due_usec);
	json_writer_int(w, "runs", j->n_runs);
	if (j->run && j->run->started && j->run->info.pid)
		json_writer_int(w, "pid", j->run->info.pid);
	else
		json_writer_null(w, "pid");
	put_command(w, &s);
	for (int k = 0; k < DEP_KIND_N && j->has_deps; k++)
		if (job_spec_has(&s, dep_field[k]))
			json_writer_strv(w, job_field_info[dep_field[k]].json_name,
				s.v[dep_field[k]].strv);
	if (j->of_service) {
		json_writer_string(w, "service", job_str(&s, SERVICE));
		put_time(w, "ready_usec",
			j->run && run_is_ready(j->run) ? run_ready_usec(j->run) : 0);
		put_text(w, "status", j->run ? run_status_text(j->run) : NULL);
	}
	if (job_spec_has(&s, JOB_FIELD_INSTANCE))
		json_writer_int(w, "instance", job_num(&s, INSTANCE));
	if (j->is_callback)
		put_text(w, "callback", job_str(&s, CALLBACK));
	if (job_spec_has(&s, JOB_FIELD_CALLBACK_OF))
		json_writer_int(w, "callback_of", job_num(&s, CALLBACK_OF));
	json_writer_object_end(w);
	job_spec_deinit(&s);
}

static void put_number(struct json_writer *w, const char *key, int64_t n, bool known)
{
	if (known)
		json_writer_int(w, key, n);
	else
		json_writer_null(w, key);
}

void run_to_json(struct json_writer *w, const char *key, const struct store_run *rec,
	int64_t output_bytes, int64_t lost_bytes)
{
	bool ended = rec->ended_usec != 0;
	bool exited = ended && rec->end_kind == RUN_END_EXITED;
	int status = rec->wait_status;

	json_writer_object(w, key);
	json_writer_int(w, "run", rec->token.run);
	put_text(w, "result", ended ? job_result_name[rec->result] : NULL);
	put_text(w, "reason", rec->reason);
	put_exit(w, exited && WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		exited && WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	put_text(w, "error", rec->error < 0 ? rv_strerror(rec->error) : NULL);
	put_text(w, "step", rec->step);
	put_number(w, "pid", rec->pid, rec->pid != 0);
	json_writer_int(w, "started_usec", rec->started_usec);
	put_time(w, "finished_usec", rec->ended_usec);
	if (rec->ready_usec)
		json_writer_int(w, "ready_usec", rec->started_usec + rec->ready_usec);
	put_number(w, "elapsed_usec", rec->elapsed_usec, ended);
	put_number(w, "cpu_user_usec", rec->utime_usec, exited);
	put_number(w, "cpu_system_usec", rec->stime_usec, exited);
	put_number(w, "memory_max_bytes", rec->max_rss_bytes, exited);
	json_writer_int(w, "leftovers", rec->leftovers);
	put_number(w, "output_bytes", output_bytes, output_bytes >= 0);
	put_number(w, "output_lost_bytes", lost_bytes, lost_bytes >= 0);
	if (rec->value) {
		json_t *v = json_loads(rec->value, 0, NULL);

		json_writer_value(w, "value", v);
		json_decref(v);
	} else {
		json_writer_null(w, "value");
	}
	json_writer_object_end(w);
}
