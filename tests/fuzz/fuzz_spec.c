/*
 * Any bytes as the stored form of a job. Properties:
 * - what unpacks packs again, and that unpacks to the same;
 * - what unpacks can be checked, whatever it holds.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/invariant.h"
#include "job/spec.h"
#include "tests/fuzz/fuzz.h"
