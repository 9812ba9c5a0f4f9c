/*
 * Variables in the words of a command, as systemd.service(5) has them: "${NAME}" anywhere in
 * a word stands for the value of that variable, and for nothing where there is none; the word
 * stays one word, whatever blanks it gets. "$$" is one dollar sign. Anything else with a '$'
 * in it stays as it is, $NAME without braces too, which systemd splits into words. Pure.
 */
#ifndef JOB_COMMAND_EXPAND_H
#define JOB_COMMAND_EXPAND_H

#include "reeve/base.h"

/* most bytes that the words of a command may become */
#define COMMAND_EXPANDED_MAX (8 * 1024 * 1024)

/* is there anything to put in? */
bool command_has_variables(char *const *argv);

/* the value of a variable, of whose name n bytes count; NULL: there is none */
typedef const char *(*command_lookup_fn)(const char *name, size_t n, void *arg);

/* 0; -RV_ELIMIT: it became too long; -ENOMEM. *ret is the caller's */
int command_expand(char ***ret, char *const *argv, command_lookup_fn lookup, void *arg);

#endif
