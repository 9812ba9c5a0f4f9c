/*
 * Feeds files to a fuzz target: those named on the command line, or the whole committed
 * corpus of the target, tests/fuzz/corpus/NAME for a program fuzz_NAME.
 */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "reeve/base.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (16 * 1024 * 1024)

static int replay(int dir_fd, const char *path)
{
	_cleanup_(buf_deinitp) struct buf in = BUF_NULL;
	_cleanup_free_ uint8_t *exact = NULL;
	int r;

	r = file_read(&in, dir_fd, path, INPUT_MAX);
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, rv_strerror(r));
		return r;
	}
	/* exactly as large as it is, so that a sanitizer sees the first byte behind it
	 */
	exact = malloc(buf_len(&in) ? buf_len(&in) : 1);
	if (!exact)
		return -ENOMEM;
	memcpy(exact, buf_head(&in), buf_len(&in));
	LLVMFuzzerTestOneInput(exact, buf_len(&in));
	return 0;
}

static int replay_corpus(const char *program)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(closedirp) DIR *dir = NULL;
	const char *srcdir = getenv("srcdir"), *name = strstr(program, "fuzz_");
	struct dirent *entry;
	int n = 0;

	for (const char *p = name; p; p = strstr(p + 1, "fuzz_"))
		name = p;
	if (!name || asprintf(&path, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
			     name + strlen("fuzz_")) < 0)
		return EXIT_FAILURE;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(dirfd(dir), entry->d_name) < 0)
			return EXIT_FAILURE;
		n++;
	}
	printf("%s: %d inputs\n", path, n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return replay_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		if (replay(AT_FDCWD, argv[i]) < 0)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
