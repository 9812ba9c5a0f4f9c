#include "config.h"

#include "cli/complete.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/macro.h"
#include "base/zone.h"
#include "cli/columns.h"
#include "cli/command_table.h"
#include "job/sort.h"
#include "job/state.h"

/* the option that takes the word as its value; NULL: none does */
static const struct option_def *takes_next(
	const struct option_set *set, const char *word, struct option_def *field)
{
	const struct option_def *d = NULL;

	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] == '-' && !strchr(word, '='))
		d = option_find(set, word + 2, strlen(word + 2), 0, field);
	else if (word[1] != '-' && !word[2])
		d = option_find(set, NULL, 0, word[1], field);
	return d && d->metavar ? d : NULL;
}

static void hint_of_value(struct complete_place *p, const struct option_def *d)
{
	p->hint = d ? d->hint : HINT_NONE;
	p->metavar = d ? d->metavar : NULL;
}

/* index of the verb, or of the cursor when it comes first */
static size_t find_verb(char *const *words, size_t index)
{
	struct option_set set = global_options();
	struct option_def field;
	size_t i = 1;

	while (i < index && words[i][0] == '-')
		i += takes_next(&set, words[i], &field) ? 2 : 1;
	return MIN(i, index);
}

static void place_option(struct complete_place *p, const struct option_set *set)
{
	const char *eq = strchr(p->prefix, '=');
	const struct option_def *d;
	struct option_def field;

	if (!eq || strncmp(p->prefix, "--", 2) != 0) {
		p->is_option = true;
		return;
	}
	d = option_find(set, p->prefix + 2, (size_t)(eq - p->prefix) - 2, 0, &field);
	hint_of_value(p, d);
	p->prefix = eq + 1;
}

/* behind the first operand; what stands there is its arguments */
static enum hint hint_of_further(const struct command *cmd, const char *first)
{
	bool is_new = STREQ(first, "add") || STREQ(first, "ls");

	switch (cmd->operands) {
	case HINT_WORDS: return HINT_FILE;
	case HINT_WORDS_POOL: return is_new ? HINT_NONE : HINT_POOL;
	case HINT_WORDS_SCHEDULE: return is_new ? HINT_NONE : HINT_SCHEDULE;
	case HINT_WORDS_SERVICE: return HINT_SERVICE;
	case HINT_VERB:
	case HINT_FUNCTION: return HINT_NONE;
	default: return cmd->operands;
	}
}

void complete_find_place(
	struct complete_place *ret, char *const *words, size_t n, size_t index)
{
	const char *word = index < n ? words[index] : "";
	struct complete_place p = {.prefix = word, .hint = HINT_VERB};
	size_t verb = find_verb(words, index);
	struct option_set set = global_options();
	const struct option_def *d = NULL;
	struct option_def field;
	const char *first = NULL; /* operand */
	bool over = false;        /* the options are */

	if (verb < index)
		p.command = command_find(words[verb]);
	if (p.command) {
		set = command_options(p.command);
		p.hint = p.command->operands;
	} else if (verb < index) {
		p.hint = HINT_NONE;
	} else if (index > 1) {
		d = takes_next(&set, words[index - 1], &field);
		p.hint = d ? d->hint : HINT_VERB;
	}
	for (size_t i = verb + 1; i < index; i++) {
		if (over || words[i][0] != '-' || !words[i][1]) {
			first = first ? first : words[i];
			over |= set.stop_at_operand;
		} else if (STREQ(words[i], "--")) {
			over = true;
		} else {
			d = takes_next(&set, words[i], &field);
			if (d && i + 1 == index)
				hint_of_value(&p, d);
			else
				i += d ? 1 : 0;
			if (d && i + 1 == index)
				break;
		}
		d = NULL;
	}
	p.is_first = !first;
	if (!d && first && p.command)
		p.hint = hint_of_further(p.command, first);
	if (!d && !over && word[0] == '-')
		place_option(&p, &set);
	*ret = p;
}

static void offer(FILE *out, const struct complete_place *p, const char *candidate)
{
	if (strncmp(candidate, p->prefix, strlen(p->prefix)) == 0)
		fprintf(out, "%s\n", candidate);
}

static void offer_option(
	FILE *out, const struct complete_place *p, const struct option_def *d)
{
	char text[80];

	snprintf(text, sizeof(text), "--%s", d->name);
	offer(out, p, text);
}

static void offer_options(FILE *out, const struct complete_place *p)
{
	struct option_set set =
		p->command ? command_options(p->command) : global_options();
	struct option_def field;

	for (size_t i = 0; i < ARRAY_LEN(set.tables); i++)
		for (const struct option_def *d = set.tables[i]; d && d->id; d++)
			offer_option(out, p, d);
	for (int f = 0; set.fields && f < JOB_FIELD_N; f++)
		if (option_of_field(&field, (enum job_field)f))
			offer_option(out, p, &field);
}

