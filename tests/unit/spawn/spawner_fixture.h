/*
 * A real spawner in a directory of its own, driven by a client that records what it is
 * told. Every wait is for an event and fails the test after FX_PATIENCE_MS.
 */
#ifndef TESTS_SPAWNER_FIXTURE_H
#define TESTS_SPAWNER_FIXTURE_H

#include "base/buf.h"
#include "spawn/client.h"

#define FX_PATIENCE_MS 30000
#define FX_EVENTS_MAX  4096

enum fx_kind {
	FX_HELLO,
	FX_TABLE_RUN,
	FX_TABLE_END,
	FX_STARTED,
	FX_FAILED,
	FX_EXITED,
	FX_QUERY,
	FX_RESULT,
	FX_ORPHAN,
	FX_NOTIFY,
	FX_SAID,
	FX_READY,
};

struct fx_event {
	enum fx_kind kind;
	bool seen; /* a wait has returned it */
	struct spawn_run_info info;
	struct wire_hello hello;
	struct spawn_orphan orphan;
	int pidfd, stdin_fd;
	int notify_fd;
	char said[SPAWN_SAID_MAX + 1];
	uint32_t seq;
	int error;
};

struct fx {
	char dir[64];
	pid_t spawner; /* 0: has ended and was waited for */
	pid_t guard;   /* ends the spawner when this process dies of a failed test */
	int guard_fd;  /* whose end tells it so */
	struct spawn_client *client;
	struct fx_event events[FX_EVENTS_MAX];
	size_t n_events;
	int lost; /* what spawn_client_process said last, if the connection is over */
};

/* argv for a shell line; good until the next call */
char *const *fx_sh(const char *line);

void fx_launch(struct fx *fx);  /* directory and spawner; env from fx_env */
void fx_connect(struct fx *fx); /* connects and waits for the end of the table */
void fx_disconnect(struct fx *fx);
void fx_begin(struct fx *fx); /* both */
/* kills the spawner and its runs, removes the directory; for a checked fixture */
void fx_end(struct fx *fx);
void fx_stop_spawner(struct fx *fx, int sig); /* and waits for its end */

/* a request with defaults: argv from fx_sh, all null, timeouts of 20 s */
struct spawn_request fx_request(uint64_t job_id, const char *line);
void fx_start(struct fx *fx, const struct spawn_request *req); /* must be queued */
/* start and wait until it is told as started */
const struct fx_event *fx_run(struct fx *fx, uint64_t job_id, const char *line);

/* next event of the kind about the job (0: any) that no wait has returned yet */
struct fx_event *fx_wait(struct fx *fx, enum fx_kind kind, uint64_t job_id);
/* is there one now? nothing is waited for */
bool fx_has(struct fx *fx, enum fx_kind kind, uint64_t job_id);
/* a round trip: all that was asked before has been done, and its news have come */
void fx_settle(struct fx *fx);
void fx_pump(struct fx *fx); /* waits for the connection to be ready, once */

struct spawn_token fx_token(uint64_t job_id);
/* path below the fixture's directory; good until four calls later */
const char *fx_path(struct fx *fx, const char *name);
/* contents of such a file, NUL-terminated; good until the next call */
const char *fx_read(struct fx *fx, const char *name);
/* waits until the process is gone or a zombie; it need not be a child */
void fx_wait_gone(pid_t pid);
bool fx_is_alive(pid_t pid);
/* a FIFO at the path: made, and opened so that a byte can be waited for */
int fx_fifo(struct fx *fx, const char *name);
/* next line out of such a FIFO, as a number */
long fx_fifo_number(int fd);

#endif
