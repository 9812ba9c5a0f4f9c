/*
 * --each: one job for every item, made from a template. In the words of the command, and in
 * the text of -c, stand
 *
 *	{}   the item            {.}  without its last extension
 *	{/}  its last component  {//} what stands before that, "." where nothing does
 *	{/.} last component without extension
 *	{#}  its number, from 1
 *
 * as in GNU parallel. A word stays one argument whatever the item is; in the text of -c what
 * is put in is quoted for the shell. Where the template has none of them the item is its last
 * argument. Items are lines, or end with NUL, or are given; talks to nobody.
 */
#ifndef CLI_EACH_H
#define CLI_EACH_H

#include "cli/batch.h"
#include "cli/batch_submit.h"

struct each {
	struct batch_source src;
	char *const *words; /* of the command, borrowed; none: the text is it */
	size_t n_words;
	const char *text; /* of -c, borrowed; NULL: words are it */
	bool has_marks;
	char *const *items; /* borrowed; NULL: they are read */
	size_t n_items;
	struct batch_reader reader;
	uint64_t n_made; /* jobs */
};

/* Append text with the item put in; quoted: for the shell. 0, -ENOMEM */
int each_expand(
	struct buf *out, const char *text, const char *item, uint64_t no, bool quoted);

/**
 * Does the shell take what is put into this text of -c as one word? Not where a mark stands
 * within quotation marks, backticks, a comment or a here-document, or behind '\' or '$':
 * there an item could be made a command. Where that is hard to tell it is refused.
 *
 * Returns 0; -EINVAL with *err, for people; -ENOMEM.
 */
int each_check_text(const char *text, char **err);

/**
 * @args  the operands: the words, and after a ":::" the items; borrowed until each_deinit
 * @text  of -c, or NULL
 * @fd    where items are read from, if there is no ":::"; borrowed; interrupt_fd: batch.h
 * @nul   they end with NUL there, not with a newline
 * @err   for people
 *
 * Returns 0; -EINVAL: there is no command, or there are two, or nul with given items, or
 * each_check_text refuses text; -ENOMEM.
 */
int each_init(struct each *e, char *const *args, size_t n_args, const char *text,
	int fd, int interrupt_fd, bool nul, char **err);
void each_deinit(struct each *e);

#endif
