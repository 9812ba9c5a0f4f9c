/*
 * Words of a command line: split as a POSIX shell splits them, but nothing is expanded.
 *
 * White space separates. Between single quotes every byte stands for itself; between
 * double quotes a backslash escapes \ " $ ` and the end of a line; outside of quotes it
 * escapes any byte. A backslash before the end of a line joins the lines. All else,
 * such as $ * ; | # %, is an ordinary byte.
 */
#ifndef JOB_WORDS_H
#define JOB_WORDS_H

#include "base/buf.h"
#include "reeve/base.h"

/**
 * Split text into words.
 *
 * @ret  NULL-terminated, the caller's; never NULL on success, may have no element
 * @err  on -EINVAL a message for people, malloc'd; may be NULL
 *
 * Returns 0, -EINVAL (a quote is not closed, a backslash ends the text), -ENOMEM.
 */
int words_split(char ***ret, const char *text, char **err);

/* Append word so that words_split gives it back. 0, -ENOMEM. */
int words_quote(struct buf *out, const char *word);

/* A double-quoted line without line ends in it: \n \t \\ \" and \xNN. Used where a
 * value must fit on one line. */
int words_quote_line(struct buf *out, const char *text);
/* Reads it back, n bytes that begin with the quote. 0, -EINVAL, -ENOMEM. */
int words_unquote_line(char **ret, const char *line, size_t n);

#endif
