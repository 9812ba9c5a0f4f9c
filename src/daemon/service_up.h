/*
 * Whether what somebody started has come up: what `reeve service start` waits for.
 *
 * Of each instance the first that happens since it was started counts: a run of it was ready,
 * or has ended without. So who waits does not have to look at the right moment, and one that is
 * started again and again by its policy keeps nobody waiting. An instance that others keep from
 * starting is waited for as long as these are on their way. In memory only: who waits for it
 * does so at this daemon. Loop thread only.
 */
#ifndef DAEMON_SERVICE_UP_H
#define DAEMON_SERVICE_UP_H

#include "daemon/services_priv.h"

/* Somebody has it start: nothing is known of that yet. */
void instance_forget_up(struct instance *in);
/* Its job may be ready now. */
void instance_note_up(struct instance *in, const struct job *j);
/* A run of it has ended by itself: how, as services_judge has it before its policy is asked. */
void instance_note_end(struct instance *in, const struct run *run, const char *how,
	const struct service_end *end);

/* an end that nobody asked for, in words: "it has ended with status 1" */
void job_describe_end(const struct job *j, char *buf, size_t size);
/* why it was given up: "3 restarts in 1h were too many" */
void service_describe_burst(char *buf, size_t size, unsigned n, int64_t interval_usec);
/* what keeps a service down that nobody has stopped */
void service_describe_kept_down(
	const struct services *ss, const struct service *s, char *buf, size_t size);

#endif
