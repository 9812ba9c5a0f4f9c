#include "config.h"

#include "cli/help.h"

#include <string.h>

#include "base/macro.h"

#define WIDTH  80
#define INDENT 30 /* where the explanation of an option begins */

/* words of text between the columns indent and WIDTH; the cursor stands at column */
static void wrap(FILE *f, const char *text, size_t indent, size_t column)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > WIDTH) {
			fprintf(f, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', f);
			column++;
		}
		fprintf(f, "%.*s", (int)n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static void print_option(FILE *f, const struct option_def *d)
{
	size_t column;
	int n;

	if (d->letter)
		n = fprintf(f, "  -%c, --%s", d->letter, d->name);
	else
		n = fprintf(f, "      --%s", d->name);
	if (d->metavar)
		n += fprintf(f, " %s", d->metavar);
	column = n < 0 ? 0 : (size_t)n;
	if (column + 2 > INDENT) {
		fputc('\n', f);
		column = 0;
	}
	fprintf(f, "%*s", (int)(INDENT - column), "");
	wrap(f, d->help, INDENT, INDENT);
}

static void print_options(FILE *f, const char *title, const struct option_def *table)
{
	fprintf(f, "\n%s:\n", title);
	for (const struct option_def *d = table; d->id; d++)
		print_option(f, d);
}

static void print_fields(FILE *f)
{
	struct option_def d;

	fputs("\nWhat the job is:\n", f);
	for (int i = 0; i < JOB_FIELD_N; i++)
		if (option_of_field(&d, (enum job_field)i))
			print_option(f, &d);
}

void help_verb(FILE *f, const struct command *cmd)
{
	struct option_set set = command_options(cmd);

	fprintf(f, "Usage: reeve %s %s\n\n", cmd->name, cmd->usage);
	wrap(f, cmd->summary, 0, 0);
	if (cmd->alias)
		fprintf(f, "Also: reeve %s\n", cmd->alias);
	if (cmd->text) {
		fputc('\n', f);
		wrap(f, cmd->text, 0, 0);
	}
	if (cmd->flags & COMMAND_SELECTS && cmd->operands != HINT_NONE)
		fputs("\nJOB is an id, a range of ids (3-9), a name, or - for ids on "
		      "standard input.\n",
			f);
	if (cmd->options)
		print_options(f, "Options", cmd->options);
	if (cmd->flags & COMMAND_SELECTS)
		print_options(
			f, "Which jobs (all that are given must hold)", options_select);
	if (cmd->flags & COMMAND_FIELDS)
		print_fields(f);
	fputs("\nGeneral options:\n", f);
	for (size_t i = 0; i < ARRAY_LEN(set.tables); i++) {
		const struct option_def *d = set.tables[i];

		if (d == cmd->options || d == options_select)
			continue;
		for (; d && d->id; d++)
			print_option(f, d);
	}
}

void help_verbs(FILE *f)
{
	struct option_set set = global_options();

	fputs("Usage: reeve [OPTION...] [VERB] [ARGUMENT...]\n\n"
	      "Runs jobs through a supervised pool. Without a verb: lists them.\n\n",
		f);
	for (size_t i = 0; i < command_table_len; i++) {
		const struct command *cmd = &command_table[i];

		if (cmd->flags & COMMAND_HIDDEN)
			continue;
		fprintf(f, "  %-10s", cmd->name);
		wrap(f, cmd->summary, 12, 12);
	}
	fputs("\nOptions:\n", f);
	for (size_t i = 0; i < ARRAY_LEN(set.tables); i++)
		for (const struct option_def *d = set.tables[i]; d && d->id; d++)
			print_option(f, d);
	fputs("\nreeve help VERB explains a verb; reeve(1) has it all.\n", f);
}
