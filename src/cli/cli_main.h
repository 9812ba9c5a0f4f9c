/* The program `reeve` without its main(), so that tests link what users run. */
#ifndef CLI_CLI_MAIN_H
#define CLI_CLI_MAIN_H

/* The exit code. */
int cli_main(int argc, char **argv);

#endif
