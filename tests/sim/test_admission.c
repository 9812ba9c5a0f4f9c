/*
 * Admission against a naive evaluator: a random stream of jobs, ends, and changes of limits;
 * after each event both say which jobs start, and must say the same.
 *
 * And, whatever the evaluator thinks of it: no start goes past a limit, and nothing that would
 * fit waits, unless what it would take is wanted by those that stand before it.
 *
 * The evaluator knows neither demands nor heaps: it walks over all jobs in order, and counts
 * everything anew from the jobs that run. ADMISSION_SEED and ADMISSION_STEPS in the
 * environment choose another run.
 */
#include "base/clock.h"
#include "tests/unit/sched/fixture.h"

enum { N_POOLS = 4, N_RESOURCES = 2, N_SPECS = 40, N_JOBS = 400, STEPS = 20000 };

static const char *const pool_name[N_POOLS] = {"p", "q", "r", "s"};
static const char *const resource_name[N_RESOURCES] = {"gpu", "tape"};

enum state { ABSENT, WAITS, RUNS };

struct job {
	struct toy toy;
	enum state state;
	unsigned spec;
	unsigned ends; /* the step at which it does */
};

struct sim {
	struct admission a;
	struct pool *pools[N_POOLS];
	struct resource *resources[N_RESOURCES];
	struct demand_spec specs[N_SPECS];
	char texts[N_SPECS][2][80];
	struct job jobs[N_JOBS];
	unsigned next_id, step;
	uint64_t random;
	unsigned n_started, n_heavy_started;
};

static unsigned pick(struct sim *s, unsigned n)
{
	s->random = s->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return (unsigned)(s->random >> 33) % n;
}

/* ---- the naive evaluator ---------------------------------------------------------------- */

struct usage {
	int64_t pools[N_POOLS], functions[N_POOLS], resources[N_RESOURCES], slots,
		memory;
};

struct ask {
	bool pools[N_POOLS];
	int64_t resources[N_RESOURCES];
};

