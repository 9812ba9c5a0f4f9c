/*
 * Errors: negative ints everywhere (see reeve/base.h). The codes below are internal to
 * reeve; the public ones stand in reeve/base.h. One table, error_codes.def, has them
 * all.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "reeve/base.h"

enum {
	RV_ECORRUPT = 1020,   /* stored data is damaged */
	RV_EVERSION = 1021,   /* stored data was made by a newer version */
	RV_EPROTOCOL = 1022,  /* the peer broke the protocol */
	RV_EDUPLICATE = 1023, /* already there */
};

/* Symbol of an error of either sign ("ENOENT", "RV_ELIMIT"), NULL when there is none.
 * Static; any thread. */
const char *error_name(int err);

#endif
