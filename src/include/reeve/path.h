/*
 * Names in the file system, and what can be done with them in the loop's threads.
 * (pathlib.)
 */
#ifndef REEVE_PATH_H
#define REEVE_PATH_H

#include <sys/stat.h>

#include "reeve/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -- on the name alone; any thread ----------------------------------------------------- */

/** a/b; b where that begins with '/'. To be freed; NULL: no memory. */
RV_TS char *rv_path_join(const char *a, const char *b);
/** The last part, inside of p; trailing slashes belong to it. "" for "/" and "". */
RV_TS const char *rv_path_name(const char *p);
/** What is before the last part: "." or "/" where there is nothing. To be freed; NULL. */
RV_TS char *rv_path_parent(const char *p);
/** The last part's ending with its dot, inside of p; "" if it has none. ".profile" has
 * none. */
RV_TS const char *rv_path_suffix(const char *p);

/* -- in the file system; all return -errno, -ECANCELED, -ENOMEM --------------------------- */

/** Follows a symbolic link at the end; lstat does not. */
RV_AWAIT int rv_path_stat(const char *p, struct stat *ret);
RV_AWAIT int rv_path_lstat(const char *p, struct stat *ret);
/** 1: there is something of that name; 0: there is nothing. */
RV_AWAIT int rv_path_exists(const char *p);

enum {
	RV_MKDIR_PARENTS = 1,  /* make those before it, too (0777 and the umask) */
	RV_MKDIR_EXIST_OK = 2, /* a folder that is there is as good */
};
RV_AWAIT int rv_path_mkdir(const char *p, mode_t mode, unsigned flags);
RV_AWAIT int rv_path_unlink(const char *p);
RV_AWAIT int rv_path_rmdir(const char *p);
/** With everything in it; follows no symbolic link. Goes on after an error and returns the
 * first. */
RV_AWAIT int rv_path_rmtree(const char *p);
/** Replaces what is there, as rename(2). */
RV_AWAIT int rv_path_rename(const char *from, const char *to);
RV_AWAIT int rv_path_symlink(const char *target, const char *p);
/** *ret is to be freed. */
RV_AWAIT int rv_path_readlink(const char *p, char **ret);
/** What is in a folder, without "." and "..", sorted by bytes.
 *
 * @ret  NULL-terminated; rv_path_list_free
 *
 * Returns how many.
 */
RV_AWAIT int rv_path_list(const char *p, char ***ret);
RV_TS void rv_path_list_free(char **list);

#ifdef __cplusplus
}
#endif
#endif