static unsigned index_of(
	const char *const *names, unsigned n, const char *name, size_t len)
{
	for (unsigned i = 0; i < n; i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return i;
	ck_abort_msg("no such name: %s", name);
}

/* what the way-th way of a spec names; false: there are fewer */
static bool ask_of(const struct demand_spec *spec, unsigned way, struct ask *ret)
{
	const char *at = spec->pools;
	bool either = strchr(at, '|');

	*ret = (struct ask){.pools = {false}};
	if (way > 0 && !either)
		return false;
	for (unsigned i = 0; *at; i++) {
		size_t len = strcspn(at, ",|");

		if (!either || i == way)
			ret->pools[index_of(pool_name, N_POOLS, at, len)] = true;
		at += len;
		at += *at != '\0';
		if (either && i < way && !*at)
			return false;
	}
	for (at = spec->needs; at && *at;) {
		size_t len = strcspn(at, "=");

		ret->resources[index_of(resource_name, N_RESOURCES, at, len)] =
			atoi(at + len + 1);
		at += strcspn(at, " ");
		at += *at == ' ';
	}
	return true;
}

static void add_usage(struct usage *u, const struct demand_spec *spec, unsigned way)
{
	struct ask ask;

	ck_assert(ask_of(spec, way, &ask));
	for (unsigned i = 0; i < N_POOLS; i++)
		if (ask.pools[i])
			*(spec->function ? &u->functions[i] : &u->pools[i]) +=
				spec->function ? 1 : spec->slots;
	for (unsigned i = 0; i < N_RESOURCES; i++)
		u->resources[i] += ask.resources[i];
	if (!spec->function)
		u->slots += spec->slots;
	u->memory += spec->memory;
}

static bool has(int64_t max, int64_t used, int64_t amount)
{
	return amount == 0 || used + amount <= max;
}

/* Can it ever: open pools, and no more than there is */
static bool way_is_open(
	const struct sim *s, const struct demand_spec *spec, const struct ask *ask)
{
	for (unsigned i = 0; i < N_POOLS; i++)
		if (ask->pools[i] &&
			(s->pools[i]->paused ||
				(spec->function ? 1 > s->pools[i]->functions.max
						: spec->slots >
							  s->pools[i]->slots.max)))
			return false;
	for (unsigned i = 0; i < N_RESOURCES; i++)
		if (ask->resources[i] > s->resources[i]->amount.max)
			return false;
	return (spec->function || spec->slots <= s->a.slots.max) &&
	       spec->memory <= s->a.memory.max;
}

static bool way_fits(const struct sim *s, const struct demand_spec *spec,
	const struct ask *ask, const struct usage *u)
{
	for (unsigned i = 0; i < N_POOLS; i++)
		if (ask->pools[i] &&
			!(spec->function ? has(s->pools[i]->functions.max,
						   u->functions[i], 1)
					 : has(s->pools[i]->slots.max, u->pools[i],
						   spec->slots)))
			return false;
	for (unsigned i = 0; i < N_RESOURCES; i++)
		if (!has(s->resources[i]->amount.max, u->resources[i],
			    ask->resources[i]))
			return false;
	return (spec->function || has(s->a.slots.max, u->slots, spec->slots)) &&
	       has(s->a.memory.max, u->memory, spec->memory);
}

/* One claim; true: there was too little, so nothing further is claimed. */
static bool claim_one(int64_t max, int64_t *used, int64_t amount)
{
	bool is_short = !has(max, *used, amount);

	*used += amount;
	return is_short;
}

/* resources, the last named first; memory; the machine; pools, the last named first */
static void claim_way(const struct sim *s, const struct demand_spec *spec, unsigned way,
	struct usage *u)
{
	const char *text = spec->needs ? spec->needs : "";
	unsigned order[N_POOLS], n = 0, resources[N_RESOURCES], n_resources = 0;
	struct ask ask;

	ck_assert(ask_of(spec, way, &ask));
	for (const char *at = text; *at; at += *at == ' ') {
		size_t len = strcspn(at, "=");

		resources[n_resources++] =
			index_of(resource_name, N_RESOURCES, at, len);
		at += strcspn(at, " ");
	}
	while (n_resources-- > 0) {
		unsigned i = resources[n_resources];

		if (claim_one(s->resources[i]->amount.max, &u->resources[i],
			    ask.resources[i]))
			return;
	}
	if (spec->memory > 0 && claim_one(s->a.memory.max, &u->memory, spec->memory))
		return;
	if (!spec->function && claim_one(s->a.slots.max, &u->slots, spec->slots))
		return;
	for (const char *at = spec->pools; *at; at += *at != '\0') {
		size_t len = strcspn(at, ",|");
		unsigned i = index_of(pool_name, N_POOLS, at, len);

		if (ask.pools[i])
			order[n++] = i;
		at += len;
	}
	while (n-- > 0) {
		unsigned i = order[n];

		if (spec->function ? claim_one(s->pools[i]->functions.max,
					     &u->functions[i], 1)
				   : claim_one(s->pools[i]->slots.max, &u->pools[i],
					     spec->slots))
			return;
	}
}

static int compare_jobs(const void *x, const void *y)
{
	const struct job *a = *(struct job *const *)x, *b = *(struct job *const *)y;

	return toy_before(&a->toy.node, &b->toy.node) ? -1 : 1;
}

/* the ids of those that start, as toy_pass says them */
static const char *expected(struct sim *s)
{
	static char text[16384];
	static struct job *waiting[N_JOBS];
	bool blocked[N_SPECS] = {false};
	struct usage u = {.slots = 0};
	size_t n = 0, len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < N_JOBS; i++) {
		if (s->jobs[i].state == WAITS)
			waiting[n++] = &s->jobs[i];
		if (s->jobs[i].state == RUNS)
			add_usage(&u, &s->specs[s->jobs[i].spec], s->jobs[i].toy.way);
	}
	qsort(waiting, n, sizeof(waiting[0]), compare_jobs);
	for (size_t i = 0; i < n; i++) {
		const struct demand_spec *spec = &s->specs[waiting[i]->spec];
		int found = spec->forced ? 0 : -1, open = -1;
		struct ask ask;

		for (unsigned w = 0; found < 0 && ask_of(spec, w, &ask); w++) {
			if (!way_is_open(s, spec, &ask))
				continue;
			if (open < 0)
				open = (int)w;
			if (way_fits(s, spec, &ask, &u))
				found = (int)w;
		}
		if (found >= 0) {
			add_usage(&u, spec, (unsigned)found);
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%u ",
				waiting[i]->toy.id);
		} else if (!blocked[waiting[i]->spec] && open >= 0) {
			claim_way(s, spec, (unsigned)open, &u);
		}
		blocked[waiting[i]->spec] |= found < 0;
	}
	return text;
}

