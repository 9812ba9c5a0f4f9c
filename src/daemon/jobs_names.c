/* Names of jobs; see jobs.h. */
#include "config.h"

#include "daemon/jobs_priv.h"

struct job *jobs_find_name(
	const struct jobs *js, uint32_t uid, bool any_uid, const char *name)
{
	struct job *newest = NULL, *of_service = NULL;

	for (struct job *j = hashmap_get(js->by_name, name); j; j = j->older_namesake) {
		if (!any_uid && j->uid != uid)
			continue;
		if (j->of_service) {
			of_service = of_service ? of_service : j;
			continue;
		}
		if (j->state != JOB_FINISHED)
			return j;
		if (!newest)
			newest = j;
	}
	return newest ? newest : of_service;
}

/* into the line of those of that name, in its place by the id */
static void link_older(struct job *newer, struct job *j)
{
	while (newer->older_namesake && newer->older_namesake->id > j->id)
		newer = newer->older_namesake;
	j->newer_namesake = newer;
	j->older_namesake = newer->older_namesake;
	if (j->older_namesake)
		j->older_namesake->newer_namesake = j;
	newer->older_namesake = j;
}

int jobs_link_name(struct jobs *js, struct job *j)
{
	struct job *newer;
	char buf[65];
	const char *name = job_name(j, buf);
	void *old = NULL;
	int r;

	if (!name)
		return 0;
	newer = hashmap_get(js->by_name, name);
	if (newer && newer->id > j->id) {
		link_older(newer, j);
		return 0;
	}
	r = hashmap_set(js->by_name, name, j, &old);
	if (r < 0)
		return r;
	j->older_namesake = old;
	if (old)
		j->older_namesake->newer_namesake = j;
	return 0;
}

void jobs_unlink_name(struct jobs *js, struct job *j)
{
	char buf[65];
	const char *name = job_name(j, buf);
	void *old;

	if (!name)
		return;
	if (j->older_namesake)
		j->older_namesake->newer_namesake = j->newer_namesake;
	if (j->newer_namesake)
		j->newer_namesake->older_namesake = j->older_namesake;
	else if (j->older_namesake)
		(void)!hashmap_set(
			js->by_name, name, j->older_namesake, &old); /* is there */
	else
		hashmap_remove(js->by_name, name);
}
