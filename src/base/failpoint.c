#include "base/failpoint.h"

#ifdef REEVE_FAILPOINTS

#	include <fcntl.h>
#	include <pthread.h>
#	include <signal.h>
#	include <stdatomic.h>
#	include <stdio.h>
#	include <stdlib.h>
#	include <string.h>
#	include <unistd.h>

#	include "base/fd.h"
#	include "base/parse.h"

#	define FAILPOINTS_MAX 16
#	define SPEC_MAX       1024

struct failpoint {
	char *name; /* into failpoint_text */
	int signal;
	atomic_ullong passages_left; /* fires when it goes from 1 to 0; stays there */
};

static char failpoint_text[SPEC_MAX];
static struct failpoint failpoints[FAILPOINTS_MAX];
static size_t n_failpoints;
static const char *failpoint_log;
static pthread_once_t failpoint_once = PTHREAD_ONCE_INIT;

/* "name[@n]:action", which is taken apart in place */
static bool failpoint_parse(struct failpoint *f, char *spec)
{
	char *action = strrchr(spec, ':'), *count;
	uint64_t n = 1;

	if (!action)
		return false;
	*action++ = '\0';
	if (STREQ(action, "kill"))
		f->signal = SIGKILL;
	else if (STREQ(action, "stop"))
		f->signal = SIGSTOP;
	else
		return false;
	count = strchr(spec, '@');
	if (count) {
		*count++ = '\0';
		if (parse_u64(&n, count, 1, UINT32_MAX) < 0)
			return false;
	}
	f->name = spec;
	atomic_init(&f->passages_left, n);
	return name_is_valid(spec);
}

static void failpoints_read(void)
{
	const char *env = getenv("REEVE_FAILPOINT");
	char *rest = NULL;

	failpoint_log = getenv("REEVE_FAILPOINT_LOG");
	if (!env)
		return;
	if (strlen(env) >= sizeof(failpoint_text))
		goto bad;
	memcpy(failpoint_text, env, strlen(env) + 1);
	for (char *spec = strtok_r(failpoint_text, ",", &rest); spec;
		spec = strtok_r(NULL, ",", &rest)) {
		if (n_failpoints == FAILPOINTS_MAX ||
			!failpoint_parse(&failpoints[n_failpoints], spec))
			goto bad;
		n_failpoints++;
	}
	return;
bad:
	fprintf(stderr, "REEVE_FAILPOINT is not readable: '%s'\n", env);
	abort();
}

static void failpoint_fire(const struct failpoint *f)
{
	char line[128];
	int fd, n;

	if (failpoint_log) {
		fd = open(
			failpoint_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		n = snprintf(line, sizeof(line), "%s %ld\n", f->name, (long)getpid());
		/* one write, so that the lines of several processes do not mix */
		if (fd < 0 || fd_write_all(fd, line, (size_t)n) < 0)
			abort();
		close_safe(fd);
	}
	raise(f->signal);
}

void failpoint_pass(const char *name)
{
	pthread_once(&failpoint_once, failpoints_read);
	for (size_t i = 0; i < n_failpoints; i++) {
		struct failpoint *f = &failpoints[i];
		unsigned long long left;

		if (strcmp(f->name, name) != 0)
			continue;
		left = atomic_load(&f->passages_left);
		while (left > 0 && !atomic_compare_exchange_weak(
					   &f->passages_left, &left, left - 1))
			;
		if (left == 1)
			failpoint_fire(f);
	}
}

#endif
