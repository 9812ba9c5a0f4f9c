/* Which files the daemon reads: the same rules for its configuration and for the files that
 * this names. */
#ifndef CONFIG_CONFIG_TRUST_H
#define CONFIG_CONFIG_TRUST_H

#include <stddef.h>

/* For reading. A FIFO would hold up the start for ever, a device would never end: only regular
 * files, and /dev/null, which a link can point to. A descriptor, -EISDIR, -EINVAL, -errno */
int config_file_open(const char *path);
/* Who may write a file of the system's daemon is root by it: that is to be root alone, or
 * whoever the daemon is. 0; -EPERM, with why in text; -errno */
int config_file_check_writers(int fd, char *text, size_t size);

#endif
