/*
 * output-max and the budget of all output while a run goes on: the oldest bytes are given back to the file system (a
 * hole is punched), reading tells that they are gone.
 *
 * A run that prints nothing costs nothing: its file is watched with a one-shot inotify
 * watch, and only one that grows is looked at again, the sooner the faster it grows. Loop
 * thread only; holes are punched in a worker, because giving back what a job wrote in a
 * twentieth of a second takes milliseconds, and on a busy disk a tenth of a second.
 */
#ifndef DAEMON_OUTPUT_CAPS_H
#define DAEMON_OUTPUT_CAPS_H

#include "daemon/run.h"
#include "reeve/loop.h"

struct output_caps;

int output_caps_new(struct output_caps **ret, struct core *core, rv_loop *loop);
struct output_caps *output_caps_free(struct output_caps *oc);

/* The task that cuts what is over its limit; a service task. */
int output_caps_main(void *output_caps);

/* Begin to watch a run's files; the run tells when it is over. Where the kernel has no room
 * for a watch (fs.inotify.max_user_watches) they are looked at once a second. 0, -ENOMEM
 * (then there is no limit for this run: the caller logs it). */
int output_caps_watch(struct output_caps *oc, struct run *run);
void output_caps_unwatch(struct output_caps *oc, struct run *run);
/* bytes that the output of all runs that go on has on disk, as far as it was looked at */
int64_t output_caps_total(const struct output_caps *oc);
/* Have them come down to so many bytes soon: of those with the most the oldest goes, so that none
 * has more than another that had to give. Each once: what is printed then is new. */
void output_caps_squeeze(struct output_caps *oc, int64_t bytes);

/* A last cut after the run has ended, before its files are closed. Cannot be cancelled. */
void output_caps_settle(struct run *run);

#endif
