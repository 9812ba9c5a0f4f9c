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

enum { READ_SIZE = 256 * 1024 };

static const char *get_path(const json_t *arguments, char **message)
{
	const char *path = json_string_value(json_object_get(arguments, "path"));

	if (json_object_size(arguments) != 1 || !path) {
		function_argument_error(message, "file.hash takes just 'path', a text");
		return NULL;
	}
	if (path[0] != '/') {
		function_argument_error(message, "path: must be absolute: '%s'", path);
		return NULL;
	}
	return path;
}

static int check(const json_t *arguments, char **message)
{
	return get_path(arguments, message) ? 0 : -EINVAL;
}

static int call(struct function_call *c)
{
	_cleanup_free_ uint8_t *buf = NULL;
	_cleanup_close_ int fd = -1;
	char digest[SHA256_DIGEST_STRING_LENGTH];
	const char *path = get_path(c->arguments, &c->message);
	json_int_t bytes = 0;
	struct stat st;
	SHA2_CTX sha;
	ssize_t n;

	if (!path)
		return -EINVAL;
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
