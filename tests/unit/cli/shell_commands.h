/*
 * The simple commands of a piece of shell, as manuals have them: what stands between | & ; ( )
 * and ends of lines, also within $( ). Quotes and comments are honoured, redirections left
 * out, and each $variable and $( ) is "1". No here-documents, no backquotes.
 */
#ifndef TESTS_SHELL_COMMANDS_H
#define TESTS_SHELL_COMMANDS_H

/* words of one simple command, without the shell's own in front (do, if, NAME=VALUE ...) */
typedef void (*shell_command_fn)(char **words, void *arg);

/* fails the test where a quote or a parenthesis is not closed */
void shell_commands(const char *text, shell_command_fn fn, void *arg);
/* malloc'd */
char *words_join(char *const *words, char separator);

#endif
