/*
 * Services that come after others: by `requires` and `after`, and by their place in a group.
 *
 * Nothing of it is on record. Whether an instance may start is asked where the scheduler would
 * start it; one that may not waits, in memory alone, until what it waits for is ready. Whether a
 * service is kept down, because one that it requires is, follows from what that is doing. So
 * whatever moment a daemon is killed at, the next one comes to the same.
 *
 * What a service is for the others is kept with it (struct service_condition), and brought up
 * to date with each change of its jobs and of what was said of it. Loop thread only.
 */
#ifndef DAEMON_SERVICE_DEPS_H
#define DAEMON_SERVICE_DEPS_H

#include "daemon/services_priv.h"

/* Who comes after whom, once all of them have their sections. What is gone from the
 * configuration keeps what it had, for the order of its end. 0, -ENOMEM */
int services_link(struct services *ss);
/* It is about to be freed. */
void service_unlink(struct service *s);
/* Its condition, and that of those who require it, is as it is now; whoever may do something
 * because of that is looked at. */
void services_note(struct services *ss, struct service *s);

/* What an instance that is to run waits for; NULL: it may start. */
const struct service *instance_waits_for(const struct instance *in);
/* It has ended for good, until somebody starts it. */
bool instance_is_over(const struct instance *in, const struct job *j);
/* All of it is being ended: it was stopped, is kept down, is gone, or restarts with its group. */
bool service_is_ending(const struct service *s);
/* Nothing that comes after it is still being ended. */
bool service_may_end(const struct service *s);
/* one that it requires, and that keeps it down; NULL: none does */
const struct service *service_kept_down_by(const struct service *s);
/* in a few words, how it is doing: "starting"; "stopped" */
const char *service_word(const struct services *ss, const struct service *s);

/* Each behind those of them that it comes after, and in the order of the files where that is all
 * the same; each once: *n may become less. None of them is gone. 0, -ENOMEM */
int services_sort(struct services *ss, struct service **v, size_t *n);
/* All that it requires, over however many, each behind what it requires itself, and s as the
 * last; the caller's to free. NULL: out of memory */
struct service **service_with_required(
	struct services *ss, struct service *s, size_t *ret_n);

#endif
