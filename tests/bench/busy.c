/*
 * The job of bench_slots: 20 to 50 ms of nothing. Appends to FILE from when to when, in
 * nanoseconds of CLOCK_MONOTONIC; one write, so that those of several do not mix. libc alone,
 * so that its start is short.
 *
 *	busy FILE
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int main(int argc, char **argv)
{
	int64_t span[2] = {now(), 0};
	int fd = argc == 2 ? open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC) : -1;

	if (fd < 0)
		return 1;
	(void)poll(NULL, 0, 20 + getpid() % 31);
	span[1] = now();
	return write(fd, span, sizeof(span)) != sizeof(span);
}
