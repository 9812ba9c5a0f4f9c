#include "job/backoff.h"

#include "base/invariant.h"
#include "base/macro.h"

int64_t backoff_delay_usec(const struct backoff *b, unsigned n_failed, uint32_t random)
{
	int64_t whole = b->first_usec, max_usec = MAX(b->max_usec, b->first_usec), part;

	INVARIANT(b->first_usec >= 0 && b->factor >= 1 && b->jitter <= 100);
	/* at most 63 turns: it grows until it meets the ceiling */
	for (; n_failed > 0 && whole > 0 && whole < max_usec && b->factor > 1;
		n_failed--)
		whole = whole > max_usec / b->factor ? max_usec : whole * b->factor;
	part = whole / 100 * b->jitter + whole % 100 * b->jitter / 100;
	/* in parts of 2^-16: part * random would not fit into 64 bits */
	return whole - part + (part >> 16) * (random >> 16) +
	       (((part & 0xffff) * (random >> 16)) >> 16);
}
