#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "base/list.h"
#include "base/parse.h"
#include "daemon/core.h"
#include "daemon/users.h"

/* more users than this are shown as numbers: names are for people */
enum { USERS_MAX = 4096 };
enum { ENTRY_MAX = 1 << 20 }; /* bytes of what a name service says of one */

struct user {
	struct list link; /* in users.unknown, until it was looked up */
	uint32_t uid;
	bool known;
	char name[64];
};

struct users {
	struct core *core;
	struct hashmap *by_uid; /* uid + 1 -> struct user */
	struct list unknown;
	rv_event work;
	char number[16]; /* of a user without a name */
};

int users_new(struct users **ret, struct core *core)
{
	struct users *us = calloc(1, sizeof(*us));
	int r;

	if (!us)
		return -ENOMEM;
	us->core = core;
	list_init(&us->unknown);
	rv_event_init(&us->work);
	r = hashmap_new(&us->by_uid, HASHMAP_U64);
	if (r < 0) {
		free(us);
		return r;
	}
	*ret = us;
	return 0;
}

struct users *users_free(struct users *us)
{
	struct user *u;

	if (!us)
		return NULL;
	HASHMAP_FOREACH(u, us->by_uid)
		free(u);
	hashmap_free(us->by_uid);
	free(us);
	return NULL;
}

static struct user *find(const struct users *us, uint32_t uid)
{
	return hashmap_get_u64(us->by_uid, (uint64_t)uid + 1);
}

void users_note(struct users *us, uint32_t uid)
{
	struct user *u;

	if (find(us, uid) || hashmap_size(us->by_uid) >= USERS_MAX)
		return;
	u = calloc(1, sizeof(*u));
	if (!u || hashmap_put_u64(us->by_uid, (uint64_t)uid + 1, u) < 0) {
		free(u);
		return; /* a number tells enough */
	}
	u->uid = uid;
	list_append(&us->unknown, &u->link);
	rv_event_set(&us->work);
}

const char *users_name(struct users *us, uint32_t uid)
{
	const struct user *u = find(us, uid);

	if (u && u->known)
		return u->name;
	snprintf(us->number, sizeof(us->number), "%" PRIu32, uid);
	return us->number;
}

/* in a worker, which alone has the user until it returns */
static int look_up(void *arg)
{
	struct user *u = arg;
	struct passwd pw, *found = NULL;
	char text[4096];

	if (getpwuid_r(u->uid, &pw, text, sizeof(text), &found) == 0 && found)
		snprintf(u->name, sizeof(u->name), "%s", pw.pw_name);
	else
		snprintf(u->name, sizeof(u->name), "%" PRIu32, u->uid);
	return 0;
}

int users_find(uint32_t *ret, const char *name)
{
	_cleanup_free_ char *text = NULL;
	struct passwd pw, *found = NULL;
	uint64_t uid;
	int r = ERANGE;

	for (size_t size = 4096; r == ERANGE && size <= ENTRY_MAX; size *= 4) {
		free(text);
		text = malloc(size);
		if (!text)
			return -ENOMEM;
		r = getpwnam_r(name, &pw, text, size, &found);
	}
	if (r == 0 && found)
		*ret = pw.pw_uid;
	else if (parse_u64(&uid, name, 0, UINT32_MAX - 1) >= 0)
		*ret = (uint32_t)uid;
	else
		return -ENOENT;
	return 0;
}

int users_main(void *arg)
{
	struct users *us = arg;

	for (;;) {
		int r = rv_event_wait(&us->work);

		if (r < 0)
			return r;
		rv_event_clear(&us->work);
		while (!list_is_empty(&us->unknown)) {
			struct user *u =
				CONTAINER_OF(us->unknown.next, struct user, link);

			r = rv_run_blocking(us->core->io, look_up, u);
			if (r == -ECANCELED)
				return r;
			list_remove(&u->link);
			u->known = r >= 0;
		}
	}
}
