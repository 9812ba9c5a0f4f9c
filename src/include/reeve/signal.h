/*
 * Signals, delivered to a loop in normal context. (asyncio: add_signal_handler.)
 *
 * A signal that arrives several times before the loop looks counts once, as in the
 * kernel; different signals never displace each other. A signal has one owner in the
 * process.
 */
#ifndef REEVE_SIGNAL_H
#define REEVE_SIGNAL_H

#include <signal.h>

#include "reeve/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Call cb in the loop when sig arrives; replaces what this loop had for it.
 *
 * Returns 0; -EINVAL: SIGKILL, SIGSTOP, or not a signal; -EBUSY: another loop has it;
 * -ENOMEM; -RV_ELOOPCLOSED.
 */
RV_PUBLIC int rv_signal_on(rv_loop *l, int sig, rv_cb cb, void *arg);
/** Restore the disposition from before, unless the program has changed it since. False if there was nothing; cb will not run. */
RV_PUBLIC bool rv_signal_off(rv_loop *l, int sig);
/**
 * Wait for one of set; each is handled by the loop meanwhile. Between two waits a signal
 * has its old disposition, which may end the program, unless rv_signal_on holds it too.
 *
 * @ret_info  may be NULL; only si_signo is filled in
 *
 * Not declared where ISO C alone is asked for, as by gcc -std=c11: <signal.h> has these
 * types with -D_POSIX_C_SOURCE=200809L, or -std=gnu11.
 *
 * Returns the signal's number, also where it comes after the cancel and before the task
 * runs again; -ECANCELED; errors of rv_signal_on. When several come at once the first is
 * the answer, and the others count as handled.
 */
#ifdef SI_USER
RV_AWAIT int rv_signal_wait(const sigset_t *set, siginfo_t *ret_info);
#endif

#ifdef __cplusplus
}
#endif
#endif
