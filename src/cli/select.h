/*
 * Which jobs: ids, ranges, names and `-` from the operands, selectors from the options,
 * made into Selector objects of the protocol.
 *
 * Ids may come by the hundred thousand (`reeve ls -q | reeve rm -`): they are sorted,
 * joined to ranges, and what does not fit into one message becomes several selectors.
 */
#ifndef CLI_SELECT_H
#define CLI_SELECT_H

#include <jansson.h>
#include <stdio.h>

#include "cli/options.h"
#include "job/select.h"

struct selection {
	struct job_select ids; /* its ranges only; sorted and merged */
	char **names;          /* owned; none twice */
	json_t *filters; /* object: the members of Selector that are not ids or names */
	bool listed;     /* ids, names or "-" were given, even if stdin brought none */
	size_t ranges_max; /* of one selector; 0: SELECTION_RANGES_MIN */
};

#define SELECTION_NULL          \
	{                       \
		.listed = false \
	}

/* So many ranges, and a quarter as many names, one selector has: fewer than this never; with
 * them it stays below the least message size. */
#define SELECTION_RANGES_MIN 160
#define SELECTION_RANGES_MAX 4000

/**
 * @in        where "-" reads from
 * @now_usec  for --since
 * @err       for people, malloc'd
 *
 * Returns 0, -EINVAL, -ENOMEM, -EIO. Deinit it in any case.
 */
int selection_read(struct selection *ret, const struct options *o, FILE *in,
	int64_t now_usec, char **err);
void selection_deinit(struct selection *s);

/* one operand: id, range or name. 0, -EINVAL, -ENOMEM */
int selection_add(struct selection *s, const char *text, char **err);
/* sort and join what selection_add brought */
void selection_finish(struct selection *s);

/* nothing was said: neither ids nor filters */
bool selection_is_absent(const struct selection *s);
/* something was said, but it holds no job: "-" with an empty stdin */
bool selection_is_empty(const struct selection *s);
/* exactly one id or one name, and nothing else but whose it is */
bool selection_is_single(const struct selection *s);

/* more do not fit into one selector that every daemon takes */
bool selection_is_long(const struct selection *s);
/* calls may have so many bytes */
void selection_fit(struct selection *s, size_t message_max);

/* how many selectors it takes: 1, or more for very many ids; 0 when empty */
size_t selection_n_chunks(const struct selection *s);
/* a new Selector object; NULL when out of memory */
json_t *selection_json(const struct selection *s, size_t chunk);

/* a Selector of a job that was selected before, whoever's it is; NULL when out of memory */
json_t *selection_of_id(int64_t id);

#endif
