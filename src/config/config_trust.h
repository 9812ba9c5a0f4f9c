/* Which files the daemon reads: the same rules for its configuration and for the files that
 * this names. */
#ifndef CONFIG_CONFIG_TRUST_H
#define CONFIG_CONFIG_TRUST_H

#include <stddef.h>

/* For reading. A FIFO would hold up the start for ever, a device would never end: only regular
 * files, and /dev/null, which a link can point to. A descriptor, -EISDIR, -EINVAL, -errno */
int config_file_open(const char *path);
/* The same for the daemon of the system. Who may write its files is root by them: that is to be
 * root alone, or whoever the daemon is. Links on the way are to be theirs, too: by a link in a
 * folder of his a user would get what a file says that only root may read. A descriptor; -EPERM,
 * with why in text (else text is empty); the others as above */
int config_file_open_trusted(const char *path, char *text, size_t size);

#endif
