/*
 * The file that is written beside another, to take its place by a rename.
 *
 * Who is killed meanwhile leaves it behind. So it is locked (flock) for as long as it is
 * written: what nobody holds locked has lost its writer, and the next one removes it.
 */
#ifndef BASE_TEMPORARY_H
#define BASE_TEMPORARY_H

#include <sys/types.h>

/* ".tmp-", 32 hex digits and a NUL: without the name of the other, which could pass NAME_MAX */
#define TEMPORARY_NAME_SIZE 38

/**
 * Make one, empty, mode 0600.
 *
 * @ret_name  its name in dir, that no other file ever had
 *
 * Returns its descriptor, to be kept open until the file is renamed or removed; -errno,
 * -EBUSY where others removed it again and again.
 */
int temporary_create(int dir, char ret_name[TEMPORARY_NAME_SIZE]);

/**
 * Remove those in dir that nobody writes any more, if they are ours or that user's. What
 * cannot be looked at, or locked (some network file systems), stays.
 *
 * @owner  of the file they were to replace, as they had become his already
 */
void temporary_sweep(int dir, uid_t owner);

#endif