/* ---- events ----------------------------------------------------------------------------- */

static void make_specs(struct sim *s)
{
	for (unsigned i = 0; i < N_SPECS; i++) {
		struct demand_spec *spec = &s->specs[i];
		char *pools = s->texts[i][0], *needs = s->texts[i][1];
		unsigned x = pick(s, N_POOLS),
			 y = (x + 1 + pick(s, N_POOLS - 1)) % N_POOLS;

		snprintf(pools, 80, "%s%s%s", pool_name[x],
			i % 4 == 1   ? ","
			: i % 4 == 2 ? "|"
				     : "",
			i % 4 == 1 || i % 4 == 2 ? pool_name[y] : "");
		*spec = (struct demand_spec){.pools = pools,
			.slots = 1 + pick(s, 4) * pick(s, 2),
			.memory = pick(s, 3) == 0 ? 100 * (1 + pick(s, 8)) : 0,
			.function = i % 11 == 7,
			.forced = i == 3};
		if (spec->function)
			spec->slots = 1;
		if (pick(s, 3) == 0) {
			snprintf(needs, 80, "gpu=%u%s", 1 + pick(s, 2),
				pick(s, 2) ? " tape=1" : "");
			spec->needs = needs;
		}
	}
	/* distinct: the evaluator takes each for a demand of its own */
	for (unsigned i = 0; i < N_SPECS; i++)
		s->specs[i].memory += i;
}

static void change_limits(struct sim *s)
{
	for (unsigned i = 0; i < N_POOLS; i++) {
		s->pools[i]->slots.max = 1 + pick(s, 8);
		s->pools[i]->functions.max = 1 + pick(s, 3);
		s->pools[i]->paused = pick(s, 6) == 0;
	}
	for (unsigned i = 0; i < N_RESOURCES; i++)
		s->resources[i]->amount.max = pick(s, 4);
	s->a.slots.max = pick(s, 3) ? 4 + pick(s, 12) : LIMIT_NONE;
	s->a.memory.max = pick(s, 3) ? 500 + pick(s, 3000) : LIMIT_NONE;
}

static void submit(struct sim *s)
{
	for (unsigned i = 0; i < N_JOBS; i++) {
		struct job *j = &s->jobs[i];

		if (j->state != ABSENT)
			continue;
		j->state = WAITS;
		j->spec = pick(s, N_SPECS);
		j->toy.id = ++s->next_id;
		j->toy.priority = (int)pick(s, 3);
		toy_add(&s->a, &j->toy, &s->specs[j->spec]);
		return;
	}
}

static void end_those_due(struct sim *s)
{
	for (unsigned i = 0; i < N_JOBS; i++) {
		struct job *j = &s->jobs[i];

		if (j->state != RUNS || j->ends > s->step)
			continue;
		toy_end(&s->a, &j->toy);
		j->state = ABSENT;
	}
}

static struct usage usage_of_running(const struct sim *s)
{
	struct usage u = {.slots = 0};

	for (unsigned i = 0; i < N_JOBS; i++)
		if (s->jobs[i].state == RUNS)
			add_usage(&u, &s->specs[s->jobs[i].spec], s->jobs[i].toy.way);
	return u;
}

