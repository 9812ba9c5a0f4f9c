/* The lock; see spawner_lock.h. */
#include "config.h"

#include "spawn/spawner_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "spawn/spawn.h"

#define BYTE_ALIVE  0
#define BYTE_MOVING 1

static int lock_byte(int fd, off_t byte, short type, int how)
{
	struct flock fl = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int r;

	do
		r = fcntl(fd, how, &fl);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

int spawner_lock(int *ret_fd, const char *state_dir)
{
	_cleanup_(buf_deinitp) struct buf path = BUF_NULL;
	_cleanup_close_ int fd = -1;
	int r;

	r = buf_printf(&path, "%s/" SPAWN_LOCK_NAME "%c", state_dir, '\0');
	if (r < 0)
		return r;
	fd = open(buf_head(&path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = lock_byte(fd, BYTE_MOVING, F_WRLCK, F_OFD_SETLKW);
	if (r < 0)
		return r;
	r = lock_byte(fd, BYTE_ALIVE, F_WRLCK, F_OFD_SETLK);
	if (r == -EAGAIN || r == -EACCES)
		return -EBUSY;
	if (r < 0)
		return r;
	/* for people who look; nothing reads it */
	if (ftruncate(fd, 0) == 0)
		dprintf(fd, "%d\n", (int)getpid());
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void spawner_lock_arrived(int fd)
{
	(void)lock_byte(fd, BYTE_MOVING, F_UNLCK, F_OFD_SETLK);
}

int spawner_lock_leave(int fd)
{
	int r = lock_byte(fd, BYTE_MOVING, F_WRLCK, F_OFD_SETLK);

	return r == -EACCES ? -EAGAIN : r;
}
