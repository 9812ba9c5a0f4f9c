/* The spawner's log: stderr, or a file that is cut when it has grown. */
#ifndef SPAWN_SPAWNER_LOG_H
#define SPAWN_SPAWNER_LOG_H

#define SPAWNER_LOG_MAX (1 << 20) /* bytes; then it becomes spawner.log.old */

void spawner_log_begin(void);                /* lines go to descriptor 2 */
int spawner_log_open(const char *state_dir); /* 2 becomes the file; 0, -errno */

#endif
