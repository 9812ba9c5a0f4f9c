#include "job/backoff.h"

#include "base/invariant.h"

int64_t backoff_delay_usec(
	int64_t first_usec, int64_t max_usec, unsigned n_failed, uint32_t random)
{
	int64_t whole = first_usec;
	int64_t half;

	INVARIANT(first_usec >= 0);
	if (max_usec < first_usec)
		max_usec = first_usec;
	/* at most 63 turns: whole doubles until it meets the ceiling */
	for (; n_failed > 0 && whole > 0 && whole < max_usec; n_failed--)
		whole = whole > max_usec / 2 ? max_usec : whole * 2;
	half = whole / 2;
	/* in parts of 2^-16: half * random would not fit into 64 bits */
	return whole - half + (half >> 16) * (random >> 16) +
	       (((half & 0xffff) * (random >> 16)) >> 16);
}
