/*
 * What jobs wait for, as calls say it: ids, names and labels of jobs, and "#N", another job
 * of the same call, to what is stored: ids.
 */
#ifndef DAEMON_CONTROL_DEPS_H
#define DAEMON_CONTROL_DEPS_H

#include "base/id_list.h"
#include "daemon/control.h"
#include "daemon/dependents.h"

struct deps_search;
struct hashmap;

/* jobs that were promised somebody who will name them */
struct dep_promises {
	struct job **jobs; /* an entry for each promise */
	size_t n, n_max;
};
/* There is somebody who will name it. 0, -ENOMEM, or as dependents_promise */
int dep_promise(struct core *core, struct dep_promises *p, struct job *on);
/* the one who was promised is linked now, or is not recorded after all */
void dep_promises_end(struct dep_promises *p);

/* "a cycle: job 3 waits for 5 waits for 3" and what is to stand behind, NUL-terminated; of a long
 * one only its beginning. 0, -ENOMEM */
int dep_cycle_format(struct buf *out, const struct deps_search *s, const char *end);

struct dep_resolver {
	struct control_conn *conn;
	struct vl_call *call;
	struct job *const *jobs; /* of the same call, those before it */
	size_t n_jobs;
	int64_t job; /* which of the call, for errors; -1: it is not a Submit */
	struct dep_promises *promises;
	struct hashmap *by_name; /* of those jobs, the first n_by_name: index + 1 */
	size_t n_by_name;
	unsigned n_looked; /* for labels, at jobs of the call */
	/* of the last label */
	char *label;
	struct id_list labelled;
};
void dep_resolver_deinit(struct dep_resolver *rs);

/**
 * Names and labels of the three lists of a spec to ids, or to "#N" where it is an earlier
 * job of the same call. A name stands for the newest of that call, else for the service of that
 * name, whose first job stands for it, else for the newest unfinished job so named, else for
 * the newest; a label for all jobs that carry it. Each
 * job of the table gets a promise for each time that it is named, or more.
 *
 * Returns 0; -EINVAL: answered with what is wrong; -ENOMEM, -ECANCELED.
 */
RV_AWAIT int control_resolve_deps(struct dep_resolver *rs, struct job_spec *spec);

/* "#N" among the jobs of one call: none points beyond them, and there is no cycle. Their
 * jobs get promises. Others get their turn meanwhile. Results as above. */
RV_AWAIT int control_check_indexes(struct core *core, struct vl_call *call,
	struct job *const *jobs, size_t n, struct dep_promises *promises);
/* The call's jobs will have ids in a row from that one on: "#N" is an id now. Others get their
 * turn meanwhile. 0, -ENOMEM, -ECANCELED */
RV_AWAIT int control_number_deps(struct job *const *jobs, size_t n, uint64_t first);

#endif
