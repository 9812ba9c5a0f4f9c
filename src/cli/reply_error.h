/*
 * Errors that the daemon answers with: their exit codes and what they say to people, in
 * one table. Scripts rely on the codes; reeve(1) documents them.
 */
#ifndef CLI_REPLY_ERROR_H
#define CLI_REPLY_ERROR_H

#include <jansson.h>

#include "reeve/base.h"

/* unknown names are CLI_EXIT_REFUSED: a later daemon said no for a reason of its own */
int exit_code_of_error(const char *name);

/* A sentence, malloc'd; NULL when out of memory. Members that the sentence needs and
 * that did not come make it fall back to the error's name and its parameters. */
char *reply_error_text(const char *name, const json_t *params);

#endif
