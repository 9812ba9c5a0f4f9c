/* What a run says, told to the spawner: for the next daemon, and what it has to act on itself. */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/outputs.h"
#include "daemon/readiness_priv.h"
#include "daemon/spawner_link.h"

static void put_number(char *text, size_t size, const char *key, int64_t n)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%" PRId64 "\n", key, n);
}

void readiness_pass_on(struct run_ready *rr)
{
	char text[SPAWN_SAID_MAX + 1] = "";
	int64_t watchdog = run_live_watchdog_usec(rr->live);
	rv_time left = rr->extended - rv_loop_now(rr->rd->loop);

	if (left > 0 && rr->run->stop_sent && !rr->run->hasten)
		put_number(text, sizeof(text), SPAWN_SAID_EXTEND,
			MIN(left / 1000, SPAWN_EXTEND_MAX));
	if (rr->reloading)
		put_number(text, sizeof(text), "RELOADING=", 1);
	if (rr->stopping)
		put_number(text, sizeof(text), "STOPPING=", 1);
	if (rr->main_pid > 0)
		put_number(text, sizeof(text), "MAINPID=", rr->main_pid);
	if (watchdog > 0)
		put_number(text, sizeof(text), "WATCHDOG_USEC=", watchdog);
	if (rr->output_from[0] > 0 || rr->output_from[1] > 0)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			SPAWN_SAID_OUTPUT "%" PRId64 " %" PRId64 "\n",
			rr->output_from[0], rr->output_from[1]);
	if (rr->status[0])
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			"STATUS=%s\n", rr->status);
	if (spawner_link_set_said(rr->run->core->spawner, rr->run, text) < 0)
		rv_timer_start(&rr->said, rv_loop_now(rr->rd->loop) + RV_SEC(1));
}

void run_ready_stop_sent(struct run *run)
{
	struct run_ready *rr = run->ready;

	if (rr && rr->rd && rr->extended > rv_loop_now(rr->rd->loop))
		readiness_pass_on(rr);
}

static void pass_on(void *arg)
{
	readiness_pass_on(arg);
}

void readiness_init_run(struct run_ready *rr)
{
	rv_timer_init(&rr->said, rr->rd->loop, pass_on, rr);
}

static int64_t size_of(const struct output_file *f)
{
	struct stat st;

	return f && fstat(f->fd, &st) == 0 ? st.st_size : 0;
}

void readiness_note_output(struct run_ready *rr)
{
	rr->output_from[0] = size_of(rr->run->out);
	rr->output_from[1] = size_of(rr->run->err);
	if (rr->rd && (rr->output_from[0] > 0 || rr->output_from[1] > 0))
		readiness_pass_on(rr); /* right behind its start */
}
