/*
 * What a job waits for: conditions on the ends of other jobs.
 *
 * Three lists of a spec say them: after (they succeed), after-any (they end), after-failure
 * (they fail). Of a list every element is needed; an element names one job, or several of
 * which one is enough: "3", "3|5". Users write an id, a NAME or a @LABEL, and in a Submit
 * "#N" is the job of that number in it, counted from 0; what is stored is ids.
 *
 * Pure: how jobs are doing is asked of the caller.
 */
#ifndef JOB_DEPS_H
#define JOB_DEPS_H

#include "job/fields.h"
#include "job/state.h"

enum dep_kind { DEP_AFTER, DEP_AFTER_ANY, DEP_AFTER_FAILURE, DEP_KIND_N };
extern const enum job_field dep_field[DEP_KIND_N];

/* ---- elements as text --------------------------------------------------------------- */

enum dep_ref_kind { DEP_REF_ID, DEP_REF_NAME, DEP_REF_LABEL, DEP_REF_INDEX };

/* one part of an element */
struct dep_ref {
	enum dep_ref_kind kind;
	uint64_t number; /* the id, or the index */
	char name[65];   /* the name, or the label without its '@' */
};

/* The next part. *at begins as the element, and is moved on. 1; 0: there are no more;
 * -EINVAL: this is none. */
int dep_ref_next(struct dep_ref *ret, const char **at);
/* bits (1 << enum dep_ref_kind) of what the elements of a list have */
unsigned dep_list_kinds(char *const *list);
/* is every part one? */
bool dep_element_is_valid(const char *element);

/* ---- lists of a packed spec --------------------------------------------------------- */

struct deps_walk {
	const void *spec;
	size_t spec_len;
	int kind;             /* enum dep_kind of the element before; -1 at first */
	const char *at, *end; /* what is left of its list */
};

/* Elements of all three lists; those of a damaged list are left out. */
void deps_walk_init(struct deps_walk *w, const void *spec, size_t spec_len);
/* 1 with the element, which points into the spec; 0 at the end */
int deps_walk_next(
	struct deps_walk *w, enum dep_kind *ret_kind, const char **ret_element);
/* Every id of the three lists, in their order, one by one: 1, 0 at the end. *at is NULL at
 * first. Parts that are no ids are passed over. */
int deps_walk_next_id(struct deps_walk *w, const char **at, uint64_t *ret);
/* does the job wait for anything at all? */
bool deps_are_given(const void *spec, size_t spec_len);

/* ---- judgement ---------------------------------------------------------------------- */

enum dep_state {
	DEP_MET,
	DEP_OPEN,       /* it may still come */
	DEP_IMPOSSIBLE, /* it cannot come any more, unless a job is retried */
};

/* how a job is doing that somebody waits for */
struct dep_job {
	enum job_state state;
	enum job_result result; /* of a finished one */
	bool shut_down;         /* lost: the shutdown of daemon or machine ended it */
};

/**
 * One job against one condition.
 *
 * What is not finished keeps it open, also one that is held because its run was lost: it
 * may be released. lost, skipped and cancelled satisfy neither success nor failure; where
 * the shutdown was the reason nobody is skipped for it, so that stays open until the job
 * is retried. after-any takes every end.
 */
enum dep_state dep_judge(enum dep_kind kind, const struct dep_job *j);

/* How that job is doing: false when its record is gone, which happens to finished ones that
 * nobody needed any more: it holds up nobody then. */
typedef bool (*deps_look_fn)(uint64_t id, struct dep_job *ret, void *arg);

struct deps_verdict {
	enum dep_state state;
	/* DEP_IMPOSSIBLE: the first element that cannot come; into the spec */
	enum dep_kind kind;
	const char *element;
};

/* One element: of its jobs one is enough. */
enum dep_state dep_judge_element(
	enum dep_kind kind, const char *element, deps_look_fn look, void *arg);
/* All that a packed spec says. */
void deps_judge(struct deps_verdict *ret, const void *spec, size_t spec_len,
	deps_look_fn look, void *arg);

/* What is said of a job that ended so: "failed", "was cancelled"; "ended" for none. */
const char *dep_end_phrase(enum job_result result);

/* ---- cycles ------------------------------------------------------------------------- */

/*
 * Depth first over nodes that are numbers: ids, or places in a file. One search may be
 * begun from several nodes; what was gone through is not gone through again. It goes on in
 * steps, so that a loop that has others to serve can turn to them.
 */
struct deps_search;

/* Tells what a node waits for by deps_search_edge. 0, or a negative error. */
typedef int (*deps_edges_fn)(struct deps_search *s, uint64_t node, void *arg);

int deps_search_new(struct deps_search **ret, deps_edges_fn edges, void *arg);
struct deps_search *deps_search_free(struct deps_search *s);
static inline void deps_search_freep(struct deps_search **s)
{
	deps_search_free(*s);
}
/* 0, -ENOMEM */
int deps_search_edge(struct deps_search *s, uint64_t to);
/* Begin at a node. 0, -ENOMEM */
int deps_search_from(struct deps_search *s, uint64_t node);
/**
 * Go on for so many nodes.
 *
 * Returns 0: all was seen, there is no cycle; 1: there is one; -EAGAIN: there is more to
 * see; -ENOMEM, or what edges returned.
 */
int deps_search_step(struct deps_search *s, size_t n_nodes);
/* After 1: its nodes, each waits for the next, and the last for the first. The search's. */
const uint64_t *deps_search_cycle(const struct deps_search *s, size_t *ret_n);

#endif
