#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "daemon/functions.h"
#include "varlink/bytes_field.h"

enum { READ_SIZE = 256 * 1024 };

/* a path is bytes: path_b64 where they are not UTF-8. 0, -EINVAL, -ENOMEM */
static int get_path(char **ret, const json_t *arguments, char **message)
{
	_cleanup_free_ char *path = NULL;
	struct vl_fault fault;
	int r;

	r = vl_get_bytes(arguments, "path", &path, NULL, &fault);
	if (r == -EINVAL)
		return function_argument_error(
			message, "%s: %s", fault.path, fault.reason);
	if (r < 0)
		return r;
	if (r == 0 || json_object_size(arguments) != 1)
		return function_argument_error(
			message, "file.hash takes just 'path', a text");
	if (path[0] != '/')
		return function_argument_error(
			message, "path: must be absolute: '%s'", path);
	*ret = TAKE_PTR(path);
	return 0;
}

static int check(const json_t *arguments, char **message)
{
	_cleanup_free_ char *path = NULL;

	return get_path(&path, arguments, message);
}

static int call(struct function_call *c)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ uint8_t *buf = NULL;
	_cleanup_close_ int fd = -1;
	char digest[SHA256_DIGEST_STRING_LENGTH];
	json_int_t bytes = 0;
	struct stat st;
	SHA2_CTX sha;
	ssize_t n;
	int r;

	r = get_path(&path, c->arguments, &c->message);
	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		function_argument_error(
			&c->message, "'%s' is not a regular file", path);
		return -EINVAL;
	}
	buf = malloc(READ_SIZE);
	if (!buf)
		return -ENOMEM;
	SHA256Init(&sha);
	while ((n = read(fd, buf, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (atomic_load(&c->cancelled))
			return -ECANCELED;
		SHA256Update(&sha, buf, (size_t)n);
		bytes += n;
	}
	SHA256End(&sha, digest);
	c->value = json_pack("{s:s, s:I}", "sha256", digest, "bytes", bytes);
	return c->value ? 0 : -ENOMEM;
}

const struct function function_file_hash = {
	.name = "file.hash",
	.help = "SHA-256 of a file; path=PATH",
	.blocking = true,
	.touches_files = true,
	.check = check,
	.call = call,
};
