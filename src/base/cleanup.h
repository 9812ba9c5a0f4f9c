/*
 * Ownership of locals: a local that owns something gets _cleanup_(fn); success hands it
 * over with TAKE_PTR or TAKE_FD.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))

#define TAKE_PTR(p)                        \
	__extension__({                    \
		__typeof__(p) *pp_ = &(p); \
		__typeof__(p) p_ = *pp_;   \
		*pp_ = NULL;               \
		p_;                        \
	})
#define TAKE_FD(fd)                \
	__extension__({            \
		int *pfd_ = &(fd); \
		int fd_ = *pfd_;   \
		*pfd_ = -1;        \
		fd_;               \
	})

/* DEFINE_CLEANUP(struct store *, store_close) makes store_closep for _cleanup_ */
#define DEFINE_CLEANUP(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}

static inline void freep(void *p)
{
	void *mem;

	memcpy(&mem, p,
		sizeof(mem)); /* p is a T **: reading it as a void ** would alias */
	free(mem);
}

/* closes and returns -1; keeps errno; a negative fd is fine */
static inline int close_safe(int fd)
{
	if (fd >= 0) {
		int saved = errno;
		close(fd); /* EINTR: the descriptor is gone all the same on Linux */
		errno = saved;
	}
	return -1;
}

static inline void closep(int *fd)
{
	*fd = close_safe(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define _cleanup_free_  _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

#endif
