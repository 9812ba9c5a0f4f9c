#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "daemon/core.h"
#include "daemon/output_caps.h"
#include "daemon/outputs.h"
#include "daemon/run_outputs.h"

static bool wants_file(const struct run *run)
{
	return !run->job->is_function && STREQ(job_str(&run->spec, OUTPUT), "file");
}

int run_take_outputs(struct run *run)
{
	struct outputs *os = run->core->outputs;
	int r;

	if (!wants_file(run))
		return 0;
	r = outputs_take(os, &run->out);
	if (r < 0)
		return r;
	snprintf(run->output_names, sizeof(run->output_names), "%s", run->out->name);
	if (job_num(&run->spec, SPLIT_OUTPUT)) {
		r = outputs_take(os, &run->err);
		if (r < 0)
			return r;
		snprintf(run->output_names, sizeof(run->output_names), "%s %s",
			run->out->name, run->err->name);
	}
	run->rec.output = run->output_names;
	return 0;
}

void run_give_back_outputs(struct run *run)
{
	output_caps_unwatch(run->core->caps, run);
	if (run->out)
		outputs_finish(run->core->outputs, TAKE_PTR(run->out));
	if (run->err)
		outputs_finish(run->core->outputs, TAKE_PTR(run->err));
	run->rec.output = NULL;
}

/* the file's bytes on disk; name becomes none where there are none in it */
static int64_t settle_one(struct run *run, struct output_file **f,
	char name[OUTPUT_NAME_MAX], const char *none)
{
	int64_t n;

	snprintf(name, OUTPUT_NAME_MAX, "%s", none);
	if (!*f)
		return 0;
	memcpy(name, (*f)->name, OUTPUT_NAME_MAX);
	n = outputs_finish(run->core->outputs, TAKE_PTR(*f));
	if (n == 0)
		snprintf(name, OUTPUT_NAME_MAX, "%s", none);
	return n;
}

/* bytes that stay on disk; the record says where, or nothing when it printed nothing */
int64_t run_settle_outputs(struct run *run)
{
	char out[OUTPUT_NAME_MAX], err[OUTPUT_NAME_MAX];
	int64_t bytes;

	output_caps_unwatch(run->core->caps, run);
	if (!run->out && !run->err)
		return 0; /* none, or one that cannot be opened: its name stays */
	output_caps_settle(run);
	bytes = settle_one(run, &run->out, out, "-");
	/* an empty stderr is still a stream of its own: without it stdout would be all */
	bytes += settle_one(run, &run->err, err, run->err ? "-" : "");
	snprintf(run->output_names, sizeof(run->output_names), "%s%s%s", out,
		err[0] ? " " : "", err);
	run->rec.output = bytes ? run->output_names : NULL;
	return bytes;
}

int run_adopt_outputs(struct run *run, const char *names)
{
	char *space;
	int r;

	if (!names)
		return 0;
	snprintf(run->output_names, sizeof(run->output_names), "%s", names);
	run->rec.output = run->output_names;
	space = strchr(run->output_names, ' ');
	if (space) {
		*space = '\0';
		r = outputs_adopt(run->core->outputs, &run->err, space + 1);
		if (r < 0)
			return r;
	}
	r = outputs_adopt(run->core->outputs, &run->out, run->output_names);
	if (space)
		*space = ' ';
	return r;
}

void run_detach_outputs(struct run *run)
{
	output_caps_unwatch(run->core->caps, run);
	if (run->out)
		outputs_detach(TAKE_PTR(run->out));
	if (run->err)
		outputs_detach(TAKE_PTR(run->err));
}
