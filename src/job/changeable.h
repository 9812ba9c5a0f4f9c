/* Which properties of a job that is there can be changed, and how long. */
#ifndef JOB_CHANGEABLE_H
#define JOB_CHANGEABLE_H

#include "job/fields.h"

enum job_until {
	JOB_UNTIL_SUBMIT, /* not at all */
	JOB_UNTIL_FIRST_RUN,
	JOB_UNTIL_RUN, /* while none goes on */
	JOB_UNTIL_END,
};

enum job_until job_field_until(enum job_field f);

#endif
