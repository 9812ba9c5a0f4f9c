/*
 * Shared by the tests of the store: records with a value in every member, units, the
 * contents of a store as text, and a file system that fails or counts on demand.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "base/buf.h"
#include "store/store.h"

/* every member differs from 0 and from the other members; strings are static */
struct store_job fixture_job(uint64_t id);
struct store_run fixture_run(uint64_t job_id, uint32_t run);
extern const struct store_env fixture_env; /* id 7 */

static inline struct store_op op_job(enum store_op_kind kind, struct store_job j)
{
	return (struct store_op){.kind = kind, .job = j};
}
static inline struct store_op op_run(enum store_op_kind kind, struct store_run r)
{
	return (struct store_op){.kind = kind, .run = r};
}
static inline struct store_op op_env(struct store_env e)
{
	return (struct store_op){.kind = STORE_ENV_INSERT, .env = e};
}
static inline struct store_op op_key(uint32_t uid, const char *key, uint64_t first_id)
{
	return (struct store_op){.kind = STORE_KEY_INSERT,
		.key = {uid, key, first_id, .n = 3, .created_usec = 1000}};
}
static inline struct store_op op_meta(
	enum store_op_kind kind, const char *name, int64_t number)
{
	return (struct store_op){.kind = kind, .meta = {name, number}};
}
static inline struct store_op op_definition(
	enum store_op_kind kind, const char *which, const char *name, const char *text)
{
	return (struct store_op){.kind = kind, .definition = {which, name, text}};
}
/* a job without environment */
struct store_op op_plain_job(uint64_t id);

/* one unit; fails the test when the transaction fails; returns the unit's error */
int apply_ops(struct store *st, struct store_op *ops, size_t n);
#define APPLY(st, ...)                                    \
	apply_ops((st), (struct store_op[]){__VA_ARGS__}, \
		sizeof((struct store_op[]){__VA_ARGS__}) / sizeof(struct store_op))
/* likewise, but returns what store_apply returned */
int apply_raw(struct store *st, struct store_op op, bool sync);

/* records as lines of text, all members in them */
void dump_job(struct buf *out, const struct store_job *j);
void dump_run(struct buf *out, const struct store_run *r);
void dump_env(struct buf *out, const struct store_env *e);
void dump_key(struct buf *out, const struct store_key *k);
/* what store_load gives; fails the test when loading fails. free() it */
char *dump_store(struct store *st);
/* what store_runs gives */
char *dump_runs(struct store *st, uint64_t job_id);
size_t count_jobs(struct store *st);

struct store *open_store(int dir_fd, enum store_durability durability);
/* opens, expects this error and a message that holds the text */
void expect_refusal(int dir_fd, int error, const char *text);
/* changes when a byte of the file does; 0 when there is no file */
uint64_t file_hash(int dir_fd, const char *name);

/* -- the file system under SQLite ------------------------------------------------ */

size_t n_syncs(void); /* fsync and fdatasync so far, of any file */
/* the n-th write from now and all after it fail, or kill the process (error = 0);
 * n = 0: no more */
void fail_writes(size_t n, int error);
size_t n_writes(void); /* since fail_writes */
/* syncing fails with this errno; 0: no more */
void fail_syncs(int error);
/* called once, in the middle of the next sync, by whoever syncs; fn may use the store */
void on_next_sync(void (*fn)(void *arg), void *arg);

#endif
