#include "config.h"

#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macro.h"
#include "base/parse.h"

#define STAT_MAX 4096
enum { LOOKS_MAX = 3 };
/* three quarters of 8 MiB is the most that exec takes for arguments and environment */
#define ENVIRON_MAX ((size_t)6 << 20)

static int proc_read(struct buf *out, pid_t pid, const char *name, size_t max)
{
	char path[64];
	int r;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	r = file_read(out, AT_FDCWD, path, max);
	return r == -ENOENT ? -ESRCH : r;
}

#define STAT_STATE      3
#define STAT_FLAGS      9
#define STAT_START_TIME 22
#define STAT_END_CODE   27
#define STAT_ENV_START  50
#define STAT_ENV_END    51
#define STAT_EXIT_CODE  52

/* PF_KTHREAD: has no environment, ever */
#define FLAG_KTHREAD 0x00200000

/* /proc/PID/stat: the numbers, by field, where they are not negative; Z for a zombie */
struct proc_stat {
	char state;
	uint64_t field[STAT_EXIT_CODE + 1];
};

static int stat_read(struct proc_stat *ret, pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf stat = BUF_NULL;
	_cleanup_free_ char *text = NULL;
	struct proc_stat ps = {.state = '?'};
	char *field, *rest = NULL;
	int n, r;

	r = proc_read(&stat, pid, "stat", STAT_MAX);
	if (r < 0)
		return r;
	text = buf_steal_str(&stat, NULL);
	if (!text)
		return -ENOMEM;
	/* The second field is the name in parentheses, and may contain blanks and
	 * closing parentheses itself: the last one ends it. */
	field = strrchr(text, ')');
	if (!field)
		return -EIO;
	field = strtok_r(field + 1, " \n", &rest);
	for (n = STAT_STATE; field && n <= STAT_EXIT_CODE; n++) {
		if (n == STAT_STATE)
			ps.state = field[0];
		else
			(void)parse_u64(&ps.field[n], field, 0, UINT64_MAX);
		field = strtok_r(NULL, " \n", &rest);
	}
	if (n <= STAT_EXIT_CODE)
		return -EIO;
	*ret = ps;
	return 0;
}

int process_start_time(uint64_t *ret_ticks, pid_t pid)
{
	struct proc_stat ps;
	int r = stat_read(&ps, pid);

	if (r >= 0)
		*ret_ticks = ps.field[STAT_START_TIME];
	return MIN(r, 0);
}

int process_zombie_status(int *ret_status, pid_t pid, uint64_t start_time)
{
	char path[64], target[64];
	struct proc_stat ps;
	int r;

	/* Who may not see the status is told 0, which is a success. This link is under
	 * the same check, and says so. */
	snprintf(path, sizeof(path), "/proc/%ld/ns/user", (long)pid);
	if (readlink(path, target, sizeof(target)) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	r = stat_read(&ps, pid);
	if (r < 0)
		return r;
	if (ps.field[STAT_START_TIME] != start_time)
		return -ESRCH;
	if (ps.state != 'Z')
		return -ENODATA;
	*ret_status = (int)ps.field[STAT_EXIT_CODE];
	return 0;
}

/*
 * It reads as empty. That is so for a moment in exec, when the old memory is gone and the
 * new one has nothing in it yet: its code gets its bounds last, after the environment. And
 * at the end, when there is none.
 * -ENODATA: it really is empty; -EAGAIN; -errno.
 */
static int judge_empty(pid_t pid)
{
	struct proc_stat ps;
	int r = stat_read(&ps, pid);

	if (r < 0)
		return r;
	if (ps.state == 'Z' || ps.state == 'X' || ps.field[STAT_FLAGS] & FLAG_KTHREAD)
		return -ENODATA;
	return ps.field[STAT_END_CODE] > 0 &&
			       ps.field[STAT_ENV_END] == ps.field[STAT_ENV_START]
		       ? -ENODATA
		       : -EAGAIN;
}

static int environ_read(struct buf *env, pid_t pid)
{
	int r = -EAGAIN;

	/* Mostly the exec is over when it has been noticed. */
	for (int i = 0; i < LOOKS_MAX && r == -EAGAIN; i++) {
		r = proc_read(env, pid, "environ", ENVIRON_MAX);
		if (r >= 0 && buf_len(env) == 0)
			r = judge_empty(pid);
	}
	return r;
}

int proc_environ_get(char **ret, pid_t pid, const char *name)
{
	_cleanup_(buf_deinitp) struct buf env = BUF_NULL;
	size_t len = strlen(name), size;
	const char *at;
	int r;

	if (len == 0 || strchr(name, '='))
		return -EINVAL;
	r = environ_read(&env, pid);
	if (r < 0)
		return r;
	/* the last entry may lack its NUL: the process can write there while we read */
	r = buf_append_byte(&env, '\0');
	if (r < 0)
		return r;
	at = buf_head(&env);
	for (size_t left = buf_len(&env); left > 0; at += size, left -= size) {
		size = strlen(at) + 1;
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			char *value = strdup(at + len + 1);

			if (!value)
				return -ENOMEM;
			*ret = value;
			return 0;
		}
	}
	return -ENODATA;
}
