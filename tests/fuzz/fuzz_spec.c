/*
 * Any bytes as the stored form of a job. Properties:
 * - what unpacks packs again, and that is the same job;
 * - what unpacks can be checked, and its fields looked at, whatever they hold.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/invariant.h"
#include "job/spec.h"
#include "tests/fuzz/fuzz.h"

static void look_at(const uint8_t *data, size_t size)
{
	const char *text;
	size_t len;
	int64_t num;

	(void)job_spec_peek_str(&text, &len, data, size, JOB_FIELD_NAME);
	(void)job_spec_peek_str(&text, &len, data, size, JOB_FIELD_POOL);
	(void)job_spec_peek_num(&num, data, size, JOB_FIELD_PRIORITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job_spec spec, again;
	void *packed, *repacked;
	size_t n, n_again;
	enum job_field field;
	char *message = NULL;
	int r;

	look_at(data, size);
	r = job_spec_unpack(&spec, data, size);
	if (r < 0) {
		INVARIANT(r == -RV_ECORRUPT || r == -RV_EVERSION || r == -ENOMEM ||
			  r == -RV_ELIMIT);
		return 0;
	}
	r = job_spec_check(&spec, &field, &message);
	INVARIANT(r == 0 || r == -EINVAL);
	free(message);
	INVARIANT(job_spec_pack(&packed, &n, &spec) == 0);
	INVARIANT(job_spec_unpack(&again, packed, n) == 0);
	INVARIANT(job_spec_pack(&repacked, &n_again, &again) == 0);
	INVARIANT(n == n_again && memcmp(packed, repacked, n) == 0);
	free(packed);
	free(repacked);
	job_spec_deinit(&spec);
	job_spec_deinit(&again);
	return 0;
}
