#include "job/changeable.h"

enum job_until job_field_until(enum job_field f)
{
	switch (f) {
	/* a run that is over was one of what the job is */
	case JOB_FIELD_COMMAND:
	case JOB_FIELD_SHELL_COMMAND:
	/* they are about its first start */
	case JOB_FIELD_DELAY:
	case JOB_FIELD_AT:
	case JOB_FIELD_DEADLINE: return JOB_UNTIL_FIRST_RUN;
	case JOB_FIELD_SHELL:
	case JOB_FIELD_POOL:
	case JOB_FIELD_CWD:
	case JOB_FIELD_ENV:
	case JOB_FIELD_UMASK:
	case JOB_FIELD_NICE:
	case JOB_FIELD_RLIMITS:
	case JOB_FIELD_STDIN:
	case JOB_FIELD_STDIN_OPEN:
	case JOB_FIELD_OUTPUT:
	case JOB_FIELD_SPLIT_OUTPUT:
	case JOB_FIELD_OUTPUT_MAX:
	case JOB_FIELD_TIMESTAMPS:
	case JOB_FIELD_START_TIMEOUT:
	case JOB_FIELD_LEFTOVERS:
	case JOB_FIELD_SLOTS:
	case JOB_FIELD_NEED:
	case JOB_FIELD_MEMORY: return JOB_UNTIL_RUN;
	case JOB_FIELD_NAME:
	case JOB_FIELD_LABEL:
	case JOB_FIELD_PRIORITY:
	case JOB_FIELD_TIMEOUT:
	case JOB_FIELD_KILL_SIGNAL:
	case JOB_FIELD_KILL_GRACE:
	case JOB_FIELD_RETRIES:
	case JOB_FIELD_RETRY_DELAY:
	case JOB_FIELD_RETRY_DELAY_MAX:
	case JOB_FIELD_RETRY_FACTOR:
	case JOB_FIELD_RETRY_JITTER:
	case JOB_FIELD_RETRY_ON:
	case JOB_FIELD_SUCCESS_CODES:
	case JOB_FIELD_ON_REBOOT:
	case JOB_FIELD_ON_LOST:
	case JOB_FIELD_ON_SUCCESS:
	case JOB_FIELD_ON_FAILURE:
	case JOB_FIELD_ON_FINISH: return JOB_UNTIL_END;
	/* a function is checked with its arguments by whoever submits it; the environment was
	 * filtered then; hold, release and force are verbs */
	default: return JOB_UNTIL_SUBMIT;
	}
}
