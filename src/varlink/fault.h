/* What is wrong with a message or a value: where, and what was expected. */
#ifndef VARLINK_FAULT_H
#define VARLINK_FAULT_H

#include "base/macro.h"

#define VL_PATH_SIZE   192
#define VL_REASON_SIZE 160

/* Both are for people and go into org.varlink.service.InvalidParameter. Text from
 * outside in them is cut where it is too long and may then end inside of a character.
 */
struct vl_fault {
	char path[VL_PATH_SIZE];     /* "jobs[3].env[0]"; "" for the whole */
	char reason[VL_REASON_SIZE]; /* "expected string, got int" */
};

void vl_fault_set(struct vl_fault *f, const char *path, const char *reason, ...)
	PRINTF(3, 4);

#endif
