/*
 * Places at which a crash test stops the process.
 *
 * FAILPOINT("store_commit_before") costs nothing unless configure got
 * --enable-failpoints. Then the environment, read once at the first passage of any,
 * says what happens:
 *
 *   REEVE_FAILPOINT="name[@n]:kill|stop[,...]"
 *       the n-th passage (from 1, the default) through name raises SIGKILL or SIGSTOP
 * on the process itself. Names as name_is_valid() has them, without '@'.
 *   REEVE_FAILPOINT_LOG=path
 *       before that, "name pid\n" is appended to this file, so that the test sees it
 *
 * A variable that cannot be read aborts: a test that never fires would prove nothing.
 * Any thread; the passages of all threads are counted together, those of a forked child
 * begin with its parent's count.
 */
#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

#include "config.h"

#ifdef REEVE_FAILPOINTS
void failpoint_pass(const char *name);
#	define FAILPOINT(name) failpoint_pass(name)
#else
#	define FAILPOINT(name) \
		do {            \
		} while (0)
#endif

#endif
