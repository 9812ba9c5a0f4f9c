#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "client/paths.h"
#include "daemon/app_setup.h"
#include "daemon/deadlines.h"
#include "daemon/dependents.h"
#include "daemon/envs.h"
#include "daemon/jobs.h"
#include "daemon/keys.h"
#include "daemon/pools.h"
#include "daemon/recovery.h"
#include "daemon/scheduler.h"
#include "daemon/schedules.h"
#include "daemon/service_times.h"
#include "daemon/services.h"
#include "daemon/users.h"
#include "store/store.h"

enum { LOCK_WAIT_SEC = 10 };

/* ---- programs -------------------------------------------------------------------------------------- */

char *app_find_program(const char *name)
{
	char self[PATH_MAX], *slash, *path = NULL;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		*slash = '\0';
		/* libtool keeps what is not installed yet in a folder of its own */
		slash = strrchr(self, '/');
		if (slash && STREQ(slash, "/.libs"))
			*slash = '\0';
		if (asprintf(&path, "%s/%s", self, name) < 0)
			return NULL;
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	if (asprintf(&path, "%s/%s", PKGLIBEXECDIR, name) < 0)
		return NULL;
	return path;
}

/* ---- the state directory --------------------------------------------------------------------------- */

static int open_state_dir(struct app *app)
{
	const char *dir = app->state_dir, *fs;
	struct stat st;
	int r;

	r = mkdir_all(AT_FDCWD, dir, 0700);
	if (r < 0) {
		log_at(LOG_ERR, "state", "cannot make the state directory '%s': %s",
			dir, rv_strerror(r));
		return r;
	}
	app->core.state_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (app->core.state_fd < 0 || fstat(app->core.state_fd, &st) < 0) {
		r = -errno;
		log_at(LOG_ERR, "state", "cannot open the state directory '%s': %s",
			dir, rv_strerror(r));
		return r;
	}
	if (st.st_uid != geteuid()) {
		log_at(LOG_ERR, "state",
			"the state directory '%s' belongs to user %u, not to %u", dir,
			(unsigned)st.st_uid, (unsigned)geteuid());
		return -EPERM;
	}
	/* of the machine: owners of jobs pass through to the input that is theirs */
	if ((st.st_mode & 07777) != (app->opts.system_mode ? 0711 : 0700) &&
		fchmod(app->core.state_fd, app->opts.system_mode ? 0711 : 0700) < 0)
		return -errno;
	if (fd_is_network_fs(app->core.state_fd, &fs) > 0) {
		log_at(LOG_ERR, "state",
			"the state directory '%s' is on a network file system (%s), "
			"where the "
			"database does not work: choose another with --state-dir",
			dir, fs);
		return -EINVAL;
	}
	return 0;
}

static void name_holder(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* A holder that is dying gets its time: a lock has no descriptor to wait on. */
static int lock_with_patience(int fd)
{
	rv_time until = rv_now() + RV_SEC(LOCK_WAIT_SEC);

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (rv_now() >= until)
			return -EWOULDBLOCK;
		poll(NULL, 0,
			50); /* start-up, before any loop: nothing else is there to do */
	}
	return 0;
}

static int lock_state(struct app *app)
{
	char holder[32];
	int r;

	app->lock_fd = openat(
		app->core.state_fd, "reeved.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (app->lock_fd < 0) {
		r = -errno;
		log_at(LOG_ERR, "state", "cannot write in the state directory '%s': %s",
			app->state_dir, rv_strerror(r));
		return r;
	}
	r = lock_with_patience(app->lock_fd);
	if (r == -EWOULDBLOCK) {
		name_holder(app->lock_fd, holder, sizeof(holder));
		log_at(LOG_ERR, "state",
			"another reeved (process %s) has the state directory '%s'",
			holder[0] ? holder : "unknown", app->state_dir);
		return r;
	}
	if (r < 0)
		return r;
	if (ftruncate(app->lock_fd, 0) < 0 ||
		dprintf(app->lock_fd, "%d\n", (int)getpid()) < 0)
		log_at(LOG_WARNING, "state", "cannot write the lock file, ignoring");
	return 0;
}

int app_setup_state(struct app *app)
{
	enum store_durability d =
		(enum store_durability)config_num(app->core.config, DURABILITY);
	_cleanup_free_ char *message = NULL;
	int r;

	r = open_state_dir(app);
	if (r >= 0)
		r = lock_state(app);
	if (r < 0)
		return r;
	r = store_open_sqlite(&app->core.store, app->core.state_fd, d, &message);
	if (r < 0)
		log_at(LOG_ERR, "store", "%s", message ? message : rv_strerror(r));
	return r;
}

/* ---- loading --------------------------------------------------------------------------------------- */

