/* Help, printed from the tables of verbs and options. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command_table.h"

void help_verbs(FILE *f);
void help_verb(FILE *f, const struct command *cmd);

#endif
