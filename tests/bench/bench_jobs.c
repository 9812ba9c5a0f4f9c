/*
 * Jobs per second: N times `true`, from the batch submit until all have ended, with
 * durability = full and output kept, against a bare vfork + execve + wait4 loop that gives
 * each child an output file and runs as many at a time.
 *
 *	bench_jobs [N [ROUNDS]]
 *
 * ratio = time of the bare loop / time of reeve; 1 is the limit.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static pid_t start_one(const char *dir, size_t i)
{
	static char name[] = "true", environment[] = "PATH=/usr/bin:/bin";
	char *const argv[] = {name, NULL};
	char *const envp[] = {environment, NULL};
	char path[128];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "%s/%zu", dir, i);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	bench_check("open", fd < 0 ? -errno : 0);
	pid = vfork();
	bench_check("vfork", pid < 0 ? -errno : 0);
	if (pid == 0) {
		dup2(fd, 1);
		dup2(fd, 2);
		execve("/bin/true", argv, envp);
		_exit(127);
	}
	close(fd);
	return pid;
}

/* seconds */
static double bare(size_t n, size_t slots)
{
	char dir[] = "/var/tmp/reeve-bare-XXXXXX";
	size_t started = 0, ended = 0;
	rv_time t;

	if (!mkdtemp(dir))
		bench_die("mkdtemp", errno);
	t = rv_now();
	while (ended < n) {
		while (started < n && started - ended < slots)
			start_one(dir, started++);
		if (wait4(-1, NULL, 0, NULL) > 0)
			ended++;
	}
	t = rv_now() - t;
	/* Removed at the very end: ext4 creates files slowly after many unlinks, and the
	 * reference must not pay for that. */
	return (double)t / 1e9;
}

static double reeve(struct client *c, size_t n)
{
	static const char *const argv[] = {"/bin/true", NULL};
	rv_time t = rv_now();

	bench_submit(c, argv, n, false);
	bench_wait_all(c);
	return (double)(rv_now() - t) / 1e9;
}

static void compare(size_t n, size_t slots, int rounds)
{
	struct bench_series ratio = {.n = 0}, rate = {.n = 0}, bare_rate = {.n = 0};
	struct bench_daemon d;
	struct client *c;
	char conf[256], name[64];

	snprintf(conf, sizeof(conf),
		"[reeved]\nkeep-finished-max = 1000000\n[pool default]\nslots = %zu\n",
		slots);
	bench_daemon_start(&d, conf);
	c = bench_connect(&d);
	reeve(c, n / 10);
	bare(n / 10, slots);
	for (int i = 0; i < rounds; i++) {
		double b = bare(n, slots), r = reeve(c, n);

		bench_add(&ratio, b / r);
		bench_add(&rate, (double)n / r);
		bench_add(&bare_rate, (double)n / b);
		bench_clean(c);
	}
	client_close(c);
	bench_daemon_stop(&d);
	snprintf(name, sizeof(name), "%zu jobs, %zu slots: bare loop", n, slots);
	bench_print(name, &bare_rate, "jobs/s");
	snprintf(name, sizeof(name), "%zu jobs, %zu slots: reeve", n, slots);
	bench_print(name, &rate, "jobs/s");
	bench_print("  ratio (goal 0.8)", &ratio, "");
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)atol(argv[1]) : 10000;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;

	compare(n, 2, rounds);
	compare(n, 8, rounds);
	return system("rm -rf /var/tmp/reeve-bare-??????") == 0 ? 0 : 1;
}