/* of one that has just started: nothing that it takes is taken more often than there is */
static void assert_not_exceeded(const struct sim *s, const struct job *j)
{
	const struct demand_spec *spec = &s->specs[j->spec];
	struct usage u = usage_of_running(s);
	struct ask ask;

	if (spec->forced)
		return;
	ck_assert(ask_of(spec, j->toy.way, &ask));
	for (unsigned i = 0; i < N_POOLS; i++) {
		const struct pool *p = s->pools[i];

		if (!ask.pools[i])
			continue;
		ck_assert_msg(!p->paused, "step %u: %u starts in a paused pool",
			s->step, j->toy.id);
		if (spec->function)
			ck_assert_int_le(u.functions[i], p->functions.max);
		else
			ck_assert_int_le(u.pools[i], p->slots.max);
	}
	for (unsigned i = 0; i < N_RESOURCES; i++)
		if (ask.resources[i] > 0)
			ck_assert_int_le(u.resources[i], s->resources[i]->amount.max);
	if (!spec->function)
		ck_assert_int_le(u.slots, s->a.slots.max);
	if (spec->memory > 0)
		ck_assert_int_le(u.memory, s->a.memory.max);
}

/* The first way of a spec that can ever be gone, or its first that there is room for now;
 * false: none. */
static bool find_way(const struct sim *s, const struct demand_spec *spec,
	const struct usage *u, unsigned *ret)
{
	struct ask ask;

	for (unsigned w = 0; ask_of(spec, w, &ask); w++) {
		if (!way_is_open(s, spec, &ask) || (u && !way_fits(s, spec, &ask, u)))
			continue;
		*ret = w;
		return true;
	}
	return false;
}

/* The first of those that wait of each spec; NULL: none does. */
static void find_first_waiting(const struct sim *s, const struct job *ret[N_SPECS])
{
	memset(ret, 0, N_SPECS * sizeof(*ret));
	for (unsigned i = 0; i < N_JOBS; i++) {
		const struct job *j = &s->jobs[i];

		if (j->state == WAITS &&
			(!ret[j->spec] ||
				toy_before(&j->toy.node, &ret[j->spec]->toy.node)))
			ret[j->spec] = j;
	}
}

/* Nothing waits though there is room for it, unless those before it, one of each spec, want so
 * much that there would be none left. Who stands behind one of its own spec has more before it,
 * so that the first of each tells. */
static void assert_not_idle(const struct sim *s)
{
	const struct usage u = usage_of_running(s);
	const struct job *first[N_SPECS];
	unsigned way;

	find_first_waiting(s, first);
	for (unsigned i = 0; i < N_SPECS; i++) {
		struct usage wanted = u;

		if (!first[i] || !find_way(s, &s->specs[i], &u, &way))
			continue;
		for (unsigned k = 0; k < N_SPECS; k++)
			if (first[k] &&
				toy_before(&first[k]->toy.node, &first[i]->toy.node) &&
				find_way(s, &s->specs[k], NULL, &way))
				add_usage(&wanted, &s->specs[k], way);
		ck_assert_msg(!find_way(s, &s->specs[i], &wanted, &way),
			"step %u: %u waits, and nothing is in its way", s->step,
			first[i]->toy.id);
	}
}

static void run_pass(struct sim *s, rv_time now)
{
	static char want[16384], got[16384];
	struct admitted x;
	size_t len = 0;

	snprintf(want, sizeof(want), "%s", expected(s));
	got[0] = '\0';
	admission_begin(&s->a);
	while (admission_next(&s->a, now, &x)) {
		struct job *j = CONTAINER_OF(toy_of(x.job), struct job, toy);

		ck_assert(!x.ahead);
		j->state = RUNS;
		j->toy.way = x.way;
		j->ends = s->step + 1 + pick(s, 30);
		len += (size_t)snprintf(got + len, sizeof(got) - len, "%u ", j->toy.id);
		assert_not_exceeded(s, j);
		s->n_started++;
		s->n_heavy_started += s->specs[j->spec].slots > 2;
	}
	ck_assert_msg(strcmp(want, got) == 0, "step %u: expected %s, got %s", s->step,
		want, got);
	assert_not_idle(s);
}

