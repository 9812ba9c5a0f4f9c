#include "config.h"

#include "tests/unit/cli/shell_commands.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/macro.h"
#include "base/strv.h"
#include "job/words.h"
#include "tests/support/unit.h"

char *words_join(char *const *words, char separator)
{
	_cleanup_(buf_deinitp) struct buf out = BUF_NULL;

	STRV_FOREACH(w, words) {
		if (w != words)
			ck_assert_int_eq(buf_append_byte(&out, separator), 0);
		ck_assert_int_eq(buf_append_str(&out, *w), 0);
	}
	return buf_steal_str(&out, NULL);
}

struct scan {
	const char *p; /* what is to be read */
	struct buf command;
	char quote;         /* ' or ", or 0 */
	const char *quoted; /* where it began */
	shell_command_fn fn;
	void *arg;
};

static void put(struct scan *s, char c)
{
	ck_assert_int_eq(buf_append_byte(&s->command, c), 0);
}

/* a word that the shell itself takes before a command */
static bool is_of_the_shell(const char *word)
{
	static const char *const words[] = {
		"do", "then", "else", "if", "while", "until", "!", "time", "sudo"};
	size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (STREQ(words[i], word))
			return true;
	return n > 0 && word[n] == '=';
}

static void end_command(struct scan *s)
{
	_cleanup_(strv_freep) char **words = NULL;
	_cleanup_free_ char *err = NULL;
	char **first;

	put(s, '\0');
	ck_assert_msg(words_split(&words, buf_head(&s->command), &err) == 0,
		"%.200s: %s", buf_head(&s->command), err);
	buf_clear(&s->command);
	for (first = words; *first && is_of_the_shell(*first); first++)
		;
	if (*first)
		s->fn(first, s->arg);
}

/* behind "$(": to its end, which is taken too */
static void substitution(struct scan *s)
{
	const char *begin = s->p;
	_cleanup_free_ char *inside = NULL;
	char quote = 0;
	int depth = 1;

	for (; *s->p && depth > 0; s->p++) {
		char c = *s->p;

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else
			depth += c == '(' ? 1 : c == ')' ? -1 : 0;
	}
	ck_assert_msg(depth == 0, "not closed: $(%.60s", begin);
	inside = strndup(begin, (size_t)(s->p - begin) - 1);
	shell_commands(inside, s->fn, s->arg);
}

/* behind '$' */
static void expansion(struct scan *s)
{
	if (*s->p == '(') {
		s->p++;
		substitution(s);
	} else if (isalpha((unsigned char)*s->p) || *s->p == '_') {
		while (isalnum((unsigned char)*s->p) || *s->p == '_')
			s->p++;
	} else if (*s->p) {
		s->p++; /* $? $1 */
	}
	put(s, '1');
}

/* behind the first '<' or '>': its word goes with it */
static void redirection(struct scan *s)
{
	size_t n = buf_len(&s->command);

	if (n > 1 && isdigit((unsigned char)buf_head(&s->command)[n - 1]) &&
		buf_head(&s->command)[n - 2] == ' ')
		buf_head(&s->command)[n - 1] = ' '; /* 2>file */
	s->p += strspn(s->p, "<>& ");
	s->p += strcspn(s->p, " \n|;&)");
}

static bool at_a_word(const struct scan *s)
{
	size_t n = buf_len(&s->command);

	return n == 0 || isspace((unsigned char)buf_head(&s->command)[n - 1]);
}

static void step(struct scan *s)
{
	char c = *s->p++;

	if (c == '\\' && s->quote != '\'' && *s->p) {
		put(s, c);
		put(s, *s->p++);
	} else if (s->quote ? c == s->quote : c == '\'' || c == '"') {
		s->quote = s->quote ? 0 : c;
		s->quoted = s->p;
		put(s, c);
	} else if (c == '$' && s->quote != '\'') {
		expansion(s);
	} else if (s->quote) {
		put(s, c);
	} else if (c == '#' && at_a_word(s)) {
		s->p += strcspn(s->p, "\n");
	} else if (strchr("|&;()\n", c)) {
		end_command(s);
	} else if (c == '<' || c == '>') {
		redirection(s);
	} else {
		put(s, c);
	}
}

void shell_commands(const char *text, shell_command_fn fn, void *arg)
{
	struct scan s = {.p = text, .command = BUF_NULL, .fn = fn, .arg = arg};

	while (*s.p)
		step(&s);
	ck_assert_msg(!s.quote, "a quote is not closed: %.60s", s.quoted);
	end_command(&s);
	buf_deinit(&s.command);
}
