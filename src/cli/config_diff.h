/*
 * `config diff`: what a reload would do; or, of files, what another one in their place would.
 */
#ifndef CLI_CONFIG_DIFF_H
#define CLI_CONFIG_DIFF_H

struct cli;

/* of the options and operands of `config`; the exit code, errors are told */
int config_diff_show(struct cli *c);

#endif