static unsigned setting(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static struct sim *sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->random = setting("ADMISSION_SEED", 1);
	ck_assert_int_eq(admission_init(&s->a, toy_before), 0);
	for (unsigned i = 0; i < N_POOLS; i++)
		s->pools[i] = give_slots(&s->a, pool_name[i], 4);
	for (unsigned i = 0; i < N_RESOURCES; i++)
		s->resources[i] = give_resource(&s->a, resource_name[i], 2);
	return s;
}

static void sim_free(struct sim *s)
{
	admission_deinit(&s->a);
	free(s);
}

START_TEST(starts_the_same_as_the_naive_evaluator)
{
	struct sim *s = sim_new();
	unsigned steps = setting("ADMISSION_STEPS", STEPS);

	make_specs(s);
	change_limits(s);
	for (s->step = 0; s->step < steps; s->step++) {
		if (pick(s, 200) == 0)
			change_limits(s);
		/* at times more than there is room for, at times less */
		for (unsigned n = pick(s, s->step / 500 % 2 ? 2 : 4); n > 0; n--)
			submit(s);
		end_those_due(s);
		run_pass(s, (rv_time)s->step);
	}
	ck_assert_uint_gt(s->n_started, steps / 10);
	ck_assert_uint_gt(s->n_heavy_started, steps / 200);
	for (unsigned i = 0; i < N_JOBS; i++) {
		if (s->jobs[i].state == RUNS)
			toy_end(&s->a, &s->jobs[i].toy);
		if (s->jobs[i].state == WAITS)
			toy_drop(&s->a, &s->jobs[i].toy);
	}
	sim_free(s);
}
END_TEST

/* Light jobs without end, each of up to 10 steps: one that needs four slots of one pool, one
 * of another and a resource starts within a time that follows from the longest of them. */
START_TEST(nobody_waits_for_ever)
{
	static const struct demand_spec light[] = {{.pools = "p", .slots = 1},
		{.pools = "q", .slots = 1},
		{.pools = "q", .slots = 1, .needs = "gpu=1"}};
	struct demand_spec heavy = {
		.pools = "p,q", .slots = 4, .needs = "gpu=2", .memory = 1};
	struct sim *s = sim_new();
	unsigned waits = 0, n_heavy = 0;
	bool runs[64] = {false};
	struct toy big = {.id = 0};
	struct toy v[64];
	unsigned ends[64], id = 0;
	struct admitted x;

	memset(v, 0, sizeof(v));
	for (s->step = 0; s->step < 5000; s->step++) {
		for (unsigned i = 0; i < ARRAY_LEN(v); i++) {
			if (runs[i] && ends[i] <= s->step) {
				toy_end(&s->a, &v[i]);
				runs[i] = false;
			}
			if (!v[i].demand) {
				v[i].id = ++id;
				toy_add(&s->a, &v[i], &light[i % ARRAY_LEN(light)]);
			}
		}
		if (!big.demand && s->step % 100 == 50) {
			big.id = ++id;
			waits = 0;
			toy_add(&s->a, &big, &heavy);
		}
		waits++;
		admission_begin(&s->a);
		while (admission_next(&s->a, s->step, &x)) {
			struct toy *t = toy_of(x.job);

			if (t == &big) {
				/* the lights that came before it, then one of each limit */
				ck_assert_uint_le(waits, 10 * 64);
				n_heavy++;
				continue;
			}
			runs[t - v] = true;
			ends[t - v] = s->step + 1 + pick(s, 10);
		}
		if (big.demand && !heap_node_is_linked(&big.node))
			toy_end(&s->a, &big);
	}
	ck_assert_uint_gt(n_heavy, 5);
	for (unsigned i = 0; i < ARRAY_LEN(v); i++) {
		if (runs[i])
			toy_end(&s->a, &v[i]);
		else if (v[i].demand)
			toy_drop(&s->a, &v[i]);
	}
	if (big.demand)
		toy_drop(&s->a, &big);
	sim_free(s);
}
END_TEST

UNIT_MAIN("admission", starts_the_same_as_the_naive_evaluator, nobody_waits_for_ever)