static void offer_verbs(FILE *out, const struct complete_place *p)
{
	for (size_t i = 0; i < command_table_len; i++) {
		if (command_table[i].flags & COMMAND_HIDDEN)
			continue;
		offer(out, p, command_table[i].name);
		if (command_table[i].alias)
			offer(out, p, command_table[i].alias);
	}
}

static void offer_list(
	FILE *out, const struct complete_place *p, const char *const *list)
{
	for (; list && *list; list++)
		offer(out, p, *list);
}

/* The words of "one|another|file:PATH|PATH"; what is in capitals is for the user, and files
 * are offered where none of the words fits. */
static void offer_choices(FILE *out, const struct complete_place *p)
{
	static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const char *word = p->metavar;
	char text[64];

	while (*word) {
		size_t n = strcspn(word, "|"), lower = strcspn(word, capitals);

		snprintf(text, sizeof(text), "%.*s", (int)MIN(n, lower), word);
		if (*text)
			offer(out, p, text);
		word += n + (word[n] == '|');
	}
}

/* Names with commas between them: for the last one, behind the others. Those that are there
 * already are left out. */
static void offer_names(FILE *out, const struct complete_place *p,
	const char *const *names, size_t n, bool may_descend)
{
	const char *comma = strrchr(p->prefix, ',');
	size_t before = comma ? (size_t)(comma - p->prefix) + 1 : 0;
	const char *minus = may_descend && p->prefix[before] == '-' ? "-" : "";
	char text[512];

	for (size_t i = 0; i < n; i++) {
		bool is_there = false;

		for (const char *w = p->prefix; w < p->prefix + before;
			w += strcspn(w, ",") + 1) {
			size_t len = strlen(names[i]);
			const char *word = w + (may_descend && *w == '-');

			is_there |=
				strncmp(word, names[i], len) == 0 && word[len] == ',';
		}
		if (is_there || before + strlen(names[i]) + 2 > sizeof(text))
			continue;
		snprintf(text, sizeof(text), "%.*s%s%s", (int)before, p->prefix, minus,
			names[i]);
		offer(out, p, text);
	}
}

static void offer_signals(FILE *out, const struct complete_place *p)
{
	/* those that people send */
	static const char *const signals[] = {"HUP", "INT", "QUIT", "KILL", "USR1",
		"USR2", "ALRM", "TERM", "CONT", "STOP", "TSTP", "WINCH", NULL};

	offer_list(out, p, signals);
}

int complete_by_shell(const struct complete_place *p)
{
	switch (p->hint) {
	/* behind the command stand its arguments: files, most likely */
	case HINT_COMMAND: return p->is_first ? COMPLETE_COMMAND : 0;
	case HINT_USER: return COMPLETE_USER;
	case HINT_DIR: return COMPLETE_DIR;
	default: return 0;
	}
}

/* the zones and links that the database lists: lines "Z NAME ..." and "L TARGET NAME" */
static void offer_zones(FILE *out, const struct complete_place *p)
{
	_cleanup_(fclosep) FILE *list = fopen(ZONE_DIR "/tzdata.zi", "re");
	char line[256], name[ZONE_NAME_MAX + 1];

	if (!list) /* known without it */
		offer(out, p, "UTC");
	while (list && fgets(line, sizeof(line), list))
		if (sscanf(line, "Z %128s", name) == 1 ||
			sscanf(line, "L %*s %128s", name) == 1)
			offer(out, p, name);
}

bool complete_static(FILE *out, const struct complete_place *p)
{
	static const char *const when[] = {"always", "auto", "never", NULL};
	static const char *const streams[] = {"all", "stdout", "stderr", NULL};
	static const char *const modes[] = {"terminate", "drain", "detach", NULL};

	if (p->is_option) {
		offer_options(out, p);
		return true;
	}
	switch (p->hint) {
	case HINT_VERB: offer_verbs(out, p); return true;
	case HINT_WORDS:
	case HINT_WORDS_POOL:
	case HINT_WORDS_SERVICE:
	case HINT_WORDS_SCHEDULE: offer_list(out, p, p->command->words); return true;
	case HINT_SORT:
		offer_names(out, p, job_sort_key_name, JOB_SORT_KEY_N, true);
		return true;
	case HINT_COLUMNS:
		offer_names(out, p, column_name, COLUMN_N, false);
		return true;
	case HINT_WHEN: offer_list(out, p, when); return true;
	case HINT_STREAM: offer_list(out, p, streams); return true;
	case HINT_SHUTDOWN: offer_list(out, p, modes); return true;
	case HINT_CHOICE: offer_choices(out, p); return true;
	case HINT_SIGNAL: offer_signals(out, p); return true;
	case HINT_ZONE: offer_zones(out, p); return true;
	case HINT_STATE:
		for (int s = 0; s < JOB_STATE_N; s++)
			offer(out, p, job_state_name[s]);
		return true;
	case HINT_RESULT:
		for (int r = JOB_RESULT_NONE + 1; r < JOB_RESULT_N; r++)
			offer(out, p, job_result_name[r]);
		return true;
	default: return false;
	}
}
