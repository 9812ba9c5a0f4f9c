/*
 * Group commit: changes are collected on the loop and applied by one worker, one
 * transaction at a time; what arrives meanwhile is the next one.
 *
 * A change that clients asked for may be refused when the disk is full; a change that
 * tells what has already happened (the end of a run) may not: it is kept and tried again
 * with back-off until it is on disk. Order is kept in both cases.
 *
 * Loop thread only.
 */
#ifndef DAEMON_COMMIT_H
#define DAEMON_COMMIT_H

#include "reeve/executor.h"
#include "store/store.h"

struct committer;
struct txn;

/* A set of operations that happen together. Strings and blobs that operations point to
 * must stay until the commit is done; txn_own and txn_text keep copies with the txn. */
struct txn *txn_new(void);           /* NULL: out of memory */
struct txn *txn_free(struct txn *t); /* of one that was never committed; NULL is fine */
static inline void txn_freep(struct txn **t)
{
	txn_free(*t);
}
/* a zeroed operation to fill in, valid until the next one is added; NULL: out of memory */
struct store_op *txn_add(struct txn *t, enum store_op_kind kind);
/* malloc'd memory that is freed with the txn; takes p also on failure. 0, -ENOMEM */
int txn_own(struct txn *t, void *p);
/* The record of that kind and name is text, or NULL: there is none any more. The name is copied,
 * text is taken, also on failure; kind stays. 0, -ENOMEM */
int txn_define(struct txn *t, const char *kind, const char *name, char *text);
/* on disk under every durability setting (ids, epochs) */
void txn_set_sync(struct txn *t);

enum commit_flags {
	COMMIT_MUST = 1 << 0, /* has already happened: retried until it is on disk */
};

int committer_new(struct committer **ret, struct store *st, rv_executor *executor);
struct committer *committer_free(struct committer *c);

/**
 * Commit and wait until it is on disk. Cannot be cancelled: the answer is needed.
 *
 * @t  taken, also on failure
 *
 * Returns 0, or why nothing of it happened: -ENOSPC, -EIO, -RV_EDUPLICATE, ...;
 * -RV_ESHUTDOWN when the committer is stopping, with COMMIT_MUST only where the store still
 * could not be written when the daemon had to go.
 */
RV_AWAIT int committer_commit(struct committer *c, struct txn *t, unsigned flags);

/* Same without waiting: done is called on the loop (it may be NULL). */
void committer_post(struct committer *c, struct txn *t, unsigned flags,
	void (*done)(int error, void *arg), void *arg);

/* The task that drives it; returns after committer_stop when everything is written. */
int committer_main(void *committer);
/* The task that moves the store's log into the database beside it; a service task. */
int committer_checkpoint_main(void *committer);
void committer_stop(struct committer *c);
/* The daemon is about to go: should the store fail until the back-off has come to its end,
 * what must be committed is given up as well, so that nobody waits for ever. */
void committer_give_up(struct committer *c);

/* 0, or the error that the last transaction failed with: then nothing new should start */
int committer_error(const struct committer *c);
/* called when that changes; one observer */
void committer_on_change(
	struct committer *c, void (*fn)(int error, void *arg), void *arg);

#endif
