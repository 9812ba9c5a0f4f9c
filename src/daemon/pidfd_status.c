#include "config.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "daemon/pidfd_status.h"

/* Debian 12's headers are older than this call; the layout is the kernel's first
 * version of the struct with the exit code, which later ones only append to. */
struct pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define REEVE_PIDFD_INFO_EXIT (UINT64_C(1) << 3)
#define REEVE_PIDFD_GET_INFO  _IOWR(0xFF, 11, struct pidfd_info)

int pidfd_exit_status(int pidfd, pid_t pid, uint64_t start_time, int *ret_status)
{
	struct pidfd_info info = {.mask = REEVE_PIDFD_INFO_EXIT};
	int r;

	/* first while it may be a zombie: afterwards newer kernels tell, older ones do
	 * not */
	r = process_zombie_status(ret_status, pid, start_time);
	if (r >= 0)
		return 0;
	if (ioctl(pidfd, REEVE_PIDFD_GET_INFO, &info) < 0)
		return -errno;
	if (!(info.mask & REEVE_PIDFD_INFO_EXIT))
		return -ENODATA;
	*ret_status = info.exit_code;
	return 0;
}

int pidfd_open_checked(pid_t pid, uint64_t start_time)
{
	_cleanup_close_ int fd = -1;
	uint64_t now;
	int r;

	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	/* read after the open: the descriptor holds on to whatever had the pid then */
	r = process_start_time(&now, pid);
	if (r < 0)
		return r;
	if (now != start_time)
		return -ESRCH;
	return TAKE_FD(fd);
}

int pidfd_kill(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}
