/*
 * Any bytes as a file of the time zone database. What is read has a stretch around every
 * moment, with an offset within limits and an abbreviation; stretches follow each other.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/invariant.h"
#include "base/macro.h"
#include "base/zone.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t moments[] = {
		INT64_C(-10000000000), 0, 1774746000, INT64_C(7258118400)};
	struct zone *z;
	bool is_dst;
	int r = zone_parse(&z, "fuzz", data, size);

	if (r < 0) {
		INVARIANT(r == -RV_ECORRUPT || r == -ENOTSUP || r == -ENOMEM);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		struct zone_span span, next;

		zone_span_at(&span, z, moments[i]);
		for (int n = 0; n < 8; n++) {
			INVARIANT(span.begin < span.end);
			INVARIANT(span.offset > -ZONE_OFFSET_MAX &&
				  span.offset < ZONE_OFFSET_MAX);
			INVARIANT(strlen(span.abbrev) < ZONE_ABBREV_MAX);
			if (span.end == INT64_MAX)
				break;
			zone_span_at(&next, z, span.end);
			INVARIANT(next.begin == span.end);
			span = next;
		}
		(void)zone_from_wall(z, moments[i] * USEC_PER_SEC);
	}
	(void)zone_has_abbrev(z, "CEST", &is_dst);
	zone_unref(z);
	return 0;
}
