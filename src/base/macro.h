/* Small macros that the whole tree uses. */
#ifndef BASE_MACRO_H
#define BASE_MACRO_H

#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                           \
	((type *)((char *)(1 ? (ptr) : &((type *)NULL)->member) - \
		  offsetof(type, member)))
#define MIN(a, b)                                  \
	__extension__({                            \
		__typeof__(a) min_a_ = (a);        \
		__typeof__(b) min_b_ = (b);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b)                                  \
	__extension__({                            \
		__typeof__(a) max_a_ = (a);        \
		__typeof__(b) max_b_ = (b);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})
#define STREQ(a, b)  (strcmp((a), (b)) == 0)
#define LIKELY(x)    __builtin_expect(!!(x), 1)
#define UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define UNUSED       __attribute__((unused))
#define NOINLINE     __attribute__((noinline))
/* in place of inline */
#define ALWAYS_INLINE inline __attribute__((always_inline))

#endif
