#include "config.h"

#include "base/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"

#define STAT_MAX 4096
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

int process_start_time(uint64_t *ret_ticks, pid_t pid)
{
	_cleanup_(buf_deinitp) struct buf stat = BUF_NULL;
	_cleanup_free_ char *text = NULL;
	char *field, *rest = NULL;
	int r;

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
	field = strtok_r(field + 1, " ", &rest);
	for (int i = 3; field && i < 22; i++)
		field = strtok_r(NULL, " ", &rest);
	if (!field || parse_u64(ret_ticks, field, 0, UINT64_MAX) < 0)
		return -EIO;
	return 0;
}

int proc_environ_get(char **ret, pid_t pid, const char *name)
{
	_cleanup_(buf_deinitp) struct buf env = BUF_NULL;
	size_t len = strlen(name), size;
	const char *at;
	int r;

	if (len == 0 || strchr(name, '='))
		return -EINVAL;
	r = proc_read(&env, pid, "environ", ENVIRON_MAX);
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