static int load_meta(const char *name, int64_t number, void *arg)
{
	struct app *app = arg;

	if (STREQ(name, "next_id"))
		jobs_set_next_id(app->core.jobs, (uint64_t)number);
	else if (STREQ(name, "epoch"))
		app->core.epoch = (uint64_t)number;
	return 0;
}

static int load_definition(const struct store_definition *d, void *arg)
{
	struct core *core = &((struct app *)arg)->core;

	if (STREQ(d->kind, "pool"))
		return pools_load(core->pools, d->name, d->text);
	if (STREQ(d->kind, "schedule") || STREQ(d->kind, "schedule-state"))
		return schedules_load(core->schedules, d->kind, d->name, d->text);
	if (STREQ(d->kind, "service"))
		return services_load(core->services, d->name, d->text);
	if (STREQ(d->kind, "service-group"))
		return groups_load(core->services, d->name, d->text);
	if (STREQ(d->kind, "service-restarts"))
		return counts_load(core->services, d->name, d->text);
	log_at(LOG_WARNING, "store", "a definition of kind '%s' is not known; ignoring",
		d->kind);
	return 0;
}

static int load_env(const struct store_env *e, void *arg)
{
	return envs_add(((struct app *)arg)->core.envs, e);
}

static int load_key(const struct store_key *k, void *arg)
{
	return keys_load(((struct app *)arg)->core.keys, k);
}

static void place_in_time(struct core *core, struct job *j)
{
	int64_t due = j->due_usec;

	/* a wall clock that was set back must not put a retry off for long */
	if (j->state == JOB_BACKOFF || j->of_service)
		due = MIN(due, clock_wall_usec(core->clock) + JOB_DELAY_MAX);
	job_set_due(j, core->clock, due);
}

static int load_job(const struct store_job *rec, void *arg)
{
	struct app *app = arg;
	struct core *core = &app->core;
	struct job_spec spec;
	struct job *j;
	int r;

	r = job_new_from_record(&j, rec);
	if (r < 0)
		return r;
	r = job_spec_get(j, &spec);
	if (r < 0) {
		log_at(LOG_ERR, "store",
			"job %" PRIu64 ": its record cannot be read: %s", rec->id,
			rv_strerror(r));
		job_free(j);
		return r;
	}
	/* A pool whose section is gone from the configuration has no slots, so that nothing of
	 * it starts unlimited; `why` names it. */
	if (j->state != JOB_FINISHED)
		r = scheduler_demand(core->scheduler, &spec, &j->demand);
	job_spec_deinit(&spec);
	j->env = env_set_ref(envs_by_id(core->envs, rec->env_id));
	if (j->state == JOB_BACKOFF || j->state == JOB_DELAYED)
		place_in_time(core, j);
	if (r >= 0)
		r = jobs_add(core->jobs, j);
	if (r < 0) {
		scheduler_demand_put(core->scheduler, j->demand);
		job_free(j);
		return r;
	}
	/* a store that was restored from a copy may know less of ids than of jobs */
	if (j->id >= jobs_next_id(core->jobs))
		jobs_set_next_id(core->jobs, j->id + 1);
	users_note(core->users, j->uid);
	scheduler_place(core->scheduler, j);
	return deadlines_add(core->deadlines, j);
}

static int load_run(const struct store_run *rec, void *arg)
{
	struct app *app = arg;
	struct job *j = jobs_find(app->core.jobs, rec->token.job_id);

	/* a start that never happened leaves its record until the next one overwrites it */
	if (!j || rec->ended_usec || !job_state_is_active(j->state) ||
		rec->token.run != j->n_runs)
		return 0;
	return recovery_add(app->recovery, rec);
}

int app_load_store(struct app *app)
{
	static const struct store_load_ops ops = {
		.meta = load_meta,
		.definition = load_definition,
		.env = load_env,
		.key = load_key,
		.job = load_job,
		.run = load_run,
	};
	int r;

	scheduler_accept_all(app->core.scheduler);
	r = store_load(app->core.store, &ops, app);
	scheduler_set_limits(app->core.scheduler, app->core.config);
	if (r >= 0)
		r = pools_apply(app->core.pools, app->core.config);
	if (r >= 0)
		r = schedules_apply(app->core.schedules, app->core.config, NULL);
	if (r >= 0)
		r = services_loaded(app->core.services);
	if (r >= 0)
		r = services_apply(app->core.services, app->core.config);
	if (r >= 0)
		services_drop_gone(app->core.services);
	if (r >= 0)
		r = services_apply_times(app->core.services, NULL);
	if (r >= 0)
		r = jobs_loaded(app->core.jobs);
	return r < 0 ? r : dependents_load(app->core.dependents);
}
