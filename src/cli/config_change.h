/*
 * Changes of configuration files: `config set`, `unset` and `edit`.
 *
 * What would be read is checked before anything is written, and the file is replaced in
 * one step: it is the old one or the new one, whatever happens.
 */
#ifndef CLI_CONFIG_CHANGE_H
#define CLI_CONFIG_CHANGE_H

struct cli;

/* of the options and operands of `config`; the exit code, errors are told */
int config_change_set(struct cli *c);
int config_change_unset(struct cli *c);
int config_change_edit(struct cli *c);

#endif
