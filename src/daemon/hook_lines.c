#include "config.h"

#include "daemon/hook_lines.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/log.h"
#include "base/siphash.h"
#include "daemon/aux.h"
#include "daemon/job.h"
#include "daemon/run.h"

/* of a place: numbers are counted from the first of the hook */
struct place {
	bool begun, taken; /* taken: by a line of now */
	uint64_t hash;     /* 0: not known */
};

static const unsigned no_place = UINT_MAX;

uint64_t hook_line_hash(const char *line)
{
	static const struct siphash_key key = {0};
	uint64_t hash = siphash13(&key, line, strlen(line));

	return hash ? hash : 1;
}

bool hook_lines_were_begun(const struct run *run, unsigned first)
{
	for (unsigned i = 0; i < AUX_LINES_MAX; i++)
		if (aux_is_there(run, first + i))
			return true;
	return false;
}

/* where it was begun; no_place: it was not */
static unsigned begun_at(const struct place *v, uint64_t hash)
{
	for (unsigned k = 0; k < AUX_LINES_MAX; k++)
		if (v[k].begun && !v[k].taken && v[k].hash == hash)
			return k;
	return no_place;
}

static void match(const struct hook_lines *of, struct place *v, unsigned *places)
{
	for (size_t i = 0; of->lines && of->lines[i]; i++) {
		bool same =
			v[i].begun &&
			(v[i].hash == 0 || v[i].hash == hook_line_hash(of->lines[i]));

		places[i] = same ? (unsigned)i : no_place;
		v[i].taken = same;
	}
	for (size_t i = 0; of->lines && of->lines[i]; i++) {
		if (places[i] == no_place)
			places[i] = begun_at(v, hook_line_hash(of->lines[i]));
		if (places[i] != no_place)
			v[places[i]].taken = true;
	}
}

/* Its own, where that is free, else any. There is one: no more are taken than there are lines. */
static unsigned free_place(struct run *run, unsigned first, struct place *v, size_t i)
{
	unsigned k;

	if (!v[i].begun && !v[i].taken)
		return (unsigned)i;
	for (k = 0; k < AUX_LINES_MAX; k++)
		if (!v[k].begun && !v[k].taken)
			return k;
	/* of one that has ended and is in the hook no more; the first of all tells that the hook
	 * was begun, and goes last */
	for (k = AUX_LINES_MAX - 1; k > 0 && v[k].taken;)
		k--;
	aux_forget_place(run, first + k);
	return k;
}

/* Only one of a hook goes on at a time. */
static int await_begun(
	struct run *run, const struct hook_lines *of, unsigned k, bool counts)
{
	struct aux_end end;
	char text[128];
	int r = aux_await(run, of->first + k, of->timeout_usec, &end);

	if (r < 0 || counts)
		return r;
	aux_end_describe(&end, of->timeout_usec, text, sizeof(text));
	log_at(LOG_NOTICE, "service",
		"job %" PRIu64
		": a line of %s that is not in the configuration any more "
		"has ended, which does not count: %s",
		run->job->id, of->name, text);
	return 0;
}

int hook_lines_place(struct run *run, const struct hook_lines *of,
	unsigned ret_places[HOOK_LINES_MAX])
{
	struct place v[AUX_LINES_MAX] = {{.begun = false}};
	int r = 0;

	for (unsigned k = 0; k < AUX_LINES_MAX; k++)
		v[k].begun = aux_line(run, of->first + k, &v[k].hash);
	match(of, v, ret_places);
	for (unsigned k = 0; k < AUX_LINES_MAX && r >= 0; k++)
		if (v[k].begun)
			r = await_begun(run, of, k, v[k].taken);
	for (size_t i = 0; of->lines && of->lines[i] && r >= 0; i++) {
		if (ret_places[i] == no_place)
			ret_places[i] = free_place(run, of->first, v, i);
		v[ret_places[i]].taken = true;
		ret_places[i] += of->first;
	}
	return r;
}
