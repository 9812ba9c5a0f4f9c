/* Zeroing of small objects. */
#ifndef RUNTIME_ZERO_H
#define RUNTIME_ZERO_H

#include <stddef.h>
#include <stdint.h>

/*
 * By blocks: for an object of some hundred bytes compilers use a string instruction, whose
 * beginning takes longer than the rest of what makes the object.
 */
#define ZERO_OBJECT(p)                                                                 \
	do {                                                                           \
		typedef uint64_t __attribute__((may_alias, vector_size(16))) block;    \
		block *block_ = (block *)(p);                                          \
                                                                                       \
		_Static_assert(sizeof(*(p)) % sizeof(block) == 0, "no rest");          \
		_Static_assert(_Alignof(__typeof__(*(p))) == 16, "aligned");           \
		_Pragma("GCC unroll 32") for (size_t i_ = 0;                           \
					      i_ < sizeof(*(p)) / sizeof(block); i_++) \
			block_[i_] = (block){0};                                       \
	} while (0)

#endif
