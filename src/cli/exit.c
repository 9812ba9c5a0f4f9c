#include "config.h"

#include "cli/exit.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "base/macro.h"

int exit_code_of_errno(int err)
{
	switch (err < 0 ? -err : err) {
	case 0: return CLI_EXIT_OK;
	case EACCES:
	case EPERM: return CLI_EXIT_PERMISSION;
	/* nobody is there, or the one who was is gone */
	case ENOENT:
	case ECONNREFUSED:
	case ECONNRESET:
	case EPIPE:
	case ENOTCONN:
	case RV_EINCOMPLETE: return CLI_EXIT_NO_DAEMON;
	case ETIMEDOUT:
	case EAGAIN: /* its backlog is full */
	case RV_EPROTOCOL:
	case RV_ELIMIT: return CLI_EXIT_REFUSED;
	default: return CLI_EXIT_SOME;
	}
}

/* The daemon tells an error by its name or by its text. */
static bool is_not_found(const char *error)
{
	return error && (STREQ(error, "ENOENT") || STREQ(error, rv_strerror(ENOENT)));
}

int exit_code_of_job(const struct job_end *e)
{
	INVARIANT(e && e->result);
	/* Results first: a job that timed out or was cancelled has a signal as well,
	 * and that it died of our SIGTERM is not what the caller asks about. */
	if (STREQ(e->result, "timeout"))
		return CLI_EXIT_TIMED_OUT;
	if (STREQ(e->result, "cancelled"))
		return CLI_EXIT_RUN_CANCELLED;
	if (STREQ(e->result, "skipped") || STREQ(e->result, "lost"))
		return CLI_EXIT_RUN_FAILED;
	if (e->start_step) {
		if (!STREQ(e->start_step, "exec"))
			return CLI_EXIT_RUN_FAILED;
		return is_not_found(e->start_error) ? CLI_EXIT_RUN_NOT_FOUND
						    : CLI_EXIT_RUN_CANNOT;
	}
	if (e->signal > 0 && e->signal < 128)
		return 128 + (int)e->signal;
	if (e->exit_code >= 0 && e->exit_code <= 255)
		return (int)e->exit_code;
	/* a function has neither code nor signal */
	return STREQ(e->result, "succeeded") ? CLI_EXIT_OK : CLI_EXIT_SOME;
}
