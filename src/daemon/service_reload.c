/* Services read their configuration again; services.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "config/config_hooks.h"
#include "daemon/services_priv.h"
#include "reeve/group.h"

struct call {
	struct core *core;
	uint64_t job;
	int signal;
	struct service_hooks *hooks;
	char *problem; /* of the result */
};

static int reload_one(void *arg)
{
	struct call *c = arg;

	return run_reload(c->core, c->job, c->signal, c->hooks, c->problem);
}

static void calls_free(struct call *calls)
{
	for (struct call *c = calls; c && c->hooks; c++)
		service_hooks_unref(c->hooks);
	free(calls);
}
DEFINE_CLEANUP(struct call *, calls_free)

/* one after the other would take as long as all of them */
static int reload_all(struct call *calls, size_t n)
{
	rv_group g;
	int r = rv_group_enter(&g, RV_GROUP_FAIL_FAST);

	for (size_t i = 0; i < n && r >= 0; i++)
		if (!rv_group_spawn(&g, reload_one, &calls[i]))
			r = -ENOMEM;
	return rv_group_exit(&g, r);
}

int services_reload(struct services *ss, const char *name, struct service_reload **ret,
	size_t *ret_n)
{
	struct service *s = services_find(ss, name);
	int sig = s && s->section ? (int)s->section->v[CONFIG_RELOAD_SIGNAL].num : -1;
	bool by_command = sig >= 0 && s->section->v[CONFIG_RELOAD_COMMAND].text;
	_cleanup_(calls_freep) struct call *calls = NULL;
	_cleanup_free_ struct service_reload *all = NULL;
	size_t n = 0;
	int r;

	if (sig < 0 || (sig == 0 && !by_command))
		return sig < 0 ? -ENOENT : -EOPNOTSUPP;
	calls = calloc(s->n + 1, sizeof(*calls));
	all = calloc(s->n + 1, sizeof(*all));
	if (!calls || !all)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		const struct instance *in = s->v[i];

		if (!in->hooks || !run_reload_can(ss->core, in->job))
			continue;
		all[n].instance = in->number;
		calls[n] = (struct call){.core = ss->core,
			.job = in->job,
			.signal = sig,
			.hooks = service_hooks_ref(in->hooks),
			.problem = all[n].problem};
		n++;
	}
	r = reload_all(calls, n);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(all);
	*ret_n = n;
	return 0;
}
