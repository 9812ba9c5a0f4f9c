/* Names and text forms of what spawn.h declares. */
#include "config.h"

#include "spawn/spawn.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool spawn_token_equal(const struct spawn_token *a, const struct spawn_token *b)
{
	return a->job_id == b->job_id && a->run_no == b->run_no && a->epoch == b->epoch;
}

int spawn_token_compare(const struct spawn_token *a, const struct spawn_token *b)
{
	if (a->job_id != b->job_id)
		return a->job_id < b->job_id ? -1 : 1;
	if (a->run_no != b->run_no)
		return a->run_no < b->run_no ? -1 : 1;
	return (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

char *spawn_mark_format(char *buf, const struct spawn_token *t, const char *instance)
{
	snprintf(buf, SPAWN_MARK_MAX, "%" PRIu64 ".%" PRIu32 ".%" PRIu64 ".%.*s",
		t->job_id, t->run_no, t->epoch, SPAWN_ID_LEN, instance);
	return buf;
}

/* digits, then a dot; strtoull alone would take signs and spaces */
static int take_number(const char **s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *s;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++) {
		uint64_t d = (uint64_t)(*p - '0');

		if (v > (max - d) / 10)
			return -EINVAL;
		v = v * 10 + d;
	}
	if (*p != '.')
		return -EINVAL;
	*s = p + 1;
	*ret = v;
	return 0;
}

int spawn_mark_parse(
	struct spawn_token *ret, char ret_instance[SPAWN_ID_LEN + 1], const char *mark)
{
	uint64_t job, run, epoch;
	int r;

	r = take_number(&mark, UINT64_MAX, &job);
	if (r < 0)
		return r;
	r = take_number(&mark, UINT32_MAX, &run);
	if (r < 0)
		return r;
	r = take_number(&mark, UINT64_MAX, &epoch);
	if (r < 0)
		return r;
	if (strlen(mark) != SPAWN_ID_LEN)
		return -EINVAL;
	*ret = (struct spawn_token){job, (uint32_t)run, epoch};
	if (ret_instance)
		memcpy(ret_instance, mark, SPAWN_ID_LEN + 1);
	return 0;
}

const char *spawn_step_name(unsigned int step)
{
	switch (step) {
#define X(name, number, text) \
	case SPAWN_STEP_##name: return text;
		SPAWN_STEPS(X)
#undef X
	}
	return "unknown";
}

bool spawn_run_was_recalled(const struct spawn_run_info *info)
{
	/* a start that is refused for want of something has another error */
	return info->state == SPAWN_RUN_FAILED && info->error == EAGAIN &&
	       info->step == SPAWN_STEP_REQUEST;
}

bool spawn_run_never_began(const struct spawn_run_info *info)
{
	return info->state == SPAWN_RUN_FAILED && info->error == ECANCELED &&
	       (info->flags & SPAWN_RUN_SHUTDOWN);
}
